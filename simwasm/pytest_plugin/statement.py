"""The assertion that failed, read again: which results it speaks of, and what of them.

    assert result.response.headers["x-by"] == "me"      ->  result, response, ("x-by", "me")
    assert not plugin.send("GET", "/").upstream.called  ->  plugin, upstream, ("GET", "/")

Rule: nothing of it is evaluated again, except for looking up names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from _pytest._code import TracebackEntry

ABOUT = ("action", "actions", "phases", "callouts", "cost", "logs", "upstream", "response", "answer", "local_reply",
         "details", "reset", "received", "waiting", "trap", "trace", "metrics", "problems")  # fmt: skip
"""The attributes of a result that there is more to tell of, the most telling first."""


class Spoken(NamedTuple):
    """What a failed assertion speaks of."""

    names: tuple[Any, ...]
    """The values of the names in it."""
    about: str
    """The attribute of a result that it is about; empty if it is about none."""
    texts: tuple[str, ...]
    """The texts that are written in it."""
    attributes: frozenset[str]
    """Every attribute in it."""
    owners: Mapping[str, Any]
    """What attributes are taken from, where that has a name."""


def spoken(found: pytest.ExceptionInfo[BaseException]) -> Spoken | None:
    """What the assertion speaks of that has failed; None if none has, or it cannot be found."""
    entry = found.traceback[-1]
    tree = _assertion(entry)
    if tree is None:
        return None
    nodes = list(ast.walk(tree))
    known = {**entry.frame.f_globals, **entry.frame.f_locals}
    names = dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name))
    attributes = frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute))
    return Spoken(
        tuple(known[name] for name in names if name in known),
        next((name for name in ABOUT if name in attributes), ""),
        tuple(_texts(nodes)),
        attributes,
        dict(_owners(nodes, known)),
    )


def _assertion(entry: TracebackEntry) -> ast.expr | None:
    try:
        tree = ast.parse(str(entry.statement).strip())
    except (SyntaxError, ValueError, OSError, IndexError):
        return None
    found = [node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return found[0] if len(found) == 1 else None


def _owners(nodes: list[ast.AST], known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            yield node.attr, known[node.value.id]


def _texts(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
