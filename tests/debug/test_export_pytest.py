"""Tests that the debugger writes: they pass as they are, are to be read, and fail when the plugin does something else.

All of them are run by one pytest, in this process.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import ROOT
from exporting import ENGINES, HTTP_AUTH, OPTIONS, TRAFFIC, recipe, rows_of, run, subject
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import Reports, ran_in
from switchboard import DOWNSTREAM_DATA, UPSTREAM_DATA, Case, nth, switchboard
from wat import callback, plugin

from simwasm.abi.enums import HeadersAction, Status
from simwasm.conversation import client, conversation, upstream
from simwasm.debug.branch import Override
from simwasm.debug.debugger import Debugger
from simwasm.debug.export import export
from simwasm.debug.export_pytest import header_fact, status_fact
from simwasm.debug.export_pytest import test_file as file_of_test
from simwasm.debug.export_subject import Subject
from simwasm.errors import InputError
from simwasm.exchange import Exchange, request, response
from simwasm.recipe import Recipe
from simwasm.trace.rows import Kind, Row
from simwasm.traffic import jsonl

FACTS: dict[str, Callable[[Row], bool]] = {
    "callback": lambda row: (
        row.kind is Kind.CALLBACK and row.entered.function.name == "proxy_on_http_call_response"
    ),
    "action": lambda row: row.kind is Kind.RETURN and row.entered.function.name == "proxy_on_request_headers",
    "log": lambda row: row.entered.function.name == "proxy_log",
    "callout": lambda row: row.entered.function.name == "proxy_http_call",
    "header": lambda row: row.entered.function.name == "proxy_get_header_map_value",
}
HEADERS = {"response": "content-type", "response missing": "x-none", "request": ":path"}
SAMPLES = {
    "rate_limit": recipe("rate_limit"),
    "config_loading": recipe("config_loading", **OPTIONS["config_loading"]),
    **{f"allow_header on {name}": recipe("allow_header", engine=name) for name in ENGINES},
}
OTHERWISE: dict[str, dict[str, Any]] = {
    "together": {"together": True},
    "concurrency": {"concurrency": 2},
    "faults": {"fault": ("callout:auth#1=reset",)},
    "several": {"traffic": (*HTTP_AUTH.traffic, str(TRAFFIC / "http_auth.tap.jsonl"))},
    "options": {"env": ("A=1",), "seed": 7, "fail_policy": "open", "log_level": "debug"},
}
"""Recipes that have more than a plugin and a recording."""


class Written:
    """A folder with tests, what they say, and what became of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._reports = Reports()

    def add(self, name: str, text: str) -> None:
        """Write a test."""
        self.texts[name] = text
        (self.folder / f"test_{len(self.texts)}.py").write_text(text)

    def run(self) -> None:
        """Run all of them."""
        self._reports = ran_in(self.folder, "-W", "error")

    def failure(self, name: str) -> str:
        """What is told of a test that fails; nothing if it passes."""
        begin = f"test_{[*self.texts].index(name) + 1}.py::"
        failed = [text for test, text in self._reports.failed.items() if test.startswith(begin)]
        passed = [test for test in self._reports.passed if test.startswith(begin)]
        assert len(failed) + len(passed) == 1, "it was not run"
        return "".join(failed)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Tests of all kinds, written and run."""
    found = Written(tmp_path_factory.mktemp("written"))
    for name, text in _all(found.folder):
        found.add(name, text)
    found.run()
    return found


def _all(folder: Path) -> Iterator[tuple[str, str]]:
    for exchange in (0, 1):
        for fact, fits in FACTS.items():
            row = next(row for row in rows_of(HTTP_AUTH, exchange) if fits(row))
            yield f"{fact} {exchange}", export("test", subject(HTTP_AUTH, exchange, row, folder))
    about = subject(HTTP_AUTH, 0, folder=folder)
    for side, header in HEADERS.items():
        yield f"header of {side}", file_of_test(about, header_fact(about, side.split()[0], header))
    yield "status", export("test", subject(HTTP_AUTH, 1, folder=folder))
    for name, options in OTHERWISE.items():
        made = replace(HTTP_AUTH, **options)
        last = len(run(made)[1].spans) - 1
        row = [row for row in rows_of(made, last) if row.kind is Kind.HOST_CALL][-1]
        yield name, export("test", subject(made, last, row, folder))
        yield f"status {name}", export("test", subject(made, last, folder=folder))
    for row in rows_of(HTTP_AUTH, 1):
        yield f"every {row.position}", export("test", subject(HTTP_AUTH, 1, row, folder))
    yield from _of_samples(folder)
    yield from _of_branches(folder)
    yield from _of_own_plugins(folder)
    yield from _of_connections(folder)
    yield from _that_fail(folder)


def _of_samples(folder: Path) -> Iterator[tuple[str, str]]:
    """Tests of the last host call of the last exchange, which knows what the others left behind."""
    for name, made in SAMPLES.items():
        last = len(run(made)[1].spans) - 1
        row = [row for row in rows_of(made, last) if row.kind is Kind.HOST_CALL][-1]
        yield f"sample {name}", export("test", subject(made, last, row, folder))
        yield f"sample {name} status", export("test", subject(made, last, folder=folder))


def _of_branches(folder: Path) -> Iterator[tuple[str, str]]:
    callout = next(row for row in rows_of(HTTP_AUTH, 0) if FACTS["callout"](row))
    text = other_branch(callout, Override(Status.BAD_ARGUMENT), folder)
    yield "branch", text
    said = '    plugin.instead("proxy_http_call", Status.BAD_ARGUMENT)\n'
    assert said in text
    yield "branch left out", text.replace(said, "")
    again = text.replace("Status.BAD_ARGUMENT)", "Status.BAD_ARGUMENT, nth=7)").replace("> 0", "> 7")
    yield "branch of a call that is not made", again
    header = next(row for row in rows_of(HTTP_AUTH, 1) if FACTS["header"](row))
    yield "branch of a value", other_branch(header, Override(Status.OK, ("Bearer let-me-in",)), folder)
    row = next(row for row in rows_of(HTTP_AUTH, 1) if FACTS["action"](row))
    said_back = Override(result=HeadersAction.STOP_ALL_AND_WATERMARK, callback=True)
    yield "branch of a callback", other_branch(row, said_back, folder, at_row=True)


def other_branch(row: Row, said: Override, folder: Path, *, at_row: bool = False) -> str:
    """The test of the exchange of a row, or of the row, on a branch that goes another way there."""
    inputs, tape = run(HTTP_AUTH)
    debugger = Debugger(inputs)
    try:
        debugger.open().result()
        debugger.override(tape.opening(row.position), said).result()
        branch = debugger.branch
        span = branch.tape.span_at(row.position)
        about = branch.tape.rows[branch.tape.rows.at(row.position)] if at_row else None
        return export("test", Subject(inputs, branch.tape, span, about, HTTP_AUTH, folder, branch.overrides))
    finally:
        debugger.close()


def _of_own_plugins(folder: Path) -> Iterator[tuple[str, str]]:
    (folder / "traps.wasm").write_bytes(plugin(callback("proxy_on_request_headers", "unreachable")).wasm)
    with (folder / "t.jsonl").open("wb") as file:
        jsonl.write([Exchange("1", 0, request("GET", "/"), response(200))], file)
    made = Recipe(str(folder / "traps.wasm"), (str(folder / "t.jsonl"),))
    row = next(row for row in rows_of(made, 0) if row.kind is Kind.TRAP)
    yield "trap", export("test", subject(made, 0, row, folder))
    leaving = replace(HTTP_AUTH, fault=("client=gone@0",))
    yield "reset", export("test", subject(leaving, 0, folder=folder))
    yaml = folder / "plugin.yaml"
    yaml.write_text(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: config-loading}\n"
        "spec: {url: 'oci://example.com/x', pluginConfig: {header: x-by, value: me}}\n"
    )
    module = str(ROOT / "samples" / "config_loading" / "plugin.wasm")
    named = Recipe(str(yaml), (str(TRAFFIC / "config_loading.har"),), module=(module,))
    about = subject(named, 0, folder=folder)
    yield "yaml", file_of_test(about, header_fact(about, "response", "x-by"))


def _of_connections(folder: Path) -> Iterator[tuple[str, str]]:
    """A connection whose first bytes wait for the next."""
    gate = switchboard([Case("", {DOWNSTREAM_DATA: [], UPSTREAM_DATA: []}, {nth(DOWNSTREAM_DATA, 1): 1})])
    (folder / "gate.wasm").write_bytes(gate)
    talk = conversation("1", (client(b"PING"), client(b"!", after_ns=5), upstream(b"PONG", after_ns=5)))
    with (folder / "talk.jsonl").open("wb") as file:
        jsonl.write([talk], file)
    made = Recipe(str(folder / "gate.wasm"), (str(folder / "talk.jsonl"),), network=True)
    yield "connection", export("test", subject(made, folder=folder))
    row = [row for row in rows_of(made, 0) if row.kind is Kind.RETURN][2]
    yield "connection row", export("test", subject(made, 0, row, folder))


def _that_fail(folder: Path) -> Iterator[tuple[str, str]]:
    """The same recording, and a service that lets nobody in; and a line that is not logged."""
    other = replace(HTTP_AUTH, callout=("auth=403",))
    yield "other service", export("test", replace(subject(HTTP_AUTH, 0, folder=folder), recipe=other))
    for fact in ("callout", "log"):
        row = next(row for row in rows_of(HTTP_AUTH, 0) if FACTS[fact](row))
        text = export("test", subject(HTTP_AUTH, 0, row, folder))
        yield f"other {fact}", text.replace("auth answered 200", "hi").replace('"/check"', '"/other"')


# Tests that pass.


@pytest.mark.parametrize("exchange", [0, 1])
@pytest.mark.parametrize("fact", FACTS)
def test_a_test_of_any_row_passes(written: Written, fact: str, exchange: int) -> None:
    assert not written.failure(f"{fact} {exchange}")


def test_a_test_of_every_row_passes(written: Written) -> None:
    failed = [each for each in written.texts if each.startswith("every ") and written.failure(each)]
    assert not failed


@pytest.mark.parametrize("name", SAMPLES)
def test_tests_of_other_samples_pass(written: Written, name: str) -> None:
    assert not written.failure(f"sample {name}")
    assert not written.failure(f"sample {name} status")


@pytest.mark.parametrize("name", OTHERWISE)
def test_tests_of_recipes_with_more_in_them_pass(written: Written, name: str) -> None:
    assert not written.failure(name)
    assert not written.failure(f"status {name}")


@pytest.mark.parametrize("side", HEADERS)
def test_a_test_of_a_header_passes(written: Written, side: str) -> None:
    assert not written.failure(f"header of {side}")


def test_a_test_of_a_trap_passes(written: Written) -> None:
    assert not written.failure("trap")
    assert "assert trap.kind is TrapKind.UNREACHABLE" in written.texts["trap"]


def test_a_test_of_an_exchange_that_was_cut_off_passes(written: Written) -> None:
    assert not written.failure("reset")
    assert "assert result.answer is None" in written.texts["reset"]


def test_a_test_of_a_wasm_plugin_passes(written: Written) -> None:
    assert not written.failure("yaml")
    assert 'assert result.response.headers["x-by"] == "me"' in written.texts["yaml"]


def test_a_test_of_a_connection_passes(written: Written) -> None:
    assert not written.failure("connection")
    assert not written.failure("connection row")
    assert 'assert result.received == b"PONG"' in written.texts["connection"]


# Branches.


def test_a_test_of_a_branch_says_what_was_said_there(written: Written) -> None:
    """A callout that cannot be sent is answered by 503."""
    assert not written.failure("branch")
    assert "assert result.response.status == 503" in written.texts["branch"]


def test_a_test_of_a_branch_fails_without_what_was_said(written: Written) -> None:
    assert "assert 200 == 503" in written.failure("branch left out")


def test_a_test_of_a_branch_gives_values(written: Written) -> None:
    assert not written.failure("branch of a value")
    assert "assert result.response.status == 200" in written.texts["branch of a value"]


def test_a_test_of_a_branch_knows_what_a_callback_returns_there(written: Written) -> None:
    assert not written.failure("branch of a callback")
    line = 'assert result.action("proxy_on_request_headers") is HeadersAction.STOP_ALL_AND_WATERMARK'
    assert line in written.texts["branch of a callback"]


def test_a_test_tells_that_a_call_is_not_made_any_more(written: Written) -> None:
    assert 'plugin.trace.count("proxy_http_call") > 7' in written.failure("branch of a call that is not made")


# Tests that fail.


def test_a_test_fails_when_the_plugin_does_something_else(written: Written) -> None:
    assert "assert 403 == 200" in written.failure("other service")


def test_a_test_of_a_host_call_fails_when_it_is_not_made(written: Written) -> None:
    assert "proxy_http_call is not called with these arguments" in written.failure("other callout")
    assert "nothing fits `call:proxy_log" in written.failure("other log")


# What is written.


def test_a_test_is_to_be_read() -> None:
    assert (
        export("test", subject(HTTP_AUTH, 1))
        == '''\
"""GET /get: the client receives 403."""

import pytest
from simwasm.testing import PluginUnderTest


@pytest.mark.simwasm(
    "samples/http_auth/plugin.wasm",
    callout={"auth": "traces/traffic/http_auth.callouts.json"},
)
def test_get_get_is_answered_with_403(plugin: PluginUnderTest) -> None:
    result = plugin.replay("traces/traffic/http_auth.har")[1]
    assert result.response.status == 403
    assert result.local_reply is not None
'''
    )


def test_a_host_call_is_told_as_a_filter_where_that_says_all_of_it() -> None:
    row = next(row for row in rows_of(HTTP_AUTH, 1) if FACTS["log"](row))
    text = export("test", subject(HTTP_AUTH, 1, row))
    assert """result.trace.has('call:proxy_log level:INFO log="auth answered 401" status:OK')""" in text


def test_paths_in_a_test_lead_there_from_its_folder() -> None:
    text = export("test", subject(HTTP_AUTH, 1, folder=ROOT / "tests" / "debug"))
    assert 'plugin.replay("../../traces/traffic/http_auth.har")' in text
    assert str(ROOT) not in text


def test_options_and_files_are_written_into_a_test(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_bytes(b"{}")
    about = subject(HTTP_AUTH, folder=tmp_path)
    made = replace(HTTP_AUTH, config=f"@{tmp_path / 'plugin.json'}", env=("A=1",), seed=7, fail_policy="open")
    text = export("test", replace(about, recipe=made))
    assert 'config="@plugin.json"' in text
    assert 'env={"A": "1"}' in text
    assert "seed=7" in text
    assert 'fail_policy="open"' in text
    assert 'callout={"auth": "../' in text


@settings(max_examples=20)
@given(st.text())
def test_whatever_an_exchange_is_called_its_test_is_python(name: str) -> None:
    about = subject(HTTP_AUTH, 1)
    span = replace(about.exchange_span(), exchange=replace(about.exchange(), name=name))
    ast.parse(export("test", replace(about, span=span)))


# What cannot be written.


def test_a_test_may_not_read_standard_input() -> None:
    with pytest.raises(InputError, match="the config was read from standard input"):
        export("test", replace(subject(HTTP_AUTH), recipe=replace(HTTP_AUTH, config="@-")))


def test_an_exchange_that_has_not_ended_has_nothing_to_assert() -> None:
    about = subject(HTTP_AUTH)
    with pytest.raises(InputError, match="has not ended"):
        status_fact(replace(about, span=replace(about.exchange_span(), outcome=None)))


def test_what_happens_for_no_exchange_is_in_no_result() -> None:
    tape = run(HTTP_AUTH)[1]
    last = tape.rows[len(tape.rows) - 1]
    with pytest.raises(InputError, match="this happens for no exchange"):
        export("test", subject(HTTP_AUTH, 2, last))
