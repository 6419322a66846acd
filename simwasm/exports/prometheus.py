"""The metrics that a plugin defined and changed, as Envoy's `/stats/prometheus` shows them at the end of the run.

Rules: Envoy keeps a plugin's metrics under `wasmcustom.` and takes that away again for Prometheus; signs that
Prometheus does not have become `_`, and a name that begins with a digit is not shown; a histogram has Envoy's buckets,
here with exact counts, where Envoy's sums are estimates. Metrics of a name and type are one, whichever plugin counts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from simwasm.abi.enums import MetricType
from simwasm.host.metrics import STEP, U64
from simwasm.trace.event import Entered, Left
from simwasm.trace.parse import Header
from simwasm.trace.rows import Kind
from simwasm.trace.scan import Found, Over
from simwasm.trace.text import printable

BUCKETS = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000,
           1_800_000, 3_600_000)  # fmt: skip
"""The bounds of the buckets that Envoy has unless it is told of others."""
_SIGN = re.compile(r"[^a-zA-Z0-9_]")
_KINDS = {MetricType.COUNTER: "counter", MetricType.GAUGE: "gauge", MetricType.HISTOGRAM: "histogram"}
Note = Callable[[str], object]


@dataclass(slots=True)
class Metric:
    """One metric."""

    type: MetricType
    name: str
    value: int = 0
    """Of a histogram, the sum."""
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    """How many samples fell into each bucket, the last for what is above all."""


def metrics(told: Iterable[Header | Found | Over]) -> dict[tuple[MetricType, str], Metric]:
    """The metrics at the end of a trace, in the order in which they were defined."""
    found: dict[tuple[MetricType, str], Metric] = {}
    known: dict[tuple[str, int], Metric] = {}
    for each in told:
        if (
            isinstance(each, Found)
            and each.row.kind is Kind.HOST_CALL
            and each.row.entered.function.name in _TOLD
        ):
            entered, ended = each.row.entered, each.row.ended
            if isinstance(ended, Left) and not ended.result:
                if entered.function.name == "proxy_define_metric":
                    type, name = entered.args[0], str(entered.args[1])
                    if ended.values and isinstance(type, MetricType):
                        metric = found.setdefault((type, name), Metric(type, name))
                        known[entered.vm, ended.values[0]] = metric
                else:
                    _change(entered, known)
    return found


_TOLD = ("proxy_define_metric", "proxy_increment_metric", "proxy_record_metric")


def _change(entered: Entered, known: dict[tuple[str, int], Metric]) -> None:
    id, amount = entered.args
    metric = known.get((entered.vm, id))
    if metric is None:  # defined before the trace begins
        type = MetricType(id % STEP) if id % STEP in set(MetricType) else MetricType.COUNTER
        metric = known.setdefault((entered.vm, id), Metric(type, ""))
    if metric.type is MetricType.HISTOGRAM:
        metric.value += amount
        metric.counts[bisect_left(BUCKETS, amount)] += 1
    elif metric.type is MetricType.GAUGE and entered.function.name == "proxy_record_metric":
        metric.value = amount
    else:
        metric.value = (metric.value + amount) & U64


def write_prometheus(
    told: Iterable[Header | Found | Over], write: Callable[[str], object], note: Note = lambda text: None
) -> None:
    """Write the metrics of a trace; `note` is told of those that Prometheus cannot have."""
    shown: dict[str, Metric] = {}
    for metric in metrics(told).values():
        name = _SIGN.sub("_", metric.name)
        if not name or name[0].isdigit():
            note(
                f"the metric `{printable(metric.name)}` is left out, as by Envoy: Prometheus has no such name"
            )
        elif name in shown:
            note(f"the metric `{printable(metric.name)}` is left out: another one is called `{name}`, too")
        else:
            shown[name] = metric
    for name, metric in sorted(shown.items(), key=lambda each: (each[1].type, each[0])):
        write("\n".join([f"# TYPE {name} {_KINDS[metric.type]}", *_samples(name, metric)]) + "\n")


def _samples(name: str, metric: Metric) -> Iterator[str]:
    if metric.type is not MetricType.HISTOGRAM:
        yield f"{name}{{}} {metric.value}"
        return
    count = 0
    for bound, more in zip((*map(_number, BUCKETS), "+Inf"), metric.counts, strict=True):
        count += more
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum{{}} {metric.value}"
    yield f"{name}_count{{}} {count}"


def _number(value: float) -> str:
    return f"{value:g}" if value < 1 else str(int(value))
