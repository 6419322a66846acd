"""Every status that is not OK has a reason: it names the argument, or what is wrong with it, and the rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from switchboard import LOG, LONG, OUT, REQUEST_HEADERS, RESPONSE_BODY, Call, Case, pairs, switchboard
from wat import call, callback, imported, plugin

import simwasm
from simwasm.abi.table import FUNCTIONS, Abi, Function, Side
from simwasm.engines import find
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left

_SHORT = 15
_FAR = 0x7FFF_FFF0
"""A number that is no address, no id and no member of anything."""
NEVER_REFUSED = {
    "proxy_clear_route_cache", "proxy_continue_request", "proxy_continue_response",
    "proxy_set_tick_period_milliseconds", "fd_close", "fd_advise", "sched_yield",
    "environ_get", "args_get",
}  # fmt: skip
"""What takes anything, and writes nothing here."""
ROWS = [row for row in FUNCTIONS if row.side is Side.HOST and row.errors is not None]


def answers(made: Plugin, exchanges: Sequence[Exchange]) -> Iterator[tuple[Entered, Left]]:
    """The host calls of a run, with their answers."""
    events: list[Event] = []
    with Session([made], engine=find.engine(None), observers=[events.append], clusters=["auth"]) as session:
        assert len(list(session.replay(exchanges))) == len(exchanges)
    for event in events:
        if isinstance(event, Left):
            entered = events[event.opened - 1]
            assert isinstance(entered, Entered)
            if entered.function.side is Side.HOST:
                yield entered, event


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}-{row.until.value}")
def test_a_call_with_nothing_but_wrong_words_is_told_why(row: Function) -> None:
    version = "0_1_0" if row.until is Abi.V0_1_0 else "0_2_1"
    abi = Abi.V0_1_0 if row.until is Abi.V0_1_0 else Abi.V0_2_1
    words = [_FAR] * len(row.type.params)
    made = plugin(imported(row), callback("proxy_on_request_headers", call(row, words), abi=abi), abi=version)
    found = list(answers(made, [Exchange("1", 0, request("GET", "/"))]))
    ((_, left),) = [each for each in found if each[0].function is row]
    if row.name in NEVER_REFUSED:
        assert left.result == 0
        return
    assert left.result != 0
    assert len(left.reason) > _SHORT
    assert names_something(left.reason, row), left.reason


def names_something(reason: str, row: Function) -> bool:
    """Whether a reason has a parameter's name, or says what there is not."""
    says = ("there is no", "a plugin has no", "no context waits", "this context has no stream")
    return any(param.name in reason for param in row.params) or any(words in reason for words in says)


def header(kind: int, name: str = "x-a") -> Call:
    return ("proxy_get_header_map_value", kind, name, OUT, OUT)


AUTH = ((":method", "GET"), (":path", "/"), (":authority", "auth"))


def ask(cluster: str, *headers: tuple[str, str], timeout: int = 9) -> Call:
    return ("proxy_http_call", cluster, pairs(*headers), "", "", timeout, OUT)


