"""A module is valid, or what is not is told: section, offset, function and the rule.

The reader has seen to it that everything has its form and that indices between sections are in range; here is what
the specification calls validation. Its rules are those of WebAssembly 2.0 with extended constant expressions, tail
calls and relaxed SIMD.

Rules that live here: things are looked at in the order of the file, so that what is told is the first mistake; words
are the specification's, then what was found.
"""

from __future__ import annotations

import re
from collections import Counter

from simwasm.errors import BadModule
from simwasm.wasm import limits
from simwasm.wasm.decode import decode, split
from simwasm.wasm.module import (
    Body,
    Element,
    FuncType,
    GlobalType,
    Kind,
    MemoryType,
    Module,
    Segment,
    Span,
    TableType,
)
from simwasm.wasm.names import function_names
from simwasm.wasm.validate.code import Locals, check
from simwasm.wasm.validate.context import Context, same_kind
from simwasm.wasm.validate.kinds import CODES, I32, Invalid
from simwasm.wasm.validate.prepare import Prepare
from simwasm.wasm.validate.stack import Stack

_PAGES = 65_536
_I32_CONST = re.compile(rb"\x41[\x80-\xff]*[\x00-\x7f]\x0b")
_GLOBAL_GET = 0x23
_SHOWN = 100  # characters of a name


def validate(module: Module) -> None:
    """Raise `BadModule` unless the module is valid."""
    validation = _Validation(module)
    validation.sizes()
    validation.constants()
    validation.exports()
    validation.start()
    validation.code()


class _Validation:
    """One module, and what is known of it."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._context = Context(module)
        self._known = Prepare(self._context)
        self._no_locals = Locals(b"", ())

    def sizes(self) -> None:
        """Memories and tables, imported and own, have sizes that can be."""
        for item in self._module.imports:
            _check_size(item.type, "import")
        for table in self._module.tables:
            _check_size(table, "table")
        for memory in self._module.memories:
            _check_size(memory, "memory")

    def exports(self) -> None:
        """Every export has a name of its own."""
        for name, times in Counter(export.name for export in self._module.exports).items():
            if times > 1:
                raise BadModule(f"duplicate export name {name[:_SHOWN]!r}", section="export")

    def start(self) -> None:
        """The start function takes and gives nothing."""
        start = self._module.start
        if start is not None and self._context.function(start) != (b"", b""):
            kind = self._module.function_type(start)
            raise BadModule(f"start function {start} has the type {kind}, not void -> void", section="start")

    def constants(self) -> None:
        """Globals, and where segments go and what is in them, are constant and have the right types."""
        for item in self._module.globals:
            self._constant(item.init, CODES[item.type.type], "global")
        for element in self._module.elements:
            self._element(element)
        for segment in self._module.segments:
            self._segment(segment)

    def code(self) -> None:
        """Every function does what its type says."""
        for own, body in enumerate(self._module.bodies):
            params, results = self._context.type(self._module.functions[own])
            count = len(params) + sum([count for count, _ in body.locals])
            if count > limits.LOCALS:
                raise self._in_code(
                    f"too many locals: {count:,}; at most {limits.LOCALS:,} are supported", own
                )
            pieces = self._split(own, body)
            try:
                check(pieces, Stack(results), Locals(params, body.locals), self._known)
            except Invalid as error:
                message, at = error.args
                raise self._in_code(message, own, sum(map(len, pieces[:at]))) from None

    def _in_code(self, message: str, own: int, at: int = 0) -> BadModule:
        """The error about an instruction of a function."""
        offset = self._module.bodies[own].code + at
        return BadModule(f"{message} (function {self._name(own)})", section="code", offset=offset)

    def _split(self, own: int, body: Body) -> list[bytes]:
        try:
            return split(self._module.data, body.code, body.end)
        except BadModule:  # once more with the name of the function, which takes long to find
            return split(self._module.data, body.code, body.end, self._name(own))

    def _name(self, own: int) -> str:
        return function_names(self._module)[own + len(self._module.imported(Kind.FUNCTION))][:_SHOWN]

    def _element(self, element: Element) -> None:
        if element.offset:
            try:
                same_kind(self._context.table(element.table), element.type)
            except Invalid as error:
                raise _told(error, "element", element.offset) from None
            self._constant(element.offset, I32, "element")
        kind = CODES[element.type]
        for item in element.items:
            if isinstance(item, Span):
                self._constant(item, kind, "element")

    def _segment(self, segment: Segment) -> None:
        if segment.offset:
            try:
                self._context.memory(segment.memory)
            except Invalid as error:
                raise _told(error, "data", segment.offset) from None
            self._constant(segment.offset, I32, "data")

    def _constant(self, span: Span, kind: int, section: str) -> None:
        """Validate an expression; that it is made of constant instructions the reader has seen to."""
        if kind == I32 and _I32_CONST.fullmatch(self._module.data, span.start, span.end):
            return  # as nearly all of them are
        pieces = split(self._module.data, span.start, span.end)
        try:
            for piece in pieces:
                if piece[0] == _GLOBAL_GET:
                    self._context.constant_global(*decode(piece)[1])
            check(pieces, Stack(bytes((kind,))), self._no_locals, self._known)
        except Invalid as error:
            raise _told(error, section, span) from None


def _check_size(kind: FuncType | TableType | MemoryType | GlobalType, section: str) -> None:
    if isinstance(kind, FuncType | GlobalType):
        return
    minimum, maximum = kind.bounds.minimum, kind.bounds.maximum
    if isinstance(kind, MemoryType) and max(minimum, maximum or 0) > _PAGES:
        raise BadModule(f"memory size must be at most {_PAGES} pages (4GiB): {kind}", section=section)
    if maximum is not None and minimum > maximum:
        raise BadModule(f"size minimum must not be greater than maximum: {kind}", section=section)


def _told(error: Invalid, section: str, place: Span) -> BadModule:
    """The error about what is there."""
    return BadModule(error.args[0], section=section, offset=place.start)
