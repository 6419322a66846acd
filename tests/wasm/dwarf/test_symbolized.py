"""Lines and inlined calls are those that llvm-symbolizer tells, which wrote them down (debugged/symbolize.py)."""

from __future__ import annotations

import json

import pytest
from debugged import FOLDER, read

from simwasm.wasm.dwarf.sections import code_start
from simwasm.wasm.lines import Lines, Place

SAID: dict[str, dict[str, list[str]]] = json.loads((FOLDER / "symbolized.json").read_text())


@pytest.mark.parametrize("name", SAID)
def test_an_instruction_has_the_lines_that_llvm_tells(name: str) -> None:
    module = read(name)
    lines, code = Lines(module), code_start(module)
    told = {}
    for address in SAID[name]:
        offset = int(address, 16) + code
        calls = [each.called for each in lines.inlined(offset)]
        told[address] = [_text(place) for place in (lines.at(offset), *calls)]
    assert told == SAID[name]


def _text(place: Place | None) -> str:
    return f"{place.file}:{place.line}:{place.column}" if place is not None else ""
