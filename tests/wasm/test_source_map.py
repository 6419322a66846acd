"""Source maps: that of a module of AssemblyScript, and what is none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial

import pytest
from debugged import FOLDER, read
from hypothesis import given
from hypothesis import strategies as st

from simwasm.sources import beside
from simwasm.wasm.debuginfo import DebugKind, inspect_debug_info
from simwasm.wasm.encode import name, section
from simwasm.wasm.lines import Lines, Place
from simwasm.wasm.names import function_names
from simwasm.wasm.reader import read_module
from simwasm.wasm.source_map import SourceMap

Assemble = Callable[..., bytes]
HERE = partial(beside, FOLDER)


def mapped(function: str) -> set[Place]:
    """The lines of a function of mapped.wasm, without their columns."""
    module = read("mapped.wasm")
    names = function_names(module)
    body = module.bodies[names.index(function) - (len(names) - len(module.bodies))]
    found = map(Lines(module, HERE).at, range(body.code, body.end))
    return {place._replace(column=0) for place in found if place is not None}


def test_instructions_of_assemblyscript_have_their_lines() -> None:
    text = (FOLDER / "mapped.ts").read_text().splitlines()
    twice = mapped("mapped/twice")
    assert {text[place.line - 1].strip() for place in twice} == {"pause(value);", "return value * 2;"}
    assert {place.file for place in twice | mapped("mapped/run")} == {"mapped.ts"}


def test_a_function_that_the_map_leaves_out_has_not_the_line_of_the_one_before() -> None:
    assert mapped("~start") == set()


def test_the_text_of_a_source_file_may_be_in_the_map() -> None:
    lines = Lines(read("mapped.wasm"), HERE)
    assert lines.content("mapped.ts") == (FOLDER / "mapped.ts").read_text()
    assert lines.content("none.ts") is None


def test_health_tells_of_the_map_or_that_it_is_not_there() -> None:
    module = read("mapped.wasm")
    assert inspect_debug_info(module, HERE).kind is DebugKind.MAP
    found = inspect_debug_info(module)
    assert (found.kind, found.source_map) == (DebugKind.NAMES, "./mapped.wasm.map")
    assert found.problem == "the source map is not beside the plugin"
    assert inspect_debug_info(module, lambda name: b"{").problem == "the source map is broken"


def test_a_map_can_be_within_its_url(assemble: Assemble) -> None:
    content = json.dumps({"version": 3, "sources": ["a.ts"], "mappings": "AACA"})
    coded = base64.b64encode(content.encode()).decode()
    for url in (f"data:application/json;base64,{coded}", f"data:application/json,{content}"):
        module = read_module(
            assemble("(module (func nop))") + section(0, name("sourceMappingURL") + name(url))
        )
        assert Lines(module).at(module.bodies[0].code) is None  # what is before the code is not the code's
        assert Lines(module).there


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("./plugin.wasm.map", "plugin.wasm.map"),
        ("http://example.com/maps/plugin.wasm.map?x=1", "plugin.wasm.map"),
        ("../../etc/passwd", "passwd"),
        ("file:///etc/passwd", "passwd"),
        ("..%2f..%2fetc%2fpasswd", "passwd"),
        ("a\\b.map", "b.map"),
        ("..", None),
        ("http://[", "["),
        ("", None),
    ],
)
def test_a_map_is_looked_for_beside_the_plugin_and_nowhere_else(
    assemble: Assemble, url: str, asked: str | None
) -> None:
    names: list[str] = []
    module = read_module(assemble("(module (func))") + section(0, name("sourceMappingURL") + name(url)))
    assert not Lines(module, lambda name: names.append(name)).there
    assert names == ([asked] if asked else [])


def test_a_map_may_be_made_of_several() -> None:
    inner = {"sources": ["a.ts"], "mappings": "AAAA,CAEA"}
    parts = [{"offset": {"line": 0, "column": start}, "map": inner} for start in (10, 100)]
    table = SourceMap(json.dumps({"sections": parts}).encode())
    assert [table.at(offset) for offset in (9, 10, 11, 100)] == [
        None,
        Place("a.ts", 1, 1),
        Place("a.ts", 3, 1),
        Place("a.ts", 1, 1),
    ]


def test_a_source_root_is_in_front_of_the_names() -> None:
    table = SourceMap(b'{"sourceRoot": "/src/", "sources": ["a/../b.ts"], "mappings": "AAAA"}')
    assert table.at(0) == Place("/src/b.ts", 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"{}", b'{"mappings": 5}', b'{"mappings": "AAAA"}', b'{"sources": 1, "mappings": "AAAA"}',
        b'{"sources": ["a"], "mappings": "AADA"}', b'{"sources": ["a"], "mappings": "' + b"g" * 1000 + b'"}',
        b'{"sources": ["a"], "mappings": "DAAA"}', b"[" * 100_000, b'{"sections": [1, {"map": []}]}',
        b'{"sources": [null], "mappings": "AAAA"}', b'{"sources": ["a"], "mappings": "AAgggggggggggggggggggggA"}',
    ],
)  # fmt: skip
def test_a_broken_map_has_no_lines(content: bytes) -> None:
    assert SourceMap(content).at(5) is None


@given(st.text("ABCDEZgh+/9,;= é", max_size=50))
def test_any_mappings_are_read(mappings: str) -> None:
    table = SourceMap(json.dumps({"sources": ["a"], "mappings": mappings}).encode())
    place = table.at(1 << 31)
    assert place is None or (place.file == "a" and place.line > 0)
