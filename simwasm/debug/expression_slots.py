"""The values of an active function, in expressions: `l0`, `s1`, `g2`, and what the source calls its variables."""

from __future__ import annotations

import re
from typing import Any

from simwasm.debug.activations import Variable
from simwasm.debug.expression_scope import NAMES, Scope, near
from simwasm.errors import ExpressionError

SLOT = re.compile(r"[lsg]\d{1,6}")


def slot(scope: Scope, name: str) -> Any:
    """The value of a local, an operand or a global."""
    active = scope.activation
    if not SLOT.fullmatch(name):
        raise ExpressionError(f"there is no `{name}` here{near(name, (*NAMES, *scope.names))}")
    if scope.raw is not None and active is None and not name.startswith("g"):
        values = scope.raw.locals if name.startswith("l") else scope.raw.stack
        if int(name[1:]) < len(values):
            return values[int(name[1:])]
        raise ExpressionError(f"there is no `{name}` here: there are {len(values)}")
    if name.startswith("g"):
        among: tuple[Variable, ...] = scope.globals
    elif active is None:
        raise ExpressionError(f"there is no `{name}` here: step to an instruction")
    else:
        among = active.locals if name.startswith("l") else active.stack
        if not among and active.why:
            raise ExpressionError(f"there is no `{name}` here: {active.why}")
    for each in among:
        if each.slot == name:
            return each.value
    raise ExpressionError(f"there is no `{name}` here{near(name, [each.slot for each in among])}")


def variable(scope: Scope, name: str) -> Any:
    """The value of a variable of the source: a number where it is one, otherwise as it is written. Or of a local."""
    active = scope.activation
    assert active is not None
    found = next(each for each in (*active.variables, *active.locals) if each.name == name)
    if found.why:
        raise ExpressionError(f"`{name}` has no value here: {found.why}")
    return _read(found.text) if found.slot == name else found.value


def _read(text: str) -> int | float | bool | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
