"""Where the instructions of callbacks went: by function, by line of source, as a tree of calls.

It is counted from what callbacks ran, so it is exact and the same every time. Rules: what a function runs itself is
its own, and with all that it calls it is its all; a function that calls itself counts the outermost call only.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simwasm.debug.code import Code
from simwasm.debug.instants import Instants

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_PLACES = frozenset({"end", "else"})
_LEAST = 0.005
"""What is a smaller part of the whole is left out of a tree."""


class Share(NamedTuple):
    """What a function took."""

    function: int
    name: str
    calls: int
    own: int
    all: int
    run: int
    """How many different instructions of it were run, …"""
    size: int
    """… of how many."""


class LineShare(NamedTuple):
    """What a line of source took."""

    file: str
    line: int
    own: int


@dataclass(slots=True)
class Node:
    """A function as it was called from another."""

    function: int
    own: int = 0
    calls: int = 0
    all: int = 0
    """With all that it calls."""
    children: dict[int, Node] = field(default_factory=dict)

    def child(self, function: int) -> Node:
        """What it calls."""
        return self.children.setdefault(function, Node(function))


@dataclass(frozen=True, slots=True)
class Profile:
    """What callbacks took."""

    code: Code
    total: int
    functions: tuple[Share, ...]
    """The dearest first."""
    lines: tuple[LineShare, ...]
    tree: Node
    """What is called from outside is under it."""
    counts: Counter[int]
    """How often each instruction was run, by its offset: the coverage."""

    @property
    def covered(self) -> float:
        """How much of the code of its functions was run."""
        size = sum(each.size for each in self.functions)
        return sum(each.run for each in self.functions) / size if size else 0.0


class Tally:
    """Adds up what callbacks of one plugin ran."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._tree = Node(-1)
        self._counts: Counter[int] = Counter()

    def add(self, instants: Instants) -> None:
        """Count a callback, as far as it is kept."""
        self._counts.update(instants.offsets)
        for node, _, _ in _walk(instants, self._tree):
            node.own += 1

    def profile(self) -> Profile:
        """What there is until now."""
        code, counts, tree = self._code, self._counts, self._tree
        _sum(tree)
        functions, lines = _functions(code, counts, tree), _lines(code, counts)
        return Profile(code, sum(counts.values()), tuple(functions), tuple(lines), tree, counts)


def profile(instants: Instants) -> Profile:
    """Count what one callback ran, as far as it is kept."""
    found = Tally(instants.code)
    found.add(instants)
    return found.profile()


def _walk(instants: Instants, tree: Node) -> Iterator[tuple[Node, int, int]]:
    """The node of each instruction, how deep it is among nodes, and how many of those around it are still the same."""
    code = instants.code
    functions: dict[int, int] = {}
    open_nodes, open_depths = [tree], [0]
    for offset, depth in zip(instants.offsets, instants.depths, strict=True):
        function = functions.get(offset)
        if function is None:
            function = functions[offset] = code.function_at(offset)
        kept = len(open_nodes)
        while open_depths[-1] > depth or (open_depths[-1] == depth and open_nodes[-1].function != function):
            open_nodes.pop()
            open_depths.pop()
            kept -= 1
        if open_depths[-1] < depth:
            node = open_nodes[-1].child(function)
            node.calls += 1
            open_nodes.append(node)
            open_depths.append(depth)
        yield open_nodes[-1], len(open_nodes), kept


def _sum(tree: Node) -> None:
    """Count with each node what is under it."""
    nodes = [tree]
    for node in nodes:
        nodes += node.children.values()
    for node in reversed(nodes):
        node.all = node.own + sum(child.all for child in node.children.values())


def _functions(code: Code, counts: Counter[int], tree: Node) -> list[Share]:
    run: Counter[int] = Counter(code.function_at(offset) for offset in counts if _happens(code, offset))
    own: Counter[int] = Counter()
    calls: Counter[int] = Counter()
    every: Counter[int] = Counter()
    waiting: list[tuple[Node, frozenset[int]]] = [(child, frozenset()) for child in tree.children.values()]
    while waiting:
        node, around = waiting.pop()
        own[node.function] += node.own
        calls[node.function] += node.calls
        if node.function not in around:
            every[node.function] += node.all
        within = around | {node.function}
        waiting += [(child, within) for child in node.children.values()]
    return [
        Share(
            each,
            code.name(each),
            calls[each],
            own[each],
            every[each],
            run[each],
            _size(code, each),
        )
        for each, _ in own.most_common()
    ]


