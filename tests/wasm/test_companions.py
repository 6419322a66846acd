"""Debug information in another file than the plugin's own."""

from __future__ import annotations

from debugged import FOLDER, read, stripped

from simwasm.wasm.companions import told, told_by
from simwasm.wasm.debuginfo import DebugKind, inspect_debug_info
from simwasm.wasm.encode import name, section, u32
from simwasm.wasm.lines import Lines
from simwasm.wasm.reader import read_module

WHOLE = "shapes.dwarf5.O0.wasm"


def naming(file: str) -> bytes:
    return section(0, name("external_debug_info") + name(file))


def test_lines_and_variables_come_from_the_file_that_the_plugin_names() -> None:
    whole = read(WHOLE)
    plugin = stripped(whole, naming("./plugin.debug.wasm"))
    lines, own = Lines(plugin, {"plugin.debug.wasm": whole.data}.get), Lines(whole)
    assert lines.there
    moved = plugin.bodies[1].code - whole.bodies[1].code
    for offset in range(whole.bodies[1].code, whole.bodies[1].end):
        assert lines.at(offset + moved) == own.at(offset)
    assert [each.name for each in lines.variables.at(plugin.bodies[1].code + 60).variables]


def test_health_tells_of_the_file() -> None:
    whole = read(WHOLE)
    found = inspect_debug_info(stripped(whole, naming("there.wasm")), {"there.wasm": whole.data}.get)
    assert (found.kind, found.file, found.score) == (DebugKind.OK, "there.wasm", 100)


def test_a_file_that_is_not_there_is_told() -> None:
    plugin = stripped(read(WHOLE), naming("http://example.com/debug/there.wasm"))
    assert not Lines(plugin).there
    assert (
        inspect_debug_info(plugin).problem == "its debug information is in there.wasm, which is not beside it"
    )


def test_a_file_of_another_build_is_refused() -> None:
    plugin = stripped(read(WHOLE))
    found = told_by(plugin, read("shapes.dwarf5.O2.wasm").data, "other.wasm")
    assert found.module is None
    assert found.problem == "other.wasm belongs to another build: its code is not this plugin's"
    assert not Lines(plugin, debug=found).there


def test_a_file_without_debug_information_or_that_is_no_module_is_refused() -> None:
    plugin = stripped(read(WHOLE))
    assert told_by(plugin, plugin.data, "a.wasm").problem == "a.wasm has no debug information either"
    assert told_by(plugin, b"junk", "a.wasm").problem.startswith("a.wasm is no module")


def test_a_file_may_leave_the_code_out() -> None:
    """As a linker may that splits what is for debuggers from what runs."""
    whole = read(WHOLE)
    customs = [
        section(0, name(each.name) + whole.data[each.start : each.end])
        for each in whole.sections
        if each.name.startswith(".debug")
    ]
    plugin = stripped(whole)
    found = told_by(plugin, whole.data[:8] + b"".join(customs), "plugin.dwarf.wasm")
    assert not found.problem
    assert Lines(plugin, debug=found).at(plugin.bodies[0].code) is not None


def test_a_plugin_with_its_own_asks_for_no_other() -> None:
    whole = read_module((FOLDER / WHOLE).read_bytes() + naming("there.wasm"))
    assert told(whole, lambda name: 1 / 0) == (None, "", "")  # type: ignore[arg-type,return-value]  # never called


def test_a_broken_name_is_none() -> None:
    plugin = stripped(read(WHOLE), section(0, name("external_debug_info") + u32(99)))
    assert told(plugin) == (None, "", "")
