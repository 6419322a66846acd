"""Where engines differ from the test suite, line by line, and what cannot be asked of them.

Rule: these tables are exact. What is listed and holds is as much an error as what is not listed and fails.
"""

from __future__ import annotations

_LONG = "takes the size of a memory as a number of 64 bits, as memory64 would"
_FLAGS = "takes the flags of a table as a number of several bytes"
_GLOBALS = "takes globals of the module's own in initialisers"
_EMPTY = "what had to be there is a reference that could not be handed over"
_EXTERNAL = "its compiler has no tables of externref"
_TAIL = "it has no tail calls"
_VECTORS = "its compiler lacks vector instructions that came late"
_LABELS = "wants the same types of all labels of a br_table, in unreachable code too"
_FREED = "it frees the functions of a module that did not start, and their places in a shared table dangle"


UNKNOWN = "its Python interface knows no references but null"
UNSTARTED = "the module did not start"


def _lines(text: str, reason: str) -> dict[int, str]:
    """`21-23 27` are four lines."""
    spans = [[int(end) for end in span.split("-")] for span in text.split()]
    return {line: reason for span in spans for line in range(span[0], span[-1] + 1)}


DIFFERENCES: dict[str, dict[str, dict[int, str]]] = {
    "wasmtime": {
        "binary": _lines("223 475", _LONG),
        "binary-leb128": _lines("218 226", _LONG),
    },
    "wasmer": {
        "binary": _lines("1527", _FLAGS),
        "data": _lines("85 89", _GLOBALS),
        "elem": _lines("152 156", _GLOBALS) | _lines("650 651 658", _EMPTY) | _lines("653", _EXTERNAL),
        "global": _lines("229", _EMPTY) | _lines("352 356", _GLOBALS),
        "ref_is_null": _lines("41", _EMPTY),
        "return_call": _lines("3 153 158", _TAIL),
        "return_call_indirect": _lines("3 440 446", _TAIL),
        "simd_conversions": _lines("3", _VECTORS),
        "simd_i16x8_extadd_pairwise_i8x16": _lines("4", _VECTORS),
        "simd_i16x8_extmul_i8x16": _lines("4", _VECTORS),
        "simd_i16x8_q15mulr_sat_s": _lines("4", _VECTORS),
        "simd_i32x4_extadd_pairwise_i16x8": _lines("4", _VECTORS),
        "simd_i32x4_extmul_i16x8": _lines("4", _VECTORS),
        "simd_i32x4_trunc_sat_f64x2": _lines("3", _VECTORS),
        "simd_i64x2_extmul_i32x4": _lines("4", _VECTORS),
        "simd_i8x16_arith2": _lines("3 494", _VECTORS),
        "simd_int_to_int_extend": _lines("3", _VECTORS),
        "table_fill": _lines("21-23 27-29 33-35 39-40 43 54", _EMPTY),
        "table_get": _lines("27 31", _EMPTY),
        "table_grow": _lines("21 26-27 29-31 33", _EMPTY),
        "table_set": _lines("31", _EMPTY),
        "unreached-valid": _lines("49", _LABELS),
    },
}
"""By engine, file and line: what else it does. A difference of a module's own line is that it does not start."""

UNTRIED: dict[str, dict[str, dict[int, str]]] = {"wasmer": {"linking": _lines("275 288 453", _FREED)}}
"""What might be the end of the process."""

_REFERENCES = {
    "br_table": 3,
    "elem": 2,
    "global": 1,
    "ref_is_null": 2,
    "select": 3,
    "table_fill": 6,
    "table_get": 1,
    "table_grow": 7,
    "table_set": 3,
}
_UNSTARTED = {
    "return_call": 31,
    "return_call_indirect": 47,
    "unreached-valid": 1,
    "simd_conversions": 213,
    "simd_i16x8_extadd_pairwise_i8x16": 16,
    "simd_i16x8_extmul_i8x16": 104,
    "simd_i16x8_q15mulr_sat_s": 26,
    "simd_i32x4_extadd_pairwise_i16x8": 16,
    "simd_i32x4_extmul_i16x8": 104,
    "simd_i32x4_trunc_sat_f64x2": 102,
    "simd_i64x2_extmul_i32x4": 104,
    "simd_i8x16_arith2": 184,
    "simd_int_to_int_extend": 228,
}
CANNOT: dict[str, dict[str, dict[str, int]]] = {
    "wasmer": {
        **{name: {UNKNOWN: count} for name, count in _REFERENCES.items()},
        **{name: {UNSTARTED: count} for name, count in _UNSTARTED.items()},
        "linking": {_FREED: 3},
    },
}
"""How many commands of a file cannot be done, by reason."""