def _size(code: Code, function: int) -> int:
    """How many instructions there are that happen."""
    return sum(each.opcode.name not in _PLACES for each in code.instructions(function).values())


def _happens(code: Code, offset: int) -> bool:
    """Whether something happens at an instruction: the end of a block and `else` are only places."""
    found = code.instruction(offset)
    return found is not None and found.opcode.name not in _PLACES


def _lines(code: Code, counts: Counter[int]) -> list[LineShare]:
    found: Counter[tuple[str, int]] = Counter()
    if code.lines.there:
        for offset, count in counts.items():
            place = code.place(offset)
            if place is not None:
                found[place.file, place.line] += count
    return [LineShare(file, line, own) for (file, line), own in found.most_common()]


def flame(found: Profile, least: float = _LEAST) -> Iterator[tuple[int, Node, float]]:
    """The tree of calls, outermost first, each with its depth and its part of the whole; small parts are left out."""
    waiting = [(0, node) for node in _dearest_last(found.tree)]
    while waiting:
        depth, node = waiting.pop()
        part = node.all / max(found.total, 1)
        if part >= least:
            yield depth, node, part
            waiting += [(depth + 1, child) for child in _dearest_last(node)]


def _dearest_last(node: Node) -> list[Node]:
    return sorted(node.children.values(), key=lambda child: child.all)


def speedscope_sums(named: Sequence[tuple[str, Profile]]) -> str:
    """Sums of calls, as speedscope.app reads them: a profile for each; one unit is one instruction."""
    frames: dict[str, int] = {}
    return _speedscope(frames, [_sampled(name, found, frames) for name, found in named])


def _sampled(name: str, found: Profile, frames: dict[str, int]) -> dict[str, Any]:
    """Each function of the tree that ran something of its own is a sample, as heavy as that."""
    samples: list[list[int]] = []
    weights: list[int] = []
    waiting: list[tuple[Node, list[int]]] = [(child, []) for child in _dearest_last(found.tree)]
    while waiting:
        node, around = waiting.pop()
        stack = [*around, frames.setdefault(found.code.name(node.function), len(frames))]
        if node.own:
            samples.append(stack)
            weights.append(node.own)
        waiting += [(child, stack) for child in _dearest_last(node)]
    return {"type": "sampled", "name": name, "unit": "none", "startValue": 0, "endValue": sum(weights),
            "samples": samples, "weights": weights}  # fmt: skip


def _speedscope(frames: Iterable[str], profiles: list[dict[str, Any]]) -> str:
    shared = {"frames": [{"name": name} for name in frames]}
    return json.dumps({"$schema": _SCHEMA, "shared": shared, "profiles": profiles, "exporter": "simwasm"})


def speedscope(instants: Instants, name: str) -> str:
    """One callback over time, as speedscope.app reads it; one unit is one instruction."""
    code, frames, events = instants.code, dict[int, int](), list[dict[str, Any]]()
    open_frames: list[int] = []
    at = 0
    for node, depth, kept in _walk(instants, Node(-1)):
        _close(events, open_frames, kept - 1, at)
        if depth - 1 > len(open_frames):
            frame = frames.setdefault(node.function, len(frames))
            open_frames.append(frame)
            events.append({"type": "O", "frame": frame, "at": at})
        at += 1
    _close(events, open_frames, 0, at)
    run = {"type": "evented", "name": name, "unit": "none", "startValue": 0, "endValue": at, "events": events}
    return _speedscope(map(code.name, frames), [run])


def _close(events: list[dict[str, Any]], open_frames: list[int], height: int, at: int) -> None:
    while len(open_frames) > height:
        events.append({"type": "C", "frame": open_frames.pop(), "at": at})
