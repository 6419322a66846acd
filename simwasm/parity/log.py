"""Envoy's log as records, and the ABI crossings that `wasm:trace` writes into it.

    [host->vm] proxy_on_request_headers(2, 8, 1)           the host calls the plugin
    [vm->host] env.proxy_get_property(1024, 9, 2000, 2004) the plugin calls the host
    [vm<-host] env.proxy_get_property return: 0
    [host<-vm] proxy_on_request_headers return: 0

Words are unsigned. A call that trapped has no closing line: `Function: NAME failed: …` stands for it and for
everything still open above it. Lines do not name the VM: on one thread all plugins of a chain look alike.

The log is written with `FORMAT`, whose JSON escapes keep one record on one line whatever a plugin logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from simwasm.exchange import to_text

FORMAT = "%t|%l|%n|%j"

_LINE = re.compile(r"(\d+)\|(\w+)\|(\w+)\|(.*)")
_CALL = re.compile(r"\[(host->vm|vm->host)\] (?:(\w+)\.)?([^(]+)\((.*)\)")
_RETURN = re.compile(r"\[(?:host<-vm|vm<-host)\] (?:(\w+)\.)?(\S+) return: (\S+)")
_TRAP = re.compile(r"Function: (\S+) failed: (.*)", re.DOTALL)
_PLUGIN_LOG = re.compile(r"wasm log(?: (.*?))?: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of Envoy's log."""

    thread: int
    level: str
    component: str
    text: str

    def __str__(self) -> str:
        return f"[{self.level}][{self.component}] {self.text}"


class Direction(str, Enum):
    """Who calls whom."""

    TO_PLUGIN = "host->vm"
    TO_HOST = "vm->host"


@dataclass(frozen=True, slots=True)
class Crossing:
    """One call across the ABI, in the order in which the calls began."""

    direction: Direction
    module: str
    """The import's module; empty for exports."""
    function: str
    words: tuple[int, ...]
    result: int | None
    """None for a function without result, and for a call that did not return."""
    trap: str | None
    """V8's message when the call ended in a trap."""
    depth: int
    """How many calls are open around it."""
    thread: int

    def __str__(self) -> str:
        call = f"{'  ' * self.depth}{self.function}({', '.join(map(str, self.words))})"
        if self.trap is not None:
            return f"{call} trapped"
        return call if self.result is None else f"{call} -> {self.result}"


@dataclass(frozen=True, slots=True)
class PluginLog:
    """One line a plugin logged."""

    level: str
    source: str
    """`NAME ROOT_ID VM_ID` in a stream, `ROOT_ID VM_ID` in the root context, empty during start; no empty parts."""
    text: str
    thread: int


def parse_log(data: bytes) -> tuple[Record, ...]:
    """Read what Envoy wrote with `FORMAT`; lines that are not records, such as V8's own, are left out."""
    matches = (_LINE.fullmatch(line) for line in to_text(data).split("\n"))
    return tuple(
        Record(int(match[1]), match[2], match[3], json.loads(f'"{match[4]}"')) for match in matches if match
    )


def plugin_logs(records: Iterable[Record]) -> tuple[PluginLog, ...]:
    """Pick out what plugins logged."""
    matches = ((record, _PLUGIN_LOG.fullmatch(record.text)) for record in _wasm(records))
    return tuple(
        PluginLog(record.level, match[1] or "", match[2], record.thread) for record, match in matches if match
    )


def crossings(records: Iterable[Record]) -> tuple[Crossing, ...]:
    """Pair the calls with their returns, thread by thread; a call still open has neither result nor trap.

    What returns from a call that was made before the first record is left out.
    """
    calls: list[Crossing] = []
    stacks: dict[int, list[int]] = {}
    for record in _wasm(records):
        stack = stacks.setdefault(record.thread, [])
        if match := _CALL.fullmatch(record.text):
            calls.append(_opened(match, len(stack), record.thread))
            stack.append(len(calls) - 1)
        elif match := _RETURN.fullmatch(record.text):
            if not stack:
                continue
            at = stack.pop()
            calls[at] = replace(calls[at], result=None if match[3] == "void" else int(match[3]))
        elif match := _TRAP.fullmatch(record.text):
            _unwind(calls, stack, match[1], match[2])
    return tuple(calls)


def _wasm(records: Iterable[Record]) -> Iterator[Record]:
    return (record for record in records if record.component == "wasm")


def _opened(match: re.Match[str], depth: int, thread: int) -> Crossing:
    words = tuple(int(word) for word in match[4].split(", ") if word)
    return Crossing(Direction(match[1]), match[2] or "", match[3], words, None, None, depth, thread)


def _unwind(calls: list[Crossing], stack: list[int], function: str, message: str) -> None:
    """Close the trapped export and what it still had open."""
    while stack:
        at = stack.pop()
        calls[at] = replace(calls[at], trap=message)
        if calls[at].function == function:
            return
