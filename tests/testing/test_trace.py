"""What a test may expect of a trace, and what it is told when that is not so."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import REQUEST
from under_test import sample, written

from simwasm.errors import InputError
from simwasm.testing import PluginUnderTest, Result, Trace, Verdict
from simwasm.testing.trace import Setting
from simwasm.trace.file import open_trace

LOCAL_REPLY = "proxy_send_local_response"


@pytest.fixture(scope="module")
def plugin() -> PluginUnderTest:
    """A plugin that has denied one request and let another one pass."""
    plugin = sample("allow_header")
    plugin.send("GET", "/status/418")
    plugin.send("GET", "/allowed", headers={"allow": "true"})
    return plugin


@pytest.fixture(scope="module")
def denied(plugin: PluginUnderTest) -> Result:
    """The one that was denied."""
    return plugin.results[0]


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ("proxy_log", 2),
        ("log", 2),
        ("get_header", 1),
        ("on_request_headers", 1),
        ("call:on_request_headers", 1),
        ("ret:Pause", 1),
        ("call:get_header status:NOT_FOUND", 1),
        ("deny", 1),
        ("phase:response depth<1", 2),
        ("exchange:1 call:proxy_log", 2),
        ("path:/status/418 call:proxy_log", 2),
        ("proxy_http_call", 0),
    ],
)
def test_calls_are_counted(denied: Result, wanted: str, calls: int) -> None:
    assert denied.trace.count(wanted) == calls


def test_exchanges_are_told_apart_in_all_of_it(plugin: PluginUnderTest) -> None:
    assert [plugin.trace.count(f"exchange:{number} call:proxy_log") for number in (1, 2, 3)] == [2, 1, 0]


def test_a_filter_gives_rows(denied: Result) -> None:
    assert [row.entered.args[1] for row in denied.trace.filter("get_header")] == ["allow"]


def holds(trace: Trace) -> dict[str, Verdict]:
    """Expectations that are met."""
    return {
        "never": trace.never("proxy_http_call"),
        "has": trace.has("key:allow"),
        "in_order": trace.in_order("on_request_headers", "log", "get_header", "log", LOCAL_REPLY, "on_log"),
        "before": trace.before("get_header", LOCAL_REPLY),
    }


@pytest.mark.parametrize("name", ["never", "has", "in_order", "before"])
def test_an_expectation_is_met(denied: Result, name: str) -> None:
    assert holds(denied.trace)[name]


MISSED = {
    "never": (
        lambda trace: trace.never("proxy_log"),
        "`proxy_log` is called in row 12, the first of 2 calls",
        "> 12      proxy_log(level: INFO",
    ),
    "never, by a filter": (
        lambda trace: trace.never("ret:Pause"),
        "`ret:Pause` fits in row 16",
        "> 16  ← PAUSE",
    ),
    "has, of a function": (
        lambda trace: trace.has("proxy_http_call"),
        "`proxy_http_call` is never called",
        "called are: proxy_on_context_create, proxy_on_request_headers, proxy_log ×2, ",
    ),
    "has, of several things": (
        lambda trace: trace.has("call:proxy_log level>=WARN"),
        "nothing fits `call:proxy_log level>=WARN`",
        "of the calls, `call:proxy_log` fits 2, `level>=WARN` fits none",
    ),
    "in_order, of what is not there": (
        lambda trace: trace.in_order("log", "proxy_http_call"),
        "`proxy_http_call` is never called",
        "called are",
    ),
    "in_order, of what is before": (
        lambda trace: trace.in_order(LOCAL_REPLY, "get_header"),
        f"`get_header` is not after `{LOCAL_REPLY}`: only in row 13, before row 15",
        f"`{LOCAL_REPLY}` is in row 15",
    ),
    "before": (
        lambda trace: trace.before(LOCAL_REPLY, "get_header"),
        f"`get_header` comes first, in row 13; `{LOCAL_REPLY}` in row 15",
        "> 13      proxy_get_header_map_value",
    ),
    "before, of what is not there": (
        lambda trace: trace.before("log", "proxy_http_call"),
        "`proxy_http_call` is never called",
        "called are",
    ),
}
"""What is asked, the sentence that answers, and something behind it."""


@pytest.mark.parametrize("name", MISSED)
def test_an_expectation_that_is_not_met_says_why(denied: Result, name: str) -> None:
    ask, headline, details = MISSED[name]
    verdict: Verdict = ask(denied.trace)  # type: ignore[no-untyped-call]  # of a table
    assert not verdict
    assert verdict.headline == headline
    assert details in verdict.text
    assert repr(verdict) == f"<no: {headline}>"


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("proxy_send_local_respones", "no version of the ABI has proxy_send_local_respones: did you mean"),
        ("cal:proxy_log", "unknown term `cal`: did you mean `call`?"),
        ("(call:proxy_log", "at character"),
    ],
)
def test_a_filter_that_can_never_fit_is_refused(denied: Result, slip: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        denied.trace.never(slip)
    assert said in str(error.value)


def test_the_text_is_the_arrow_log(denied: Result) -> None:
    assert denied.trace.text.startswith("→ proxy_on_context_create(context_id: 2, parent_context_id: 1)\n")
    assert denied.trace.text.endswith("→ proxy_on_delete(context_id: 2)\n")


def test_a_trace_is_saved_as_a_file(plugin: PluginUnderTest, tmp_path: Path) -> None:
    path = tmp_path / "it.trace.jsonl"
    plugin.trace.save(path)
    trace = open_trace(path)
    trace.index()
    names = [row.entered.function.name for row in plugin.trace.rows]
    assert [trace.rows[at].entered.function.name for at in range(len(trace.rows))] == names
    assert [ending.name for ending in trace.outcomes] == ["GET /status/418", "GET /allowed"]


def test_a_trace_that_cannot_be_saved_is_told(plugin: PluginUnderTest, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        plugin.trace.save(tmp_path / "gone" / "it.trace.jsonl")


def test_a_trace_of_nothing_has_nothing(denied: Result) -> None:
    empty = Trace([], Setting((), denied.trace.setting.profile, 0))
    assert empty.text == ""
    assert "nothing is called at all" in empty.has("proxy_log").text


def test_what_is_far_from_the_row_is_left_out(tmp_path: Path) -> None:
    calls = [("proxy_log", 2, f"line {number}") for number in range(30)]
    verdict = written(tmp_path, {REQUEST: calls}).send("GET", "/").trace.never("log:'line 15'")
    shown = verdict.text.splitlines()[1:]
    assert [line.strip() for line in shown if "…" in line] == ["… 9 more rows", "… 8 more rows"]
    assert len(shown) == 1 + 1 + 6 + 1 + 6 + 1 + 1


def test_what_a_plugin_wrote_stays_on_its_line() -> None:
    plugin = sample("allow_header")
    trace = plugin.send("GET", "/", headers={"allow": "\x1b[2J"}).trace
    verdict = trace.never("get_header")
    assert "\x1b" not in verdict.text
    assert '"\\x1b[2J"' in verdict.text


def test_a_name_that_is_like_a_function_s_is_a_slip(denied: Result) -> None:
    with pytest.raises(
        InputError, match="no version of the ABI has on_reqest_headers: did you mean `on_request_headers`"
    ):
        denied.trace.never("on_reqest_headers")


def test_nothing_is_in_no_order(denied: Result) -> None:
    with pytest.raises(InputError, match="in_order: say what is to be in order"):
        denied.trace.in_order()


def test_a_verdict_knows_whether_it_was_asked(denied: Result) -> None:
    verdict = denied.trace.never("proxy_log")
    assert not verdict.heard
    assert not verdict.holds
    assert verdict.heard
