"""What is told about a plugin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simwasm.wasm.encode import name, section, vector
from simwasm.wasm.inspect import inspect
from simwasm.wasm.module import Bounds, Kind

SAMPLES = Path(__file__).parents[2] / "samples"
Assemble = Callable[..., bytes]


def sample(folder: str) -> bytes:
    return (SAMPLES / folder / "plugin.wasm").read_bytes()


def test_the_abi_version_is_the_marker_exported(plugin: bytes) -> None:
    (marker,) = inspect(plugin).abi_markers
    assert marker.startswith("proxy_abi_version_0_")


@pytest.mark.parametrize(
    ("folder", "sdk", "certainty"),
    [
        ("allow_header", "Rust SDK", "certain"),
        ("allow_header_go", "Go SDK", "certain"),
        ("allow_header_as", "AssemblyScript SDK", "certain"),
        ("allow_header_c", "C or C++ without an SDK", "a guess"),
    ],
)
def test_the_sdk_is_guessed_from_what_it_left(folder: str, sdk: str, certainty: str) -> None:
    found = inspect(sample(folder)).sdk
    assert found is not None
    assert found.name.startswith(sdk) and found.certainty.value == certainty


def test_the_version_of_the_go_sdk_is_in_the_build_information() -> None:
    found = inspect(sample("allow_header_go")).sdk
    assert found is not None and " v0." in found.name


def test_producers_are_listed_with_their_version() -> None:
    found = {item.name: item.version for item in inspect(sample("allow_header_go")).producers}
    assert found["Go"].startswith("go1.")


def test_memory_says_how_large_it_may_be_and_how_it_is_exported(assemble: Assemble) -> None:
    memory = inspect(assemble('(module (memory (export "memory") 2 5))')).memory
    assert memory is not None
    assert (memory.type.bounds, memory.exported, memory.imported) == (Bounds(2, 5), ("memory",), False)


def test_exports_have_their_type(assemble: Assemble) -> None:
    text = """(module (func (export "f") (param i32)) (table (export "t") 1 funcref)
      (global (export "g") i64 (i64.const 0)))"""
    found = {item.name: (item.kind, str(item.type)) for item in inspect(assemble(text)).exports}
    assert found == {
        "f": (Kind.FUNCTION, "i32 -> void"),
        "g": (Kind.GLOBAL, "global i64"),
        "t": (Kind.TABLE, "table 1 funcref"),
    }


def test_the_largest_functions_come_first(plugin: bytes) -> None:
    sizes = [item.size for item in inspect(plugin).biggest]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) <= 10


def test_instructions_are_counted(assemble: Assemble) -> None:
    assert inspect(assemble("(module (func nop nop))")).biggest[0].instructions == 3


def test_sections_fill_the_file(plugin: bytes) -> None:
    """What is missing is headers: 8 bytes of the file, and a few of every section."""
    found = inspect(plugin)
    missing = found.size - sum(item.size for item in found.sections)
    assert 8 < missing < 8 + 40 * len(found.sections)


def test_names_without_dwarf_are_names_only() -> None:
    assert inspect(sample("allow_header_c")).debug.kind.value == "names only"


def test_a_module_without_any_is_told_so(assemble: Assemble) -> None:
    assert inspect(assemble("(module (func))")).debug.kind.value == "none"


def test_a_source_map_is_found(assemble: Assemble) -> None:
    wasm = assemble("(module)") + section(0, name("sourceMappingURL") + name("./plugin.wasm.map"))
    assert inspect(wasm).debug.source_map == "./plugin.wasm.map"


def test_a_broken_producers_section_gives_what_could_be_read(assemble: Assemble) -> None:
    field = name("language") + vector([name("Rust") + name(""), name("C99")])
    wasm = assemble("(module)") + section(0, name("producers") + b"\x02" + field)
    assert [item.name for item in inspect(wasm).producers] == ["Rust"]
