"""Events of the lines of a trace, each line already parsed as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simwasm.abi.table import Abi
from simwasm.trace.event import Entered, Event, Left, Trapped
from simwasm.trace.formats import Converter
from simwasm.trace.parse import (
    Ending,
    Header,
    Wrong,
    args_of,
    content_of,
    ending_of,
    function_of,
    result_of,
    trap_of,
    values_of,
)
from simwasm.trace.vm_names import plugin_of


class Decoder:
    """Knows the plugins of a trace, and so which row of the ABI's table a name means."""

    def __init__(self, header: Header) -> None:
        self._started = header.started_ns
        self._plugins = header.plugins
        self._abis: dict[str, Abi | None] = {}
        """The ABI of each VM there was, by its name; None where no plugin is known that it could run."""
        self.only = header.plugins[0].name if header.plugins else ""
        """The plugin of calls that name none."""

    def at(self, content: dict[str, Any]) -> int | None:
        """When a call was made; None if its line does not say: then the callback around it does, to the instant."""
        if "at" not in content:
            return None
        at = content["at"]
        if type(at) is not int:
            raise Wrong("has an `at` that is no number")
        return self._started + at

    def entered(self, content: dict[str, Any], position: int, at: int | None) -> Entered:
        """The call that begins on a line."""
        vm, name, context = content.get("plugin", self.only), content.get("call"), content.get("context", 0)
        abi = self._abi(vm) if isinstance(vm, str) else None
        if abi is None:
            raise Wrong("has a call of a plugin that the first line does not name")
        if not isinstance(name, str) or type(context) is not int:
            raise Wrong("has a `call` that is no text, or a `context` that is no number")
        function = function_of(name, abi)
        time = self._started if at is None else at
        return Entered(position, time, vm, context, function, args_of(function, content), ())

    def _abi(self, vm: str) -> Abi | None:
        if vm not in self._abis:
            place = plugin_of(vm, [made.name for made in self._plugins])
            self._abis[vm] = None if place is None else self._plugins[place].abi
        return self._abis[vm]

    def ended(self, content: dict[str, Any], position: int, entered: Entered) -> Left | Trapped:
        """How a call ended, from the line that tells it."""
        if "trap" in content:
            return Trapped(position, entered.seq, trap_of(content["trap"]))
        function, reason = entered.function, content.get("reason", "")
        if not isinstance(reason, str):
            raise Wrong("has a `reason` that is no text")
        result = result_of(function, content.get("result"))
        return Left(position, entered.seq, result, values_of(function, content), reason)


class Replay:
    """Gives the events of lines in their order."""

    def __init__(self, decoder: Decoder, convert: Converter) -> None:
        self._decoder = decoder
        self._convert = convert
        self._position = 0
        self._around: list[Entered] = []

    def line(self, line: bytes) -> Iterator[Event | Ending]:
        """What happened on the next line."""
        content = self._convert(content_of(line)) if line.strip() else {}
        if "outcome" in content:
            yield ending_of(content["outcome"])
        if "call" in content:
            at = self._decoder.at(content)
            if at is None and self._around:
                at = self._around[-1].at
            self._position += 1
            self._around.append(self._decoder.entered(content, self._position, at))
            yield self._around[-1]
        if "result" in content or "trap" in content:
            self._position += 1
            yield self._decoder.ended(content, self._position, self._around.pop())
