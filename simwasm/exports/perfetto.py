"""A trace for Perfetto's and Chrome's viewers: JSON in the Trace Event Format.

    exchange    a track, with a slice for all of it      callback    a slice in it
    host call   a slice in the callback                  log line    an instant
    callout     an asynchronous slice, from the call that sent it to its answer

What belongs to no exchange, such as the start of the plugin, is on a track of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from simwasm.exports.callouts import Callout, Callouts
from simwasm.exports.timeline import Block, Slice, Timeline
from simwasm.exports.values import args, dumps, text
from simwasm.trace.parse import Header
from simwasm.trace.query.grades import level_of, message_of
from simwasm.trace.rows import Row
from simwasm.trace.scan import Found, Over
from simwasm.trace.text import value_text

_PROCESS = 1
_PLUGIN = 0
"""The track of what belongs to no exchange."""


def write_perfetto(told: Iterable[Header | Found | Over], write: Callable[[str], object]) -> None:
    """Write what is told of a trace."""
    _Perfetto(write).all(told)


class _Perfetto:
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._between = ""
        self._timeline = Timeline()
        self._callouts = Callouts()
        self._began: set[int] = set()
        """The exchanges that run."""

    def all(self, told: Iterable[Header | Found | Over]) -> None:
        self._write('{"traceEvents":[\n')
        header = None
        for each in self._timeline.blocks(told):
            if isinstance(each, Header):
                header = each
                self._begin(header)
            elif isinstance(each, Over):
                self._over(each)
            else:
                self._block(each)
        for exchange in sorted(self._began):
            self._whole(exchange, f"#{exchange} (never ended)", {})
        about = {"clock": self._timeline.rule, **_about(header)}
        self._write(f'\n],"displayTimeUnit":"ns","otherData":{dumps(about)}}}\n')

    def _event(self, **event: Any) -> None:
        self._write(self._between + dumps({"pid": _PROCESS, **event}))
        self._between = ",\n"

    def _begin(self, header: Header) -> None:
        name = " + ".join(text(made.name) for made in header.plugins) or "?"
        self._event(ph="M", name="process_name", tid=_PLUGIN, args={"name": f"simwasm: {name}"})
        self._track(_PLUGIN, "the plugin itself")

    def _track(self, number: int, name: str) -> None:
        self._event(ph="M", name="thread_name", tid=number, args={"name": name})
        self._event(ph="M", name="thread_sort_index", tid=number, args={"sort_index": number})

    def _block(self, block: Block) -> None:
        track = block.exchange
        if track and track not in self._began:
            self._began.add(track)
            # It comes before what is in it: of slices that begin together the first is taken for the outer one.
            self._event(
                ph="B", tid=track, ts=_micros(block.whole.start), name=f"exchange {track}", cat="exchange"
            )
        if (callout := self._callouts.ended(block)) is not None:
            self._callout(callout)
        for slice in block.whole.all():
            if (line := message_of(slice.row.entered)) is not None:
                self._log(slice, track, line)
            self._slice(slice, track)

    def _slice(self, slice: Slice, track: int) -> None:
        row = slice.row
        self._event(
            ph="X", tid=track, ts=_micros(slice.start), dur=_micros(slice.end - slice.start),
            name=row.entered.function.name, cat=row.entered.function.side.value,
            args={"row": row.index + 1, "plugin": text(row.entered.vm), "context": row.entered.context, **args(row)},
        )  # fmt: skip

    def _log(self, slice: Slice, track: int, line: str | bytes) -> None:
        level = level_of(slice.row.entered)
        name = f"{level.name if level is not None else '?'}: {value_text(line)[1:-1]}"
        self._event(ph="i", s="t", tid=track, ts=_micros(slice.start), name=name, cat="log")

    def _callout(self, callout: Callout) -> None:
        row = callout.sent
        told = {"id": f"{callout.sent.position}", "cat": "callout", "tid": callout.exchange}
        name = f"callout {_cluster(row)}"
        self._event(ph="b", ts=_micros(callout.start), name=name, args=args(row), **told)
        failed = {"failed": True} if callout.failed else {}
        self._event(ph="e", ts=_micros(callout.end), name=name, args=failed, **told)

    def _over(self, over: Over) -> None:
        ending = over.ending
        became = ending.status if ending.status is not None else ending.reset or "no answer"
        told = {"status": ending.status, "local_reply": ending.local_reply, "details": text(ending.details),
                "reset": text(ending.reset), "waiting": text(ending.waiting)}  # fmt: skip
        name = f"#{over.exchange} {text(ending.name)} → {text(became)}"
        self._whole(
            over.exchange, name, {key: value for key, value in told.items() if value not in (None, "")}
        )

    def _whole(self, exchange: int, name: str, told: dict[str, Any]) -> None:
        self._track(exchange, name)
        if exchange in self._began:
            self._began.remove(exchange)
            self._event(ph="E", tid=exchange, ts=_micros(self._timeline.now), args=told)


def _about(header: Header | None) -> dict[str, Any]:
    if header is None:
        return {}
    return {"profile": text(header.profile), "seed": header.seed, "started_ns": str(header.started_ns)}


def _cluster(row: Row) -> str:
    value = row.entered.args[0]
    return text(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value)


def _micros(nanoseconds: int) -> float:
    return nanoseconds / 1_000
