"""Variables of C, C++ and Rust, of DWARF 4 and 5, with and without optimisation: read while the modules run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from debugged import FOLDER, Look, Stop, read, stops

from simwasm.wasm.dwarf.state import NOWHERE, State
from simwasm.wasm.dwarf.variables import Kind, Variable, Variables
from simwasm.wasm.lines import Lines
from simwasm.wasm.module import Module
from simwasm.wasm.names import function_names
from simwasm.wasm.reader import read_module

SAMPLES = Path(__file__).parents[3] / "samples"
SHAPES = [f"shapes.dwarf{version}.O{level}.wasm" for version in (4, 5) for level in (0, 2)]
TEXTS = [f"texts.dwarf{version}.O{level}.wasm" for version in (4, 5) for level in (0, 2)]
PLAIN = [name for name in SHAPES if ".O0." in name]
OPTIMISED = [name for name in SHAPES if ".O2." in name]


@cache
def run(name: str) -> tuple[Stop, ...]:
    return tuple(stops(name, 9))


def look(name: str, function: str, given: int) -> Look:
    """What was seen in a function when the host was called with that number."""
    return next(
        look
        for stop in run(name)
        if stop.given == given
        for look in stop.looks
        if look.found.function.startswith(function)
    )


@pytest.mark.parametrize("name", PLAIN)
def test_every_kind_of_variable_of_c_has_its_value(name: str) -> None:
    values = look(name, "run", 4).values
    assert values["points"] == "[{x: 1, y: 2}, {x: 3, y: 9}]"
    assert values["letter"] == "65 'A'"
    assert values["argument"] == "9"
    shape = values["shape"]
    for part in (
        '"first \\"one\\"\\n"', "colour: GREEN", "corners: [{x: 1, y: -1}, {x: 2, y: -2}, {x: 3, y: -3}]",
        "whole: 7", "flags: 5, level: 17", "area: -0.5", "closed: true",
    ):  # fmt: skip
        assert part in shape
    assert "next: null" in values["second"]
    pointer = look(name, "sum", 27).values["points"]
    assert pointer.startswith("0x") and pointer.endswith("→ {x: 1, y: 2}")


@pytest.mark.parametrize("name", SHAPES)
def test_numbers_have_the_width_and_the_sign_of_their_type(name: str) -> None:
    values = look(name, "mixed", 9).values
    assert (values["small"], values["single"], values["whole"]) == ("9", "1.5", "2.25")
    assert values["result"] == str((1 << 40) + 9)


@pytest.mark.parametrize("name", SHAPES)
def test_variables_tell_their_type_their_kind_and_where_they_are_declared(name: str) -> None:
    found = {each.name: each for each in look(name, "run", 4).found.variables}
    types = {name: each.type for name, each in found.items()}
    assert types["called"] == "int (*)(const point *, size)"
    assert (types["points"], types["pointer"], types["shape"]) == ("point[2]", "int *", "shape")
    assert found["argument"].kind is Kind.PARAMETER
    assert found["letter"].kind is Kind.LOCAL
    declared = found["letter"].declared
    assert declared is not None and declared.file == "/build/shapes.c"
    assert "char letter = 'A';" in (FOLDER / "shapes.c").read_text().splitlines()[declared.line - 1]


@pytest.mark.parametrize("name", OPTIMISED)
def test_what_is_optimised_out_says_so(name: str) -> None:
    values = look(name, "run", 4).values
    assert values["pointer"] == "<optimised out>"
    assert "name: <optimised out>, colour: GREEN" in values["shape"]
    assert values["letter"] == "65 'A'"
    assert look(name, "sum", 27).values["count"].startswith("<optimised out at this instruction")


@pytest.mark.parametrize("name", SHAPES)
def test_variables_of_an_inlined_function_are_told_with_its_name_and_its_call(name: str) -> None:
    seen = look(name, "run", 81)
    (inlined,) = seen.found.inlined
    assert inlined.name == "squared"
    assert inlined.called is not None
    assert "squared(argument)" in (FOLDER / "shapes.c").read_text().splitlines()[inlined.called.line - 1]
    assert {each.name: each.inlined for each in seen.found.variables}["side"] == "squared"
    assert seen.values["side"] == "9"


@pytest.mark.parametrize("name", [name for name in TEXTS if ".O0." in name])
def test_texts_and_rows_of_cpp_are_shown_as_such(name: str) -> None:
    values = look(name, "Context::handle", 31).values
    assert values["name"].endswith('→ "short"')
    assert values["other"].endswith('→ "a text that is too long"')
    assert values["numbers"].endswith("→ [1, 2, 9]")
    assert "id_: 9, state_: Busy}" in values["this"]
    values = look(name, "Root::handle", 31).values
    assert "Context: {" in values["this"] and "ratio_: 1.5" in values["this"]
    assert values["member"] == "null"


@pytest.mark.parametrize("name", TEXTS)
def test_functions_of_cpp_have_readable_names(name: str) -> None:
    (found,) = {
        look.found.function
        for stop in run(name)
        for look in stop.looks
        if "twice<int>" in look.found.function
    }
    assert found == "int twice<int>(int)"


def test_rust_shows_texts_rows_and_enums() -> None:
    values = look("rusty.O0.wasm", "rusty::look", 406).values
    assert values["header"].endswith('→ {name: "x-user", value: "ann é", tags: [3, 4, 9]}')
    assert values["actions"] == "[Continue, Reply{status: 403, body: [104, 105]}, Wait(9)]"
    assert values["action"].endswith("→ Reply{status: 403, body: [104, 105]}")
    assert (values["first"], values["none"], values["pair"]) == ("Some(7)", "None", "(1, -2)")
    assert (values["letter"], values["yes"], values["ratio"]) == ("'ß'", "true", "0.25")


def test_optimised_rust_still_shows_what_is_in_memory() -> None:
    seen = {
        name: value
        for stop in run("rusty.O2.wasm")
        for look in stop.looks
        for name, value in look.values.items()
    }
    assert "total" in seen
    assert all(value for value in seen.values())


@pytest.mark.parametrize("name", PLAIN)
def test_without_locals_the_stack_pointer_serves_for_the_innermost_function(name: str) -> None:
    """As under engines that tell no locals."""
    first = stops(name, 9, hint=True)
    assert first[0].looks[0].values["points"] == "[{x: 1, y: 2}, {x: 3, y: 9}]"
    outer = first[1].looks[1].values["points"]
    assert outer.startswith("<needs the function's locals")


def test_a_variable_in_memory_tells_where_it_is() -> None:
    module = read("shapes.dwarf4.O0.wasm")
    variable = next(each for each in _run_variables(module) if each.name == "points")
    value = variable.value(State(memory=lambda at, size: bytes(size), pointer=1000))
    assert value.size == 16
    assert value.address is not None and value.address > 1000
    assert variable.value(NOWHERE).reason.startswith("needs the function's locals")
    letter = next(each for each in _run_variables(module) if each.name == "letter")
    outside = letter.value(State(memory=lambda at, size: None, pointer=1000))
    assert outside.reason.endswith("is outside the plugin's memory")


def _run_variables(module: Module) -> tuple[Variable, ...]:
    """Those of the function `run`, in the middle of it."""
    found = (Variables(module).at((body.code + body.end) // 2) for body in module.bodies)
    return next(each.variables for each in found if each.function == "run")


@pytest.mark.parametrize(
    ("sample", "advice"),
    [
        ("allow_header", "Rust: [profile.release] debug = true"),
        ("allow_header_c", "-g"),
        ("allow_header_go", "of Go, the compiler writes none"),
        ("allow_header_as", "asc --debug --sourceMap"),
    ],
)
def test_without_debug_information_it_says_how_to_build_with_it(sample: str, advice: str) -> None:
    module = read_module((SAMPLES / sample / "plugin.wasm").read_bytes())
    found = Variables(module).at(module.bodies[0].code)
    assert not found.variables
    assert advice in found.reason


def test_a_function_without_debug_information_in_a_module_that_has_some() -> None:
    module = read_module((SAMPLES / "allow_header" / "plugin.debug.wasm").read_bytes())
    assert "without debug information" in Variables(module).at(module.bodies[0].code).reason
    assert Variables(module).at(5).function == ""


def test_a_function_that_was_built_with_lines_only_says_so() -> None:
    module = read_module((SAMPLES / "allow_header" / "plugin.debug.wasm").read_bytes())
    names = function_names(module)
    function = names.index("proxy_wasm::hostcalls::get_map_value")
    found = Variables(module).at(module.bodies[function - (len(names) - len(module.bodies))].code)
    assert found.function == names[function]
    assert found.reason.startswith("built with lines of source only")


def test_only_the_units_that_are_asked_for_are_read() -> None:
    module = read_module((SAMPLES / "allow_header" / "plugin.debug.wasm").read_bytes())
    lines = Lines(module)
    body = module.bodies[len(module.bodies) // 2]
    lines.variables.at(body.code)
    assert sum("functions" in unit.known for unit in lines.units.all) <= 1 < len(lines.units.all)
