"""What plugins keep in the host: metrics, shared data and queues, as a test looks at them and puts something in.

Rule: these are views; they show what is there now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from simwasm.abi.enums import MetricType
from simwasm.abi.status import Refusal
from simwasm.errors import InputError
from simwasm.exchange import to_bytes
from simwasm.host.metrics import Metric
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.host.proxy import Proxy
    from simwasm.host.shared import Queue as HostQueue


def _near(name: str, there: Mapping[str, object], what: str) -> str:
    near = get_close_matches(name, there, 1)
    if near:
        return f"; did you mean `{printable(near[0])}`?"
    return f"; there are: {printable(', '.join(there))}" if there else f"; there are no {what}"


class Metrics(Mapping[str, int]):
    """Metrics by their names: the value of a counter or gauge, the number of samples of a histogram.

    Example:
        >>> plugin = load_plugin("samples/rate_limit/plugin.wasm")
        >>> _ = plugin.send("GET", "/")
        >>> plugin.metrics["rate_limit.allowed"]
        1
    """

    def __init__(self, proxy: Callable[[], Proxy]) -> None:
        self._proxy = proxy

    def _all(self) -> dict[str, Metric]:
        return {metric.name: metric for metric in reversed(self._proxy().metrics.by_name.values())}

    def __getitem__(self, name: str) -> int:
        metric = self._metric(name)
        return len(metric.samples) if metric.type is MetricType.HISTOGRAM else metric.value

    def samples(self, name: str) -> tuple[int, ...]:
        """What a histogram was fed, in that order."""
        return tuple(self._metric(name).samples)

    def __iter__(self) -> Iterator[str]:
        return reversed(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Metrics({dict(self)!r})"

    def _metric(self, name: str) -> Metric:
        there = self._all()
        if name not in there:
            raise KeyError(f"no metric `{name}`{_near(name, there, 'metrics')}")
        return there[name]


class SharedData(Mapping[str, bytes]):
    """Shared data by its keys; a test may write it, too.

    Example:
        >>> plugin = load_plugin("samples/rate_limit/plugin.wasm")
        >>> _ = plugin.send("GET", "/")
        >>> plugin.shared_data["rate_limit.client.127.0.0.1"]
        b' 1'
    """

    def __init__(self, proxy: Callable[[], Proxy], vm_id: str) -> None:
        self._proxy = proxy
        self._vm_id = vm_id

    def _all(self) -> dict[str, bytes]:
        return {
            key: value for vm_id, key, value, _ in self._proxy().shared_data.all() if vm_id == self._vm_id
        }

    def __getitem__(self, key: str) -> bytes:
        there = self._all()
        if key not in there:
            raise KeyError(f"no shared data `{key}`{_near(key, there, 'shared data')}")
        return there[key]

    def __setitem__(self, key: str, value: bytes | str) -> None:
        given = to_bytes(value) if isinstance(value, str) else bytes(value)
        refused = self._proxy().shared_data.set(self._vm_id, key, given, 0)
        if refused is not None:
            raise InputError(f"shared_data[{key!r}]: {refused.reason}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"SharedData({dict(self)!r})"


class Queue:
    """A shared queue that the plugin has registered.

    Example:
        >>> plugin = load_plugin("jobs.wasm")
        >>> plugin.queue("jobs").put(b"one")
        >>> plugin.logs.contains("there is a job"), len(plugin.queue("jobs"))
        (True, 1)
    """

    def __init__(self, proxy: Callable[[], Proxy], vm_id: str, name: str, settle: Callable[[], None]) -> None:
        self._proxy = proxy
        self._vm_id = vm_id
        self._settle = settle
        self.name = name

    @property
    def items(self) -> tuple[bytes, ...]:
        """What is in it, the oldest first."""
        return tuple(self._queue().items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"<queue {self.name}: {len(self)} items>"

    def put(self, item: bytes | str) -> None:
        """Put an item in; the plugin is told of it."""
        given = to_bytes(item) if isinstance(item, str) else bytes(item)
        refused = self._proxy().queues.enqueue(self._queue().id, given)
        if isinstance(refused, Refusal):
            raise InputError(f"queue {self.name}: {refused.reason}")
        self._settle()

    def _queue(self) -> HostQueue:
        there = {name: queue for vm_id, name, queue in self._proxy().queues.all() if vm_id == self._vm_id}
        if self.name not in there:
            raise InputError(f"the plugin has no queue `{self.name}`{_near(self.name, there, 'queues')}")
        return there[self.name]