RULES: list[tuple[str, Call, str]] = [
    (REQUEST_HEADERS, header(2), "HTTP_RESPONSE_HEADERS is not available here; it is there in proxy_on_response_h"),
    (REQUEST_HEADERS, header(0, "x-none"), "there is no header `x-none`"),
    (LOG, ("proxy_add_header_map_value", 0, "x", "y"), "nothing can be written in proxy_on_log"),
    (REQUEST_HEADERS, ("proxy_add_header_map_value", 6, "x", "y"), "HTTP_CALL_RESPONSE_HEADERS cannot be written"),
    (REQUEST_HEADERS, header(9), "map_type: there is no 9; known are 0 HTTP_REQUEST_HEADERS"),
    (REQUEST_HEADERS, ask("auth", *AUTH[1:]), "`:method` is missing: proxy_http_call needs `:method`, `:path` and"),
    (REQUEST_HEADERS, ask("auth", AUTH[0], AUTH[2]), "`:path` is missing"),
    (REQUEST_HEADERS, ask("none", *AUTH), "there is no cluster `none`; known are `auth`"),
    (REQUEST_HEADERS, ask("auth", *AUTH, timeout=-5), "timeout_ms: -5 is negative"),
    (REQUEST_HEADERS, ("proxy_get_buffer_bytes", 7, 0, 9, OUT, OUT), "PLUGIN_CONFIGURATION is not available here"),
    (REQUEST_HEADERS, ("proxy_get_buffer_bytes", 4, 0, 9, OUT, OUT), "HTTP_CALL_RESPONSE_BODY is not available here"),
    (REQUEST_HEADERS, ("proxy_set_buffer_bytes", 6, 0, 9, "x"), "a configuration cannot be written"),
    (RESPONSE_BODY, ("proxy_set_buffer_bytes", 1, 1, 1, "x"), "start 1 is inside the buffer of 2 bytes"),
    (REQUEST_HEADERS, ("proxy_get_property", "cluster_name", OUT, OUT), "xds.cluster_name"),
    (REQUEST_HEADERS, ("proxy_get_property", "request\0nothing", OUT, OUT), "nothing"),
    (REQUEST_HEADERS, ("proxy_set_effective_context", 99), "there is no context 99"),
    (REQUEST_HEADERS, ("proxy_done",), "no context waits: proxy_on_done has not returned false"),
    (REQUEST_HEADERS, ("proxy_continue_stream", 3), "cannot continue an upstream connection"),
    (REQUEST_HEADERS, ("proxy_get_shared_data", "k", OUT, OUT, OUT), "nothing is shared under `k`"),
    (REQUEST_HEADERS, ("proxy_resolve_shared_queue", "", "q", OUT), "has registered no queue `q`"),
    (REQUEST_HEADERS, ("proxy_enqueue_shared_queue", 7, "v"), "there is no queue 7"),
    (REQUEST_HEADERS, ("proxy_dequeue_shared_queue", 7, OUT, OUT), "there is no queue 7"),
    (REQUEST_HEADERS, ("proxy_record_metric", 77, LONG(1)), "there is no metric 77"),
    (REQUEST_HEADERS, ("proxy_call_foreign_function", "none", "", OUT, OUT), "`none`"),
    (REQUEST_HEADERS, ("proxy_grpc_send", 7, "x", 0), "call_id: 7"),
    (REQUEST_HEADERS, ("fd_write", 5, 0, 0, OUT), "fd 5: only stdout (1) and stderr (2) are open"),
    (REQUEST_HEADERS, ("clock_res_get", 7, OUT), "there is no clock 7: only 0 (real time) and 1 (monotonic)"),
]  # fmt: skip
"""In which callback, what is called, and what the reason says."""


@pytest.mark.parametrize(
    ("where", "deed", "says"), RULES, ids=[f"{deed[0]!s}: {says[:40]}" for _, deed, says in RULES]
)
def test_the_rule_is_told(where: str, deed: Call, says: str) -> None:
    case = Case("rule", {where: [deed]})
    found = answers(Plugin("board", switchboard([case])), [case.exchange(0)])
    reasons = [left.reason for entered, left in found if entered.function.name == deed[0] and left.result]
    assert any(says in reason for reason in reasons), reasons


def test_a_cas_that_does_not_fit_is_told_with_the_one_that_would() -> None:
    calls: list[Call] = [("proxy_set_shared_data", "k", "v", cas) for cas in (0, 7)]
    case = Case("cas", {REQUEST_HEADERS: calls})
    found = answers(Plugin("board", switchboard([case])), [case.exchange(0)])
    (reason,) = (left.reason for entered, left in found if left.result)
    assert "cas" in reason
    assert "`k`" in reason


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """Where the source refuses something, and the text it gives."""
    root = Path(simwasm.__file__).parent
    for file in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                assert len(node.args) == 2, f"{file}:{node.lineno} has no reason"
                yield f"{file.relative_to(root)}:{node.lineno}", node.args[1]


def test_every_refusal_in_the_source_has_words() -> None:
    """Texts that are put together elsewhere are seen by the tests above."""
    found = dict(refusals())
    assert len(found) > 50
    literal = {
        where: text for where, text in found.items() if isinstance(text, (ast.Constant, ast.JoinedStr))
    }
    assert len(literal) > 40
    for where, text in literal.items():
        said = ast.literal_eval(text) if isinstance(text, ast.Constant) else ast.unparse(text)
        assert len(said) > _SHORT, where
        assert " " in said.strip(), where
