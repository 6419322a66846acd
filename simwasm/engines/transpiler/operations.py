"""What generated code calls for an instruction that it does not spell out: the instruction's name with `_` for `.`.

    OPERATIONS["i32_div_s"](x, y)                   operands in order; i32 and i64 unsigned
    OPERATIONS["i8x16_shuffle"](lanes, a, b)        a lane, or the sixteen as one sequence, first
    OPERATIONS["v128_load8_lane"](m, lane, a, v)    a vector's load or store: the memory, the lane, the operands

Rules that live here: pure functions of their operands, safe to share among instances and threads. What traps is a
`Stopped`, a ZeroDivisionError, or for a vector's address a `struct.error`.
"""

from __future__ import annotations

from simwasm.engines.transpiler.floats import FLOATS
from simwasm.engines.transpiler.integers import INTEGERS, Operation
from simwasm.engines.transpiler.vectors import VECTORS
from simwasm.engines.transpiler.vectors_bytes import BYTE_VECTORS
from simwasm.engines.transpiler.vectors_floats import FLOAT_VECTORS
from simwasm.engines.transpiler.vectors_integers import INTEGER_VECTORS
from simwasm.engines.transpiler.vectors_memory import MEMORY_VECTORS
from simwasm.engines.transpiler.vectors_relaxed import RELAXED
from simwasm.engines.transpiler.vectors_widths import WIDTHS
from simwasm.wasm.opcodes import BY_NAME

_MADE: dict[str, Operation] = {
    **INTEGERS,
    **FLOATS,
    **VECTORS,
    **INTEGER_VECTORS,
    **BYTE_VECTORS,
    **WIDTHS,
    **FLOAT_VECTORS,
    **MEMORY_VECTORS,
    **RELAXED,
}

OPERATIONS: dict[str, Operation] = {
    word: _MADE[word] for word in (name.replace(".", "_") for name in BY_NAME) if word in _MADE
}
"""One for each instruction that computes, and for a vector's loads and stores."""
