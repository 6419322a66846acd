"""Looking at a guest where it stands, and reaching into it: values of locals, operands, globals and memory.

Rule: only in the plugins' thread, while the run stands.
"""

from __future__ import annotations

import re

from simwasm.debug.activations import Activation, Guest, Variable, activation, global_variables
from simwasm.debug.code_plans import CodePlans
from simwasm.debug.edits import Content, Edit
from simwasm.debug.worker import Worker
from simwasm.errors import InputError
from simwasm.wasm.module import ValType

_SLOT = re.compile(r"(?:([lsg])|(local|stack|global)\[)(\d{1,6})\]?")
_BITS = {ValType.I32: 32, ValType.I64: 64}
_VECTOR = 16


class Hand:
    """Whoever stands in a run."""

    def __init__(self, worker: Worker, plans: CodePlans) -> None:
        self._worker = worker
        self._plans = plans

    def guest(self) -> Guest:
        """The guest that acts."""
        return self._worker.machine.zoom.guest(self._plans.acting())

    def activations(self) -> tuple[Activation, ...]:
        """The active functions, innermost first."""
        visit = self._worker.machine.zoom.visit
        if visit is None or not visit.standing:
            return ()
        guest = Guest(visit.code, visit.instance)
        return tuple(activation(guest, level, raw) for level, raw in enumerate(visit.instance.activations()))

    def globals(self) -> tuple[Variable, ...]:
        """The globals that can change."""
        return global_variables(self.guest())

    # Reaching in.

    def assigned(self, slot: str, text: str, level: int) -> Edit:
        """Another value for a local, an operand or a global."""
        found = _SLOT.fullmatch(slot.strip())
        if found is None:
            raise InputError(
                f"`{slot}` is no place for a value; there are l0 (a local), s0 (an operand), g0 (a global)"
            )
        kind, index = (found[1] or found[2][0]), int(found[3])
        name = f"{kind}{index}"
        variable = self._variable(kind, name, level)
        return Edit(self._callback(), self._worker.here.moment, name, _value(text, variable), level)

    def _variable(self, kind: str, name: str, level: int) -> Variable:
        if kind == "g":
            among: tuple[Variable, ...] = self.globals()
        else:
            active = self.activations()
            if not 0 <= level < len(active):
                raise InputError("no function is active there: step to an instruction first")
            among = active[level].locals if kind == "l" else active[level].stack
            if not among and active[level].why:
                raise InputError(f"{name} cannot be changed: {active[level].why}")
        for each in among:
            if each.slot == name:
                return each
        known = ", ".join(each.slot for each in among[:8]) or "none"
        raise InputError(f"there is no {name} here; there is {known}{', …' if len(among) > 8 else ''}")

    def written(self, at: int, data: bytes) -> Edit:
        """Other bytes in memory."""
        memory = self.guest().instance.memory
        if not 0 <= at <= at + len(data) <= memory.size():
            raise InputError(
                f"{len(data):,} bytes at 0x{at:x} lie outside the memory of {memory.size():,} bytes"
            )
        return Edit(self._callback(), self._worker.here.moment, "memory", data, 0, at)

    def _callback(self) -> int:
        callback = self._plans.callback_at(self._worker.here.moment)
        if not callback:
            raise InputError("nothing can be changed between callbacks: go to a callback, or inside of one")
        return callback


def _value(text: str, variable: Variable) -> Content:
    """What was typed, as a value of a variable's type."""
    stripped = text.strip().replace("_", "").replace(",", "")
    try:
        if isinstance(variable.value, bytes):
            data = bytes.fromhex(stripped.removeprefix("0x"))
            if len(data) != _VECTOR:
                raise InputError(f"a vector has {_VECTOR} bytes, not {len(data)}")
            return data
        if isinstance(variable.value, float):
            return float(stripped)
        if variable.value is None:
            raise InputError(f"{variable.slot} is a reference, which cannot be changed")
        number = int(stripped, 0)
    except ValueError:
        raise InputError(f"`{text[:40]}` is no value for {variable.slot}, which is {variable.type}") from None
    bits = 32 if variable.type == "i32" else 64
    if not -(1 << bits - 1) <= number < 1 << bits:
        raise InputError(f"{number:,} does not fit into {variable.slot}, which has {bits} bits")
    return number - (1 << bits) if number >> bits - 1 > 0 else number
