"""The functions of an instance: cells that generated code calls through, and what is in them.

Generated code refers to everything by free variables, so to link it is to make a function of it with the cells of an
instance. A function's own cell holds a stub until it is called for the first time.

Rules that live here: all functions of an instance share its cells, so what a cell holds is changed for all of them at
once; a function with a frame that is unusually large counts its bytes, because Python's limit only counts calls.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import setrecursionlimit
from types import CellType, CodeType, FunctionType
from typing import Any

from simwasm.engines.transpiler.codes import Codes, Key, Made
from simwasm.engines.transpiler.recursion import DEEPEST, make_room
from simwasm.engines.transpiler.references import Call, FunctionExtern
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind
from simwasm.wasm.module import FuncType

Cell = Callable[[str], CellType]
"""Gives the cell of a name."""

GUEST = "simwasm guest"
"""Under this name the globals of generated functions hold their `Functions`."""

_LARGE = 1_000
"""Variables of a frame from which on it is weighed: the most that can add up without is 100 MB."""
_HEAVIEST = 256 << 20


class Functions:
    """What of an instance its functions share."""

    def __init__(self, codes: Codes, cell: Cell) -> None:
        self.codes = codes
        self.steppable = False
        self.namespace: dict[str, Any] = {GUEST: self}
        self._cell = cell
        self._known: dict[int, Made] = {}
        self._linked: dict[Key, Call] = {}
        self._weight = 0

    def known(self, code: CodeType) -> Made:
        """Which function a code object is."""
        return self._known[id(code)]

    def make(self, own: int) -> Call:
        """The function, ready to be called. Whatever depth it is called at, there is stack to make it."""
        key = own, self.steppable
        if key not in self._linked:
            make_room()
            try:
                self._linked[key] = self._link(self.codes.get(own, self.steppable))
            finally:
                setrecursionlimit(DEEPEST)
        return self._linked[key]

    def _link(self, made: Made) -> Call:
        code = made.code
        self._known[id(code)] = made
        cells = tuple([self._cell(name) for name in code.co_freevars])
        function = FunctionType(code, self.namespace, code.co_name, None, cells)
        size = 8 * (code.co_nlocals + code.co_stacksize)
        return function if size < 8 * _LARGE else self._weighed(function, size)

    def _weighed(self, function: Call, size: int) -> Call:
        def weighed(*words: object) -> Any:
            self._weight += size
            try:
                if self._weight > _HEAVIEST:
                    raise Stopped(TrapKind.STACK_EXHAUSTED)
                return function(*words)
            finally:
                self._weight -= size

        return weighed


class OwnFunction(FunctionExtern):
    """A function of an instance's own."""

    __slots__ = ("_functions", "_is_made", "_own")

    def __init__(self, type: FuncType, functions: Functions, own: int) -> None:
        self._functions = functions
        self._own = own
        self._is_made = False
        super().__init__(type, self._stub)

    def settled(self) -> Call | None:
        """What may be kept until its instance says otherwise; None if that was not made yet."""
        return self.call if self._is_made else None

    def made(self) -> Call:
        """The same, made if need be."""
        if not self._is_made:
            self.cell.cell_contents = self._functions.make(self._own)
            self._is_made = True
        return self.call

    def forget(self) -> None:
        """Be made anew when it is called next."""
        self._is_made = False
        self.cell.cell_contents = self._stub

    def _stub(self, *words: object) -> Any:
        return self.made()(*words)
