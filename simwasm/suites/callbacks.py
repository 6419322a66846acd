"""Callbacks and what they return, as suites name them: `request_headers: pause`."""

# `key` makes fields
from __future__ import annotations

from enum import IntEnum
from typing import Any

from simwasm.abi.enums import Action, DataAction, HeadersAction
from simwasm.abi.table import CALLBACKS, Function
from simwasm.config.tree import Node
from simwasm.suites.header_rule import HeaderRule
from simwasm.suites.shape import (
    As,
    Choice,
    Named,
    OneOrMany,
    Shape,
    near,
    wrong,
)

HeaderRules = tuple[tuple[str, HeaderRule], ...]
_PREFIX = "proxy_on_"
OF_CALLBACKS: dict[str, Function] = {row.name: row for row in CALLBACKS}
OF_HTTP = frozenset(
    name for name in OF_CALLBACKS if name.startswith(("proxy_on_request_", "proxy_on_response_"))
)
OF_CONNECTIONS = frozenset(
    name for name in OF_CALLBACKS if name == "proxy_on_new_connection" or "stream_" in name
)
SHORT = {name.removeprefix(_PREFIX): name for name in OF_CALLBACKS}
CALLBACK: Choice[str] = Choice(SHORT, {name: name for name in OF_CALLBACKS}, "a callback (`request_headers`)")


def callback_name(text: str) -> str:
    """A callback by its name, with or without `proxy_on_`."""
    found = SHORT.get(text) or (text if text in OF_CALLBACKS else None)
    if found is None:
        raise ValueError(f"`{text[:60]}` is no callback; {near(text, SHORT)}")
    return found


def _actions() -> dict[str, str]:
    """The names of all that callbacks return."""
    kinds: tuple[type[IntEnum], ...] = (Action, HeadersAction, DataAction)
    names = [member.name for kind in kinds for member in kind]
    return {name.lower(): name for name in names}


ACTION: Choice[str] = Choice(_actions(), {name.upper(): name for name in _actions().values()}, "an action")


def action_fits(callback: str, action: str, node: Any) -> None:
    """Refuse an action that a callback never returns."""
    result = OF_CALLBACKS[callback].result
    kind = result.enum if result is not None else None
    if kind is None:
        wrong(node, f"can never hold: {callback} returns no action; leave it out")
    if action not in kind.__members__:
        there = ", ".join(name.lower() for name in kind.__members__)
        wrong(node, f"can never hold: {callback} never returns {action.lower()}, but {there}")


def _actions_by_callback(found: tuple[tuple[str, tuple[str, ...]], ...], node: Node) -> Any:
    for name, entry in (node.entries or {}).items():
        callback = callback_name(name)
        for action in dict(found)[callback]:
            action_fits(callback, action, entry.node)
    return found


ACTIONS: Shape[tuple[tuple[str, tuple[str, ...]], ...]] = As(
    Named(OneOrMany(ACTION), "CALLBACK", callback_name), _actions_by_callback
)
