"""Lines of source: of a real module with debug information, of one without, of one whose information is broken."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from debugged import FOLDER

from simwasm.sources import beside
from simwasm.wasm.lines import Lines, Place
from simwasm.wasm.module import Module
from simwasm.wasm.names import function_names
from simwasm.wasm.reader import read_module

SAMPLES = Path(__file__).parents[2] / "samples"
SOURCE = SAMPLES / "allow_header" / "src" / "lib.rs"


@pytest.fixture(scope="module")
def module() -> Module:
    return read_module((SAMPLES / "allow_header" / "plugin.debug.wasm").read_bytes())


def body_of(module: Module, part: str) -> tuple[int, int]:
    """Where the code of the function begins and ends that has this in its name."""
    names = function_names(module)
    (index,) = [index for index, name in enumerate(names) if part in name]
    body = module.bodies[index - (len(names) - len(module.bodies))]
    return body.code, body.end


def test_a_function_begins_at_the_line_where_it_is_written(module: Module) -> None:
    code, end = body_of(module, "HttpHeaders as proxy_wasm::traits::HttpContext>::on_http_request_headers")
    lines = Lines(module)
    text = SOURCE.read_text().splitlines()
    first = lines.at(code)
    assert first is not None
    assert first.file.endswith("allow_header/src/lib.rs")
    assert "fn on_http_request_headers" in text[first.line - 1]
    called = {
        place.line
        for place in map(lines.at, range(code, end))
        if place is not None and place.file == first.file
    }
    assert any("send_http_response" in text[line - 1] for line in called)


def test_only_the_unit_that_is_asked_for_is_read(module: Module) -> None:
    lines = Lines(module)
    code, _ = body_of(module, "HttpHeaders as proxy_wasm::traits::HttpContext>::on_http_request_headers")
    lines.at(code)
    assert sum("rows" in unit.known for unit in lines.units.all) == 1
    assert len(lines.units.all) > 1


@pytest.mark.parametrize("offset", [0, 8, 10_000_000])
def test_what_is_outside_the_code_has_no_line(module: Module, offset: int) -> None:
    assert Lines(module).at(offset) is None


def test_a_module_without_debug_information_has_no_lines() -> None:
    lines = Lines(read_module((SAMPLES / "allow_header" / "plugin.wasm").read_bytes()))
    assert not lines.there
    assert lines.at(5000) is None


@pytest.mark.parametrize("name", [".debug_info", ".debug_abbrev", ".debug_line", ".debug_str"])
def test_broken_debug_information_has_no_lines_and_is_no_error(module: Module, name: str) -> None:
    (span,) = module.customs(name)
    for junk in (b"\xff", b"\x00", b"\x7f"):
        data = module.data[: span.start] + junk * span.size + module.data[span.end :]
        broken = Lines(read_module(data))
        places = [broken.at(body.code) for body in module.bodies[:40]]
        assert all(place is None or isinstance(place, Place) for place in places)


def test_a_place_is_written_as_editors_take_it() -> None:
    assert str(Place("src/lib.rs", 4, 2)) == "src/lib.rs:4"


@pytest.mark.parametrize("file", ["allow_header/plugin.debug.wasm", "mapped.wasm"])
def test_the_lines_of_a_function_are_those_of_its_instructions(file: str) -> None:
    folder = FOLDER if file == "mapped.wasm" else SAMPLES
    module = read_module((folder / file).read_bytes())
    lines = Lines(module, partial(beside, folder))
    for body in module.bodies[:200]:
        changes = dict(lines.within(body.code, body.end))
        place = None
        for offset in range(min(body.code, *changes, body.end), body.end):
            place = changes.get(offset, place)
            if offset >= body.code:
                assert place == lines.at(offset)


def test_functions_are_told_as_they_were_written(module: Module) -> None:
    code, end = body_of(module, "HttpHeaders as proxy_wasm::traits::HttpContext>::on_http_request_headers")
    first, *inlined = Lines(module).written(code)
    assert first.declared is not None
    assert "fn on_http_request_headers" in SOURCE.read_text().splitlines()[first.declared.line - 1]
    assert first.called is None
    assert first.ranges[0][1] == end
    assert inlined
    for each in inlined:
        assert each.called is not None
        assert all(code <= begin < stop <= end for begin, stop in each.ranges)
