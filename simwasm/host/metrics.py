"""Metrics by number: counters 4, 8, …; gauges 5, 9, …; histograms 6, 10, …; the same name is the same statistic."""

from __future__ import annotations

from dataclasses import dataclass, field

from simwasm.abi.enums import MetricType, Status
from simwasm.abi.status import Refusal

STEP = 4
U64 = (1 << 64) - 1


@dataclass(slots=True)
class Metric:
    """One statistic; a histogram keeps what it was fed."""

    type: MetricType
    name: str
    value: int = 0
    samples: list[int] = field(default_factory=list)


class Metrics:
    """The statistics of a process, and the numbers one VM knows them by."""

    def __init__(self) -> None:
        self.by_name: dict[tuple[MetricType, str], Metric] = {}
        self.events: dict[str, int] = {}
        """The host's own counters, which plugins cannot see, by their full names."""

    def find(self, type: MetricType, name: str) -> Metric:
        return self.by_name.setdefault((type, name), Metric(type, name))

    def happened(self, plugin: str, what: str) -> None:
        """Count something that the host did for a plugin."""
        name = f"wasm.{plugin}.{what}"
        self.events[name] = self.events.get(name, 0) + 1


class MetricIds:
    """What a VM's metric numbers mean."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._by_id: dict[int, Metric] = {}
        self._defined = dict.fromkeys(MetricType, 0)

    def define(self, type: MetricType, name: str) -> int:
        self._defined[type] += 1
        id = STEP * self._defined[type] + int(type)
        self._by_id[id] = self._metrics.find(type, name)
        return id

    def all(self) -> list[tuple[int, Metric]]:
        """What this VM has defined, by number."""
        return list(self._by_id.items())

    def _get(self, id: int) -> Metric:
        metric = self._by_id.get(id)
        if metric is None:
            raise Refusal(Status.NOT_FOUND, f"there is no metric {id}")
        return metric

    def _single(self, id: int) -> Metric:
        """The counter or gauge of a number, which says by itself what kind it is of."""
        if id % STEP == MetricType.HISTOGRAM:
            raise Refusal(
                Status.BAD_ARGUMENT, f"{id} is a histogram, which has no single value: record one instead"
            )
        if id % STEP not in self._defined:
            raise Refusal(Status.BAD_ARGUMENT, f"{id} is no metric's number: they are 4, 5, 6, 8, 9, 10, …")
        return self._get(id)

    def increment(self, id: int, delta: int) -> None:
        """Add to a counter (more than 0) or a gauge (negative subtracts)."""
        metric = self._single(id)
        if metric.type is MetricType.COUNTER and delta <= 0:
            raise Refusal(Status.BAD_ARGUMENT, f"`{metric.name}` is a counter: it cannot change by {delta}")
        metric.value = (metric.value + delta) & U64

    def record(self, id: int, value: int) -> None:
        """Set a gauge, feed a histogram; a counter is added to."""
        metric = self._get(id)
        if metric.type is MetricType.HISTOGRAM:
            metric.samples.append(value)
        elif metric.type is MetricType.GAUGE:
            metric.value = value
        else:
            metric.value = (metric.value + value) & U64

    def get(self, id: int) -> int:
        return self._single(id).value
