"""A value of JSON with each of its parts replaced by something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_OTHERS: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", "x", " x", "é", "\ud800", "a\nb", [], {},
    ["ab"], [["A", "b"]], [["a"]], [["a", 1]],
    [{"name": "A", "value": "b"}], [{"name": "a"}], [{"name": ":x", "value": ""}], "HEAD", "base64", 204, "TLS 1.2",
)  # fmt: skip


def changed(value: Any) -> Iterator[Any]:
    """Each part replaced by others, one part at a time, left out, or joined by one that is not known."""
    yield from _OTHERS
    if isinstance(value, dict):
        yield value | {"unknown": 1}
        for key, part in value.items():
            yield {name: kept for name, kept in value.items() if name != key}
            yield from (value | {key: other} for other in changed(part))
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in changed(part))
