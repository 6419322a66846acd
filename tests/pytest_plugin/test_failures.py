"""What a failed test shows: why, with the callback; what crossed the ABI; and where the trace is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from projects import Project, Reports, reports

from simwasm.debug.session_file import load
from simwasm.testing import Result, load_plugin
from simwasm.trace.file import TraceFile, open_trace

_SENT = '    result = plugin.send("GET", "/status/418")\n'
_CALLBACK = "→ proxy_on_request_headers(context_id: 2, num_headers: 6, end_of_stream: true)"

WHY = {
    "a status": (
        "result.response.status == 200",
        (
            "assert 403 == 200",
            "the client received 403, from the plugin",
            _CALLBACK,
            "> 15      proxy_send_local",
        ),
    ),
    "a status that was kept": (
        "(status := result.response.status) == 200",
        ("the client received 403, from the plugin",),
    ),
    "an action": (
        "result.action('proxy_on_request_headers') is Action.CONTINUE",
        ("assert Action.PAUSE is Action.CONTINUE", _CALLBACK, "> 16  ← PAUSE"),
    ),
    "an action of a result without a name": (
        "plugin.send('GET', '/').action('proxy_on_request_headers') is Action.CONTINUE",
        ("← PAUSE",),
    ),
    "the log": (
        "result.logs.contains('hello')",
        ("logged was:", "[info] #2 wasm-rust: allow header not found or is not true, deny by default"),
    ),
    "the upstream that was not called": (
        "result.upstream.called",
        ("the upstream was not called", "the client received 403, from the plugin", "> 16  ← PAUSE"),
    ),
    "the upstream that was called": (
        "not plugin.send('GET', '/b', headers={'allow': 'true'}).upstream.called",
        ("the upstream received GET /b", "headers: allow: true"),
    ),
    "a header that is not there": (
        "'x-foo' in result.response.headers",
        ("assert 'x-foo' in the headers", "content-type: text/plain"),
    ),
    "the value of a header, and where it was written": (
        "result.response.headers['Content-Type'] == 'text/html'",
        ("- text/html", "+ text/plain", "> 15      proxy_send_local_response"),
    ),
    "all headers": (
        "result.response.headers == {'Content-Type': 'text/html', 'server': 'envoy'}",
        ("- content-type: text/html", "+ content-type: text/plain", "\nserver: envoy"),
    ),
    "a body of text": (
        "result.response.body == b'Forbidden by XSM'",
        (
            "assert 43 bytes == 16 bytes",
            "They differ from byte 13 on.",
            "- 'Forbidden by XSM'",
            "+ 'Forbidden by ASM",
        ),
    ),
    "a body of bytes": (
        r"result.response.body == b'\x00\xff'",
        (
            "- 00000000  00 ff ",
            "+ 00000000  46 6f 72 62 69 64 64 65 6e 20 62 79 20 41 53 4d  Forbidden by ASM",
        ),
    ),
    "a budget": (
        "result.cost.instructions < 50",
        (
            "it cost 11,834 instructions, 4 host calls",
            "by callback, the dearest first:",
            "proxy_on_request_headers",
        ),
    ),
    "what never must be": (
        "result.trace.never('proxy_log')",
        ("`proxy_log` is called in row 12, the first of 2 calls", "> 12      proxy_log"),
    ),
    "a count": (
        "result.trace.count('proxy_log level:INFO') == 7",
        ("assert 2 == 7", "`proxy_log level:INFO` fits:", "12  proxy_log("),
    ),
    "the log of a plugin": (
        "plugin.logs.contains('hello')",
        ("logged was:", "[info] #2 wasm-rust: on_http_request_headers"),
    ),
    "the cost of a plugin": ("plugin.cost.instructions < 50", ("proxy_on_vm_start",)),
    "metrics": ("plugin.metrics", ("it has no metrics",)),
    "problems": ("plugin.problems", ("it has no problems",)),
    "the problems of a result": ("result.problems", ("it has no problems",)),
    "callouts": ("result.callouts", ("no cluster was called",)),
}
"""An expectation that is not met, and what is told."""


_TESTS = """
def test_something_else(plugin):
    plugin.send("GET", "/")
    assert 1 == 2

def test_two_exchanges(plugin):
    plugin.send("GET", "/status/418")
    plugin.send("GET", "/b")
    assert 0

class TestTwo:
    @pytest.mark.parametrize("path", ["/a b"])
    def test_plugins(self, simwasm_plugin, path):
        for name in "ab":
            simwasm_plugin(name=name).send("GET", "/")
        assert 0

