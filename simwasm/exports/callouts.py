"""Callouts that are under way: from the call that sends one to the callback that brings its answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from simwasm.exports.timeline import Block
from simwasm.trace.event import Left
from simwasm.trace.rows import Row

_SENDS = ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")
_ANSWERS = ("proxy_on_http_call_response", "proxy_on_grpc_close", "proxy_on_grpc_receive")
"""The callbacks that end one."""


class Callout(NamedTuple):
    """One callout, ended."""

    sent: Row
    answered: Row
    exchange: int
    start: int
    end: int

    @property
    def failed(self) -> bool:
        """Whether there was no answer."""
        return bool(argument(self.answered, "num_headers") == 0)


class Callouts:
    """Those of a trace, as far as it was read."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], tuple[Row, int, int]] = {}

    def ended(self, block: Block) -> Callout | None:
        """The callout that a callback ends; those that it sends are kept in mind."""
        row = block.whole.row
        found = None
        if row.entered.function.name in _ANSWERS:
            sent = self._open.pop((row.entered.vm, argument(row, "call_id")), None)
            if sent is not None:
                found = Callout(sent[0], row, sent[2] or block.exchange, sent[1], block.whole.start)
        for each in block.whole.all():
            call = each.row
            if (
                call.entered.function.name in _SENDS
                and isinstance(call.ended, Left)
                and not call.ended.result
            ):
                key = call.entered.vm, call.ended.values[0] if call.ended.values else -1
                self._open[key] = call, each.start, block.exchange
        return found


def argument(row: Row, name: str) -> Any:
    """What a call has for a parameter; None if it has none of that name."""
    for param, value in zip(row.entered.function.inputs, row.entered.args, strict=False):
        if param.name == name:
            return value
    return None
