"""What is collected, against what the engine in Python counts instruction by instruction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from debugging import inputs_for, requests
from wat import callback, plugin

from simwasm.coverage.collector import Collector
from simwasm.coverage.summary import summarize
from simwasm.coverage.values import Covered, Source
from simwasm.debug.following import Following
from simwasm.engines import find
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.wasm.encode import name, section

ROOT = Path(__file__).parents[2]
SOURCE = "samples/allow_header/src/lib.rs"
_NOP = 1
BODY = "(if (local.get 1) (then (drop (call $unused))))"
UNUSED = "(func $unused (result i32) (i32.const 1))"


def source(covered: Covered, end: str = SOURCE) -> Source:
    (found,) = [each for each in covered.ground.sources if each.path.endswith(end)]
    return found


def text_of(line: int) -> str:
    """A line of that file."""
    return (ROOT / SOURCE).read_text().splitlines()[line - 1]


def test_lines_and_functions_are_those_that_were_counted(debug: Plugin, refused: Covered) -> None:
    """All of them, those of libraries and those that were inlined, too; but the end of a function is no code."""
    following = Following(inputs_for(debug, requests(1)))
    with following.session() as session:
        list(session.replay(requests(1)))
    (counted,) = following.profiles().values()
    code = counted.code
    happened = [offset for offset in counted.counts if code.text(offset) != "end"]
    lines = {(place.file, place.line) for place in map(code.place, happened) if place is not None}
    ran = refused.ran()
    reached, missed = set[tuple[str, int]](), set[tuple[str, int]]()
    for each in refused.ground.sources:
        for line, blocks in each.lines.items():
            (reached if any(ran[block] for block in blocks) else missed).add((each.path, line))
    assert lines - reached == set()
    assert lines & missed == set()
    functions = {each.number for each in refused.ground.functions if any(ran[each.first : each.end])}
    assert functions == {each.function for each in counted.functions}


def test_a_line_that_only_another_request_reaches(both: tuple[Covered, Covered]) -> None:
    few, all_lines = (summarize(each).sources[0].lines for each in both)
    assert {line for line, reached in few.items() if not reached} == {39}
    assert "Action::Continue" in text_of(39)
    assert all(all_lines.values())


def test_a_line_that_calls_what_was_inlined_has_code(refused: Covered) -> None:
    assert "proxy_wasm::set_log_level" in text_of(8)
    assert summarize(refused).sources[0].lines[8]


def test_functions_of_the_source_are_there_though_they_were_inlined(refused: Covered) -> None:
    names = {each.name.rpartition("::")[2]: each for each in summarize(refused).sources[0].functions}
    assert names["{{closure}}"].line == 9
    assert names["on_http_request_headers"].reached


def test_what_a_toolchain_brought_along_is_not_the_users(refused: Covered) -> None:
    own = [each.path for each in refused.ground.sources if each.own]
    assert own == [source(refused).path]
    assert any(each.path.endswith("dispatcher.rs") for each in refused.ground.sources)
    shown = summarize(refused)
    assert [each.source.path for each in shown.sources] == own
    assert len(summarize(refused, everything=True).sources) == len(refused.ground.sources)


@pytest.mark.parametrize("engine", ["wasmtime", "python"])
def test_callbacks_and_host_calls_are_counted_and_those_never_met_are_listed(engine: str) -> None:
    subject = plugin(
        '(import "env" "proxy_get_current_time_nanoseconds" (func $f (param i32) (result i32)))',
        '(import "env" "proxy_done" (func (result i32)))',
        callback("proxy_on_request_headers", "(drop (call $f (i32.const 8)))", BODY),
        callback("proxy_on_tick"),
        UNUSED,
    )
    collector = Collector([subject])
    exchange = Exchange("1", 0, request("GET", "/"))
    with Session([subject], engine=collector.covering(find.engine(engine))) as session:
        list(session.replay([exchange] * 3))
    (found,) = collector.covered()
    assert dict(found.callbacks) == {"proxy_on_request_headers": 3, "proxy_on_tick": 0}
    assert dict(found.host_calls) == {"proxy_done": 0, "proxy_get_current_time_nanoseconds": 3}
    assert not found.ground.sources
    assert "no debug information" in found.ground.no_lines


def mapped(plugin: Plugin, *lines: tuple[int, int]) -> Plugin:
    """The plugin with a source map: which line begins at which offset."""
    before, segments = (0, 0), []
    for each in lines:
        (offset, line), before = ((new - old) << 1 for new, old in zip(each, before, strict=True)), each
        segments.append(f"{_coded(offset)}A{_coded(line)}A")
    content = {"version": 3, "sources": ["assembly/a.ts"], "mappings": ",".join(segments)}
    url = f"data:application/json,{json.dumps(content)}"
    return Plugin("mapped", plugin.wasm + section(0, name("sourceMappingURL") + name(url)))


def _coded(number: int) -> str:
    """A number of a source map, its sign the lowest bit."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    coded = ""
    while number > 31:
        coded, number = coded + digits[number & 31 | 32], number >> 5
    return coded + digits[number]


def test_lines_come_from_a_source_map_too() -> None:
    subject = plugin(callback("proxy_on_request_headers", "(if (local.get 2) (then (nop)) (else (nop)))"))
    body = subject.module.bodies[0]
    code = body.code
    then, other, *_ = (at for at in range(code, body.end) if subject.wasm[at] == _NOP)
    subject = mapped(subject, (code, 6), (then, 7), (other, 8), (other + 1, 9), (body.end - 1, 9))
    collector = Collector([subject])
    with Session([subject], engine=collector.covering(find.engine("wasmtime"))) as session:
        list(session.replay([Exchange("1", 0, request("GET", "/"))]))
    (shown,) = summarize(collector.covered()[0]).sources
    assert shown.path == "assembly/a.ts"
    assert shown.lines == {7: True, 8: True, 9: False, 10: True}
    assert [(each.name, each.line) for each in shown.functions] == [("proxy_on_request_headers", 7)]


def test_sessions_that_are_open_count_and_several_add_up(debug: Plugin) -> None:
    subject = plugin(callback("proxy_on_request_headers", "(if (local.get 1) (then (nop)))"))
    collector = Collector([subject])
    engine = collector.covering(find.engine("wasmtime"))
    exchange = Exchange("1", 0, request("GET", "/"))
    with Session([subject], engine=engine) as session:
        list(session.replay([exchange]))
        (one,) = collector.covered()
        with Session([subject], engine=engine) as other:
            list(other.replay([exchange]))
            (two,) = collector.covered()
    (after,) = collector.covered()
    assert [each.callbacks["proxy_on_request_headers"] for each in (one, two, after)] == [1, 2, 2]
    assert one.reached == two.reached == after.reached > 0
