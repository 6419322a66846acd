"""Values as the test suite writes them: numbers are bits, so that nothing on the way can touch a float.

Rules that live here: i32, i64, f32, f64 and v128 are unsigned integers of their bits; a reference is None for null,
the number of an externref, or `SOMETHING` for any other; what is expected may be a pattern.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simwasm.wasm.module import ValType

SOMETHING = "something"
"""A reference of which only that it is not null is known."""


class Value(NamedTuple):
    """A word, a vector or a reference."""

    type: ValType
    held: int | str | None

    def __str__(self) -> str:
        held = f"0x{self.held:x}" if isinstance(self.held, int) else self.held
        return f"{self.type.value}:{held}"


_LANES = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}
_REFERENCES = (ValType.FUNCREF, ValType.EXTERNREF)
_QUIET = {32: 0x7FC0_0000, 64: 0x7FF8_0000_0000_0000}


def argument(given: dict[str, Any]) -> Value:
    """What a function is called with."""
    kind = ValType(given["type"])
    if kind in _REFERENCES:
        return Value(kind, None if given["value"] == "null" else int(given["value"]))
    if kind is not ValType.V128:
        return Value(kind, int(given["value"]))
    width = _LANES[given["lane_type"]]
    return Value(kind, sum(int(lane) << index * width for index, lane in enumerate(given["value"])))


def answers(expected: dict[str, Any], found: Value) -> bool:
    """Whether a result is what is expected."""
    if found.type.value != expected["type"]:
        return False
    if found.type in _REFERENCES:
        wanted = expected["value"]
        return found.held is None if wanted == "null" else found.held == int(wanted)
    assert isinstance(found.held, int)
    if found.type is not ValType.V128:
        return _fits(expected["value"], found.held, _LANES[expected["type"]])
    width = _LANES[expected["lane_type"]]
    lanes = [found.held >> at & (1 << width) - 1 for at in range(0, 128, width)]
    return all(_fits(lane, bits, width) for lane, bits in zip(expected["value"], lanes, strict=True))


def _fits(wanted: str, bits: int, width: int) -> bool:
    """Whether the bits are those, or a NaN of that kind: canonical has one bit of payload, arithmetic has it too."""
    if not wanted.startswith("nan:"):
        return bits == int(wanted)
    unsigned = bits & (1 << width - 1) - 1
    return (unsigned if wanted == "nan:canonical" else unsigned & _QUIET[width]) == _QUIET[width]