def test_loaded():
    load_plugin("allow.wasm").send("GET", "/b")
    assert 0

@pytest.mark.simwasm("config.wasm", config="{")
def test_not_started(plugin):
    plugin.send("GET", "/")

def test_input(plugin):
    plugin.send("GET", "/", headers=5)

def test_fine(plugin):
    plugin.send("GET", "/")
"""


class Failures(NamedTuple):
    """All of them, of one run."""

    reports: Reports
    folder: Path

    def trace(self, name: str) -> TraceFile:
        """The trace that a test has left."""
        return open_trace(self.folder / ".simwasm" / "test_it.py" / f"{name}.trace.jsonl")


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory, imported: None) -> Failures:
    """A run in which all of these failed."""
    tests = (
        f"def test_why_{number}(plugin):\n{_SENT}    assert {expectation}\n"
        for number, (expectation, _) in enumerate(WHY.values())
    )
    folder = tmp_path_factory.mktemp("failures")
    return Failures(reports(folder, "\n".join((*tests, _TESTS))), folder)


def played(session: Path) -> tuple[Result, ...]:
    """What becomes of the exchanges of a session file."""
    recipe = load(session).recipe
    return load_plugin(recipe.plugin, callout=recipe.callout).replay(*recipe.traffic)


@pytest.mark.parametrize("what", WHY)
def test_an_expectation_that_is_not_met_is_explained(failures: Failures, what: str) -> None:
    why = failures.reports.why(f"test_why_{list(WHY).index(what)}")
    assert [each for each in WHY[what][1] if each not in why] == []


def test_an_assertion_of_something_else_is_left_as_it_is(failures: Failures) -> None:
    assert failures.reports.why("test_something_else") == "assert 1 == 2"


def test_the_arrow_log_of_each_exchange_is_a_section(failures: Failures) -> None:
    section = failures.reports.section("test_two_exchanges", "simwasm: allow on ")
    begin = f"── GET /status/418: 403\n→ proxy_on_context_create(context_id: 2, parent_context_id: 1)\n{_CALLBACK}\n"
    assert section.startswith(begin)
    assert "── GET /b: 403\n" in section


def test_the_trace_is_left_and_opened_at_the_row(failures: Failures) -> None:
    said = failures.reports.section("test_why_0", "simwasm: the trace")
    assert "  simwasm debug .simwasm/test_it.py/test_why_0.trace.jsonl --row 15\n" in said
    trace = failures.trace("test_why_0")
    assert trace.rows[14].entered.function.name == "proxy_send_local_response"
    assert trace.outcomes[0].status == 403


def test_every_plugin_of_a_test_leaves_its_trace(failures: Failures) -> None:
    said = failures.reports.section("TestTwo::test_plugins[/a b]", "simwasm: the trace")
    files = [line for line in said.splitlines() if not line.startswith(" ")]
    assert [open_trace(failures.folder / file).header.plugins[0].name for file in files] == ["a", "b"]


def test_a_plugin_that_a_test_loads_by_itself_is_told_of_too(failures: Failures) -> None:
    assert "── GET /b: 403" in failures.reports.section("test_loaded", "simwasm: allow on ")
    assert failures.trace("test_loaded").outcomes[0].name == "GET /b"


def test_a_plugin_that_does_not_start_shows_how_far_it_came(failures: Failures) -> None:
    assert "→ proxy_on_configure(" in failures.reports.section("test_not_started", "simwasm: config on ")


def test_an_error_of_ours_shows_the_line_of_the_test_and_not_our_own(failures: Failures) -> None:
    told = failures.reports.failed["test_input"]
    assert ">       plugin.send('GET', '/', headers=5)".replace("'", '"') in told
    assert "given.py" not in told


def test_a_passing_test_leaves_nothing(failures: Failures) -> None:
    assert "test_fine" in failures.reports.passed
    assert not list(failures.folder.rglob("test_fine*"))


def test_a_folder_of_traces_is_not_committed_by_accident(failures: Failures) -> None:
    assert (failures.folder / ".simwasm" / ".gitignore").read_text() == "*\n"


def test_traces_go_where_they_are_wanted(project: Project) -> None:
    project.test(
        "def test(plugin):\n    plugin.send('GET', '/')\n    assert 0\n", "--simwasm-traces=out/traces"
    )
    ends = (".simwasm", ".trace.jsonl", ".traffic.jsonl")
    assert project.files("out/traces") == [f"test_it.py/test{end}" for end in ends]


def test_a_test_that_passes_again_takes_its_trace_away(project: Project) -> None:
    project.test("def test(plugin):\n    plugin.send('GET', '/')\n    assert 0\n")
    project.test("def test(plugin):\n    plugin.send('GET', '/')\n")
    assert project.files(".simwasm") == [".gitignore"]


def test_a_file_that_cannot_be_written_is_told(project: Project) -> None:
    project.write("traces", "a file")
    ran = project.test(
        "def test(plugin):\n    plugin.send('GET', '/')\n    assert 0\n", "--simwasm-traces=traces"
    )
    assert "the trace could not be written" in ran


def test_a_run_that_files_can_tell_is_left_as_a_session_that_plays_it_again(failures: Failures) -> None:
    said = failures.reports.section("test_why_0", "simwasm: the trace")
    assert "  simwasm debug .simwasm/test_it.py/test_why_0.simwasm --row 15" in said
    (result,) = played(failures.folder / ".simwasm" / "test_it.py" / "test_why_0.simwasm")
    assert result.response.status == 403


def test_answers_of_a_test_are_in_the_session(project: Project) -> None:
    project.test(
        """
        @pytest.mark.simwasm("auth.wasm")
        def test(plugin):
            plugin.upstream("auth").replies(200, headers={"x": "y"}, body="in", after=0.02)
            plugin.upstream().replies(418, body="tea")
            assert plugin.send("GET", "/").response.status == 5
        """
    )
    (result,) = played(project.path / ".simwasm" / "test_it.py" / "test.simwasm")
    assert (result.response.status, result.response.body) == (418, b"tea")


def test_a_run_that_no_file_tells_leaves_its_trace_alone(project: Project) -> None:
    project.test(
        """
        def test(plugin):
            plugin.property("source.address", "10.0.0.1:1")
            plugin.send("GET", "/")
            assert 0
        """
    )
    assert project.files(".simwasm") == [".gitignore", "test_it.py/test.trace.jsonl"]


def test_what_is_not_asserted_fails_too(project: Project) -> None:
    ran = project.test("def test(plugin):\n    plugin.send('GET', '/').trace.never('proxy_log')\n")
    assert ran.outcomes == {"failed": 1}
    assert "`proxy_log` is called in row 12, the first of 2 calls" in ran
    assert "is there an `assert` missing?" in ran


def test_an_expectation_that_was_looked_at_need_not_be_met(project: Project) -> None:
    ran = project.test(
        "def test(plugin):\n    print(plugin.send('GET', '/').trace.never('proxy_log').holds)\n"
    )
    assert ran.outcomes == {"passed": 1}


def test_a_fault_that_never_happened_is_warned_of(project: Project) -> None:
    ran = project.test(
        "def test(plugin):\n    plugin.fault('callout:auht=reset')\n    plugin.send('GET', '/')\n",
        "-Wdefault",
    )
    assert ran.outcomes == {"passed": 1, "warnings": 1}
    assert "the fault callout:auht=reset never happened: the test did not come there" in ran


def test_an_assertion_that_pytest_has_not_read_is_explained_too(project: Project) -> None:
    ran = project.test(
        "def test(plugin):\n    assert plugin.send('GET', '/').response.status == 200\n", "--assert=plain"
    )
    assert "the client received 403, from the plugin" in ran


def test_causes_within_simwasm_are_not_shown(project: Project) -> None:
    ran = project.test(
        "def test(plugin):\n    plugin.fault('trap:_initialize')\n    plugin.send('GET', '/')\n"
    )
    assert "Failed to initialize Wasm code" in ran
    assert "link.py" not in ran


ELSEWHERE = {
    "a unittest": """
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def given(self, plugin):
                self.plugin = plugin

            def test(self):
                result = self.plugin.send("GET", "/")
                assert result.response.status == 200
        """,
    "a plugin of an earlier test": """
        @pytest.fixture(scope="session")
        def shared():
            return load_plugin("allow.wasm")

        def test_earlier(shared):
            pass

        def test(shared):
            assert shared.send("GET", "/").response.status == 200
        """,
    "a line of two statements": """
        def test(plugin):
            result = plugin.send("GET", "/"); assert result.response.status == 200
        """,
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_assertions_elsewhere_are_explained_too(project: Project, what: str) -> None:
    ran = project.test(ELSEWHERE[what])
    assert "the client received 403, from the plugin" in ran.why()
    assert "--row 15" in ran
