"""Where a breakpoint stops: what was typed, understood.

    on_request_headers          get_header map:req          trap            status!=OK or ret:Pause
    memory:0x2f40+16            memory:0x2f40..0x2f58 vm:auth               memory:0x2f40
    at:0x1a4f                   src/lib.rs:48           function:alloc      instruction:memory.grow

A function's name may stand alone; a text to look for needs quotes here. Rule: a range of memory, and a place in code,
cannot be read off the tape, so they are only described here, and whoever runs the plugin says where they are come by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from simwasm.debug.code_places import CodePlace, code_place
from simwasm.debug.conditions import Trigger
from simwasm.debug.expressions import Expression
from simwasm.debug.expressions import parse as parse_expression
from simwasm.errors import ExpressionError
from simwasm.trace.query.compiled import Query, compile, of_tree
from simwasm.trace.query.names import functions, nearest, spellings
from simwasm.trace.query.syntax import All, Any, Comparison, Node, Not, QueryError, Text, parse
from simwasm.trace.query.terms import known, term

_MEMORY = re.compile(
    r"memory:\s*(?P<at>0x[0-9a-f]+|\d+)(?:\s*(?P<sign>\+|\.\.)\s*(?P<to>0x[0-9a-f]+|\d+))?"
    r"(?:\s+vm:(?P<vm>\S+))?\s*",
    re.I,
)
_MOST = 1 << 32


@dataclass(frozen=True, slots=True)
class MemoryRange:
    """Bytes of a plugin's memory; of any plugin's, if none is named."""

    at: int
    size: int
    vm: str = ""

    def __str__(self) -> str:
        return f"memory:0x{self.at:x}+{self.size}" + (f" vm:{self.vm}" if self.vm else "")


@dataclass(frozen=True, slots=True)
class Where:
    """A place to stop, understood: bytes that are written, a place in code, or queries one of which fits."""

    memory: MemoryRange | None
    queries: tuple[Query, ...] = ()
    condition: Query | None = None
    code: CodePlace | None = None
    expression: Expression | None = None
    """In code: what must be true where one stands."""

    def trigger(self, *, ends: bool) -> Trigger:
        """When it is so; `ends` waits for every call to end."""
        return Trigger(self.queries, ends=ends)


@lru_cache(maxsize=1024)
def understand(where: str, condition: str = "") -> Where:
    """What was typed; a `QueryError` if it means nothing."""
    code = code_place(where)
    if code is not None:
        return Where(None, code=code, expression=_expression(condition))
    only_if = compile(condition) if condition.strip() else None
    if where.lstrip().lower().startswith("memory:"):
        return Where(_memory(where.strip()), condition=only_if)
    node = _with_functions(parse(where))
    if node == All():
        raise QueryError("a breakpoint needs a place: `on_request_headers`, `trap`, `status!=OK`, …", 0)
    queries = of_tree(node).alternatives
    if only_if is not None:
        queries = tuple(of_tree(All((query.node, only_if.node))) for query in queries)
    return Where(None, queries, only_if)


class _AnyName:
    """Nobody knows before what the source calls its variables."""

    def __contains__(self, name: object) -> bool:
        return True


def _expression(text: str) -> Expression | None:
    try:
        return parse_expression(text, names=_AnyName()) if text.strip() else None
    except ExpressionError as error:
        raise QueryError(str(error), error.position) from None


def _memory(text: str) -> MemoryRange:
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise QueryError("a range of memory is `memory:0x2f40+16` or `memory:0x2f40..0x2f58`", 0)
    at = int(found["at"][:20], 0 if found["at"][:2].lower() == "0x" else 10)
    to = int(found["to"][:20], 0 if found["to"][:2].lower() == "0x" else 10) if found["to"] else 1
    size = to if found["sign"] != ".." else to - at
    if size <= 0 or at + size > _MOST:
        raise QueryError(f"`{text}` is no range of a memory: it has {size:,} bytes from 0x{at:x} on", 0)
    return MemoryRange(at, size, found["vm"] or "")


def _with_functions(node: Node) -> Node:
    """A word without quotes is the name of a function."""
    if isinstance(node, Text) and not node.quoted:
        return _function(node)
    if isinstance(node, Not):
        return Not(_with_functions(node.inner))
    if isinstance(node, (All, Any)):
        return type(node)(tuple(map(_with_functions, node.parts)))
    return node


def _function(word: Text) -> Node:
    found = term(word.text)
    if found is not None and found.bare:
        return word
    if not functions(word.text):
        hint = nearest(word.text, (*known(), *spellings())) or "; `simwasm abi` lists them"
        raise QueryError(
            f'the ABI has no function `{word.text}`{hint}. To stop where a text is, put it in quotes: "{word.text}"',
            word.position,
        )
    return Comparison("call", ":", word.text, word.position, word.position)
