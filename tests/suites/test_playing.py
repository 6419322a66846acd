"""Suites, played: those of the samples pass, and what is not as expected is told with its line and row."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.reports.check import Check, Verdict
from simwasm.suites import find, play
from simwasm.suites.bench import Options
from simwasm.suites.case import Case
from simwasm.suites.run import Kept, run
from simwasm.trace.file import open_trace

ROOT = Path(__file__).parent.parent.parent
SUITES = ROOT / "traces" / "suites"
CASES = tuple(find.cases([str(SUITES)]))


@pytest.mark.parametrize("case", CASES, ids=[f"{Path(case.file).stem}: {case.name}" for case in CASES])
def test_the_suites_of_the_samples_pass(case: Case) -> None:
    check = run(case, Options())
    assert check.verdict in (Verdict.PASSED, Verdict.SKIPPED), check.details


PLAIN = Options()


def played(
    text: str, sample: str = "allow_header", kept: Kept | None = None, options: Options = PLAIN
) -> Check:
    """The one case of a suite: what `text` says after its name."""
    head = f"plugin: samples/{sample}/plugin.wasm\ncases:\n  - name: it\n"
    (case,) = play.cases_of(
        head + "".join(f"    {line}\n" for line in text.splitlines()), str(ROOT / "s.yaml")
    )
    return run(case, options, kept)


GET = "request: GET /\nexpect:\n  "


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("status: [200, 4xx]", 0, ""),
        ("status: 200", 6, "status: expected 200, came 403"),
        ("status: [200, 5xx]", 6, "status: expected 200 or 5xx, came 403"),
        ("headers: {content-type: text/html}", 6, 'header content-type: expected "text/html", came "text/plain"'),
        ("headers:\n    server: envoy\n    x-a: b", 8, 'header x-a: is not there, expected "b"'),
        ("body: ''", 6, 'body: expected "", came "Forbidden by ASM Wasm Plugin, rust version\\n"'),
        ("upstream: called", 6, "upstream: expected to be called, but it is not"),
        ("local_reply: false", 6, "local reply: expected none, came 403 ()"),
        ("local_reply: {status: 401}", 6, "local reply status: expected 401, came 403"),
        ("details: via_upstream", 6, 'details: expected "via_upstream", came ""'),
        ("reset: true", 6, "reset: expected, but there is none"),
        ("hung: true", 6, "expected to hang, but it ended"),
        ("trapped: true", 6, "trap: expected, but there is none"),
        ("took: '> 1s'", 6, "took: expected 1 s or more, came 0 s"),
        ("actions: {request_headers: continue}", 6, "proxy_on_request_headers: expected continue, came pause"),
        ("actions: {request_body: pause}", 6, "proxy_on_request_body: expected pause, but it did not happen"),
        ("logs: none", 6, "logs: expected none, came 2"),
        ("logs: [nothing like it]", 6, 'logs: no line has "nothing like it"'),
        ("logs: [{contains: deny, never: true}]", 6, 'logs: a line has "deny", which never should'),
        ("logs: [{level: info, count: 1}]", 6, "logs: lines of which each has level info: expected 1, came 2"),
        ("calls: [proxy_http_call]", 6, "`proxy_http_call` is never called"),
        ("calls: [{never: proxy_log}]", 6, "`proxy_log` is called in row 12, the first of 2 calls"),
        ("calls: [{count: proxy_log, at_most: 1}]", 6, "calls like `proxy_log`: expected 1 or less, came 2"),
        ("calls: [{before: [send_http_response, get_header]}]", 6,
         "`get_header` comes first, in row 13; `send_http_response` in row 15"),
        ("callouts: {auth: 1}", 6, "callouts of auth: expected 1, came 0"),
        ("cost: {instructions: < 1}", 6, "instructions: expected 0 or less, came "),
        ("cost: {callbacks: {request_body: 5}}", 6, "proxy_on_request_body: does not happen, so it costs nothing"),
        ("problems: [trap]", 6, "problem trap: expected, but there is none"),
        ("metrics: {hits: 1}", 6, "metric hits: is not defined"),
        ("shared_data: {hits: 1}", 6, "shared data hits: is not there"),
        ("phases:\n  - {callback: request_headers, action: continue}", 7, "proxy_on_request_headers: expected"),
        ("phases:\n  - callback: request_headers\n    headers: {allow: x}", 8, "request_headers header allow: is n"),
        ("phases: [{callback: request_headers, local_reply: {body: no}}]", 6, "request_headers local reply body"),
        ("phases: [{callback: request_headers, calls: [{count: log, is: 3}]}]", 6, "request_headers: calls like `log`"),
        ("phases: [{callback: response_headers}, {callback: request_headers}]", 6,
         "proxy_on_request_headers: does not happen after proxy_on_response_headers"),
        ("golden: none.jsonl", 6, "there is no golden"),
    ],
)  # fmt: skip
def test_a_miss_is_told_with_its_line(text: str, line: int, message: str) -> None:
    check = played(GET + text)
    assert check.message.startswith(message), check.message
    assert (check.verdict, check.line) == ((Verdict.FAILED, line) if line else (Verdict.PASSED, 3))


def test_a_miss_shows_the_callback_that_decided_it_and_what_crossed() -> None:
    details = played(f"{GET}status: 200").details
    assert "> 15      proxy_send_local_response(status_code: 403" in details
    assert "── what crossed ──\n→ _initialize()" in details


def test_all_misses_are_told() -> None:
    check = played(f"{GET}status: 200\n  upstream: called")
    assert check.message == "status: expected 200, came 403 (and 1 more)"
    assert "line 7: upstream: expected to be called" in check.details


def test_the_trace_of_a_failed_case_is_kept_until_it_passes(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "traces")
    check = played(f"{GET}status: 200", kept=kept)
    (file,) = kept.folder.iterdir()
    assert check.details.splitlines()[-1].endswith(f"{file.name} --row 15")
    trace = open_trace(file)
    trace.index()
    assert trace.rows[14].entered.function.name == "proxy_send_local_response"
    trace.close()
    played(f"{GET}status: 403", kept=kept)
    assert not [*kept.folder.iterdir()]


def test_a_trap_that_nobody_expects_fails_its_case() -> None:
    trap = "faults: ['trap:proxy_on_request_headers']\n"
    assert played(f"{trap}request: GET /\nexpect: {{status: 503}}").message.startswith(
        "trap: expected none, came"
    )
    assert (
        played(f"{trap}request: GET /\nexpect: {{status: 503, trapped: unreachable}}").verdict
        is Verdict.PASSED
    )


def test_a_trap_at_the_very_end_fails_its_case() -> None:
    trap = "faults: ['trap:proxy_on_done#2']\nrequest: GET /\n"
    assert played(trap).message.startswith("trap: expected none, came")


@pytest.mark.filterwarnings("ignore:the fault")  # which a test of pytest is warned of, too
def test_a_fault_that_never_happens_fails_its_case() -> None:
    check = played("faults: ['callout:auth=reset']\nrequest: GET /")
    assert (check.line, check.message[:52]) == (4, "the fault callout:auth=reset never happened: the cas")


def test_a_plugin_that_does_not_start_fails_its_case() -> None:
    check = played('config: "{"\nrequest: GET /', "config_loading")
    assert check.message.startswith("the plugin does not start: ")
    assert "configuration" in check.details


def test_a_plugin_that_starts_after_all_fails_the_case_that_expects_otherwise() -> None:
    assert played("expect: {starts: false}").message == "the plugin starts, and it was expected to be refused"


def test_whether_a_plugin_traps_is_looked_at_also_where_it_does_not_start() -> None:
    text = 'config: "{"\nexpect: {starts: false, trapped: unreachable}'
    assert played(text, "config_loading").message == "trap: expected, but there is none"


def test_a_step_for_a_stream_that_is_not_open_is_an_error() -> None:
    check = played("steps:\n  - {send: one, body: x}")
    assert (check.verdict, check.line, check.message) == (
        Verdict.ERROR, 5, "no stream called `one` is open; open are: none",
    )  # fmt: skip


def test_a_golden_is_written_where_that_is_asked_for_and_compared(tmp_path: Path) -> None:
    golden = tmp_path / "g.jsonl"
    text = f"{GET}golden: {golden}"
    assert played(text, options=Options(update=True)).verdict is Verdict.PASSED
    assert played(text).verdict is Verdict.PASSED
    check = played(text.replace("GET /", "{headers: {allow: 'true'}}"))
    assert (check.verdict, check.line) == (Verdict.FAILED, 6)
    assert "simwasm test --update-goldens" in check.details


def test_cases_do_not_see_each_other() -> None:
    """The third request of a second is the last that rate_limit lets in, and each case has a second of its own."""
    head = "plugin: samples/rate_limit/plugin.wasm\ncases:\n"
    line = "  - {{name: {}, request: GET /, expect: {{status: 200, metrics: {{rate_limit.allowed: 1}}}}}}\n"
    text = head + "".join(line.format(name) for name in "abcde")
    assert {run(case, Options()).verdict for case in play.cases_of(text, str(ROOT / "s.yaml"))} == {
        Verdict.PASSED
    }


def test_the_command_line_says_which_plugin() -> None:
    module = str(ROOT / "samples" / "service_name" / "plugin.wasm")
    assert played(f"{GET}local_reply: true", options=Options(plugin=module)).verdict is Verdict.PASSED


def test_a_suite_without_a_plugin_says_what_to_do() -> None:
    (case,) = play.cases_of("cases: [{name: a, request: GET /}]", str(ROOT / "s.yaml"))
    check = run(case, PLAIN)
    assert (check.verdict, check.line) == (Verdict.ERROR, 1)
    assert check.message.startswith(
        "no plugin is named: write `plugin: FILE.wasm` to the suite, or say --plugin"
    )


def test_a_case_costs_the_same_on_another_engine() -> None:
    check = played(f"{GET}cost: {{instructions: 1}}", options=Options(engine="wasmtime"))
    assert check.message == played(f"{GET}cost: {{instructions: 1}}").message


STEPS = """faults: ['trap:proxy_on_request_headers#2']
steps:
  - {request: GET /1, expect: {status: 403}}
  - {request: GET /2, expect: {status: 503, trapped: unreachable}}
  - advance: 1s
"""


def test_a_trap_that_a_step_expects_is_not_told_of_the_case() -> None:
    assert played(STEPS).verdict is Verdict.PASSED
    assert played(f"{STEPS}expect: {{trapped: false}}").message.startswith("trap: expected none, came")


def test_a_trap_is_told_at_the_step_that_met_it_and_once() -> None:
    check = played(STEPS.replace(", trapped: unreachable", ""))
    assert (check.line, check.message.startswith("trap: expected none")) == (7, True)
    assert "more)" not in check.message
