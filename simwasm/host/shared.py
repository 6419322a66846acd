"""Shared data and queues, keyed by vm_id, as one process's workers share them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal

Notify = Callable[[int], None]


LARGEST = 1 << 28
"""How many bytes plugins may share, in data and in queues each, so that one without end does not take all memory."""


class SharedData:
    """Values by (vm_id, key), each with a number that every write changes."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], tuple[bytes, int]] = {}
        self._cas = count(1)
        self._size = 0

    def get(self, vm_id: str, key: str) -> tuple[bytes, int] | None:
        return self._values.get((vm_id, key))

    def all(self) -> list[tuple[str, str, bytes, int]]:
        """Everything shared: vm_id, key, value and its number."""
        return [(vm_id, key, value, cas) for (vm_id, key), (value, cas) in self._values.items()]

    def set(self, vm_id: str, key: str, value: bytes, cas: int) -> Refusal | None:
        """Write; with a CAS number only if it is still the value's."""
        found = self._values.get((vm_id, key))
        size = self._size + len(key) + len(value) - (len(key) + len(found[0]) if found else 0)
        if size > LARGEST:
            return Refusal(
                Status.INTERNAL_FAILURE, f"{size:,} bytes are more than may be shared here ({LARGEST:,})"
            )
        if found and cas and cas != found[1]:
            return Refusal(
                Status.CAS_MISMATCH,
                f"cas: `{key}` was written since it was read: its number is {found[1]}, not {cas}",
            )
        self._size = size
        self._values[vm_id, key] = (value, next(self._cas))
        return None


@dataclass(slots=True)
class Queue:
    """One queue: who is told of its items, and the items."""

    id: int
    notify: Notify
    items: deque[bytes] = field(default_factory=deque)


class Queues:
    """Queues by number, found by (vm_id, name)."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], Queue] = {}
        self._by_id: dict[int, Queue] = {}
        self._ids = count(1)
        self._size = 0

    def register(self, vm_id: str, name: str, notify: Notify) -> int:
        """Create a queue, or take over the notices of one that exists."""
        queue = self._by_name.get((vm_id, name))
        if queue is None:
            queue = Queue(next(self._ids), notify)
            self._by_name[vm_id, name] = self._by_id[queue.id] = queue
        queue.notify = notify
        return queue.id

    def all(self) -> list[tuple[str, str, Queue]]:
        """Every queue with its vm_id and name."""
        return [(vm_id, name, queue) for (vm_id, name), queue in self._by_name.items()]

    def resolve(self, vm_id: str, name: str) -> int | Refusal:
        queue = self._by_name.get((vm_id, name))
        if queue is None:
            return Refusal(Status.NOT_FOUND, f"vm_id `{vm_id}` has registered no queue `{name}`")
        return queue.id

    def enqueue(self, id: int, item: bytes) -> Refusal | None:
        queue = self._by_id.get(id)
        if queue is None:
            return Refusal(Status.NOT_FOUND, f"there is no queue {id}")
        if self._size + len(item) > LARGEST:
            return Refusal(
                Status.INTERNAL_FAILURE, f"the queues hold {self._size:,} bytes, and may hold {LARGEST:,}"
            )
        self._size += len(item)
        queue.items.append(item)
        queue.notify(id)
        return None

    def dequeue(self, id: int) -> bytes | Refusal:
        queue = self._by_id.get(id)
        if queue is None:
            return Refusal(Status.NOT_FOUND, f"there is no queue {id}")
        if not queue.items:
            return Refusal(Status.EMPTY, f"queue {id} has no items")
        item = queue.items.popleft()
        self._size -= len(item)
        return item
