"""Which functions' rows a query can mean at all, found out without a row: so a long file need not be read in full.

Rule: a part of the query that asks for anything but the function is taken for possible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.abi.table import FUNCTIONS, Function
from simwasm.trace.query.compiled import Query, of_tree
from simwasm.trace.query.syntax import All, Node, Not
from simwasm.trace.query.syntax import Any as Either

_Judge = Callable[[Function], "bool | None"]


class _Unknown(Exception):
    """The answer needs more than the function."""


class _Call:
    """Stands for a call of which only the function is known."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def __getattr__(self, name: str) -> Any:
        raise _Unknown


class _Row:
    """Stands for a row with such a call."""

    def __init__(self, function: Function) -> None:
        self.entered = _Call(function)

    def __getattr__(self, name: str) -> Any:
        raise _Unknown


def possible(query: Query) -> frozenset[str]:
    """The names of the functions whose rows may be meant."""
    judge = _judge(query.node)
    return frozenset(function.name for function in FUNCTIONS if judge(function) is not False)


def _judge(node: Node) -> _Judge:
    """Says of a function whether its rows are meant: all, none, or some (None)."""
    if isinstance(node, Not):
        inner = _judge(node.inner)
        return lambda function: None if (found := inner(function)) is None else not found
    if isinstance(node, (All, Either)):
        parts = [_judge(part) for part in node.parts]
        decisive = isinstance(node, Either)

        def joined(function: Function) -> bool | None:
            found = [part(function) for part in parts]
            return decisive if decisive in found else None if None in found else not decisive

        return joined
    test: Callable[[Any], object] = of_tree(node).test

    def judged(function: Function) -> bool | None:
        try:
            return bool(test(_Row(function)))
        except _Unknown:
            return None

    return judged
