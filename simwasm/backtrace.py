"""Frames of a plugin with the lines of source they stand at.

    handle_request at src/lib.rs:48 (inlined)
    on_http_request_headers at src/lib.rs:31 (func 12, offset 0x177cf)

Rule: reading debug information takes a while, so nothing of it is read before there is a frame to be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from simwasm.errors import Frame
from simwasm.plugin import Plugin
from simwasm.trace.vm_names import plugin_of

_MOST_INLINED = 16


def told(plugin: Plugin, frames: Iterable[Frame]) -> tuple[str, ...]:
    """The frames, each behind what is inlined where it stands; innermost first."""
    return tuple(line for frame in frames for line in _frame(plugin, frame))


class Backtraces:
    """The frames of the plugins of a run, by the VM they happened in."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self._plugins = tuple(plugins)
        self._names = [plugin.name for plugin in plugins]

    def __call__(self, vm: str, frames: Iterable[Frame]) -> tuple[str, ...]:
        """The frames of a trap in that VM."""
        found = plugin_of(vm, self._names)
        if found is None or not self._plugins[found].wasm:  # of a trace, only the plugins' names may be known
            return tuple(map(str, frames))
        return told(self._plugins[found], frames)


def _frame(plugin: Plugin, frame: Frame) -> Iterator[str]:
    place = plugin.lines.at(frame.offset)
    if place is None:
        yield str(frame)
        return
    at: object = place
    for each in plugin.lines.inlined(frame.offset)[:_MOST_INLINED]:
        yield f"{each.name} at {at} (inlined)"
        at = each.called or "?"
    yield f"{frame.name} at {at} (func {frame.function}, offset 0x{frame.offset:x})"
