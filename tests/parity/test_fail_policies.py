"""What a plugin's traps do to its requests, by its fail policy, is what they do in the running Envoy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import wasmtime
from chains import ASKING, GET, alike, answered_after
from scripted import (
    ANSWER,
    ANSWER_BODY,
    ANSWER_TRAILERS,
    ASKED,
    CALL_RESPONSE,
    CONFIGURE,
    CREATE,
    DELETE,
    DONE,
    LOG,
    OUT,
    QUEUE_READY,
    REQUEST,
    REQUEST_BODY,
    REQUEST_TRAILERS,
    TICK,
    TRAP,
    VM_START,
    Call,
    Read,
    scripted,
)

from simwasm.abi.pairs import encode_pairs
from simwasm.engines import find
from simwasm.errors import EnvoyRejected, PluginError
from simwasm.exchange import Exchange, Message, request, response
from simwasm.host.outcome import LogLine
from simwasm.host.ports import Answer
from simwasm.parity.envoy import Envoy
from simwasm.plugin import FailPolicy, Plugin
from simwasm.session import Session

pytestmark = pytest.mark.usefixtures("envoy_binary")

STREAM = (REQUEST, REQUEST_BODY, REQUEST_TRAILERS, ANSWER, ANSWER_BODY, ANSWER_TRAILERS, LOG, DONE, DELETE)
POST = request("POST", "/", headers=[("ask", "1")], body=[b"a", b"b"], trailers=[("x-t", "1")])
PAGE = response(200, headers=[("x-b", "1")], body=[b"a", b"b"], trailers=[("x-s", "1")])
BOTH_WAYS = Exchange("1", 0, POST, PAGE)
HELD: Call = (
    "proxy_http_call", "auth", encode_pairs(((":method", "GET"), (":path", "/"), (":authority", "a"))),
    "", b"", 1000, OUT,
)  # fmt: skip
_MORE = ("Proxy-Wasm plugin in-VM backtrace", "0:", "1:", "2:")
OPEN, AT_ONCE, RELOAD = FailPolicy.FAIL_OPEN, FailPolicy.FAIL_OPEN_AT_ONCE, FailPolicy.FAIL_RELOAD
SOON, LATE = 200, 60_000
"""Milliseconds after which a plugin is reloaded: after one slow exchange, or never here."""


def auth(asked: Message) -> Answer:
    return response(200)


def trapping(where: str) -> bytes:
    """A plugin that traps in one callback, when it is asked."""
    calls: dict[str, list[Call]] = {name: [] for name in STREAM}
    return scripted({REQUEST: [], **calls, where: [ASKED, TRAP]})


@pytest.mark.envoy(21, 79, 80, 81, 82)
@pytest.mark.parametrize("where", STREAM)
def test_a_trap_fails_its_request_and_by_default_all_that_follow(where: str) -> None:
    alike(Plugin("a", trapping(where)), sent=(BOTH_WAYS, GET, ASKING))


@pytest.mark.envoy(79, 80, 83)
@pytest.mark.parametrize("where", [REQUEST, REQUEST_BODY, ANSWER, ANSWER_BODY, LOG])
def test_a_plugin_that_fails_open_fails_the_request_that_met_the_trap(where: str) -> None:
    alike(Plugin("a", trapping(where), fail_policy=OPEN), sent=(BOTH_WAYS, GET))


@pytest.mark.envoy(84)
@pytest.mark.parametrize("where", [REQUEST, REQUEST_BODY, ANSWER, ANSWER_BODY, LOG])
def test_a_plugin_that_fails_open_at_once_fails_no_request(where: str) -> None:
    alike(Plugin("a", trapping(where), fail_policy=AT_ONCE), sent=(BOTH_WAYS, GET))


@pytest.mark.envoy(85)
@pytest.mark.parametrize("where", [REQUEST, ANSWER_BODY, LOG])
def test_a_plugin_that_reloads_fails_closed_until_enough_time_has_passed(where: str) -> None:
    plugin = Plugin("a.b", trapping(where), fail_policy=RELOAD, reload_after_ms=LATE)
    alike(plugin, sent=(BOTH_WAYS, GET, GET))


@pytest.mark.envoy(1, 85)
def test_a_plugin_is_reloaded_by_the_first_request_after_that_without_its_memory() -> None:
    counting: list[Call] = [("from", 2), ("proxy_log", 2, "not the first request")]
    wasm = scripted({CREATE: [], CONFIGURE: [], REQUEST: [ASKED, TRAP], ANSWER: counting, LOG: [], DONE: []})
    plugin = Plugin("a", wasm, fail_policy=RELOAD, reload_after_ms=SOON)
    alike(plugin, sent=(GET, answered_after(400), ASKING, GET, GET, ASKING, GET, GET))


@pytest.mark.envoy(85)
def test_a_plugin_that_does_not_start_again_stays_as_it_is() -> None:
    """It leaves a mark before it traps, at which it will not be configured again."""
    mark: Call = ("proxy_set_shared_data", "trapped", "yes", 0)
    look: Call = ("trap if OK", "proxy_get_shared_data", "trapped", OUT, OUT, OUT)
    wasm = scripted({CREATE: [], CONFIGURE: [look], REQUEST: [ASKED, mark, TRAP], DONE: []})
    plugin = Plugin("a", wasm, fail_policy=RELOAD, reload_after_ms=SOON)
    alike(plugin, sent=(answered_after(400), ASKING, GET, GET))


@pytest.mark.envoy(3, 82, 85)
def test_plugins_that_share_a_vm_fail_together_and_each_by_its_own_policy() -> None:
    wasm = scripted({CREATE: [], REQUEST: [ASKED, TRAP], ANSWER: [], LOG: [], DONE: [], DELETE: []})
    first = Plugin("a", wasm, fail_policy=RELOAD, reload_after_ms=SOON)
    second = Plugin("b", wasm, fail_policy=OPEN)
    alike(first, second, sent=(answered_after(400), ASKING, GET, GET))
    alike(second, first, sent=(answered_after(400), ASKING, GET, GET))


@pytest.mark.envoy(3, 85)
def test_plugins_that_share_a_vm_are_reloaded_into_one_again() -> None:
    wasm = scripted({CREATE: [], CONFIGURE: [], REQUEST: [ASKED, TRAP], ANSWER: [], LOG: [], DONE: []})
    first = Plugin("a", wasm, fail_policy=RELOAD, reload_after_ms=SOON)
    alike(first, replace(first, name="b"), sent=(answered_after(400), ASKING, GET, GET))


@pytest.mark.envoy(82)
def test_a_failed_plugin_stops_the_chain_where_it_stands() -> None:
    others = scripted(
        {CREATE: [], REQUEST: [], REQUEST_BODY: [], ANSWER: [], ANSWER_BODY: [], LOG: [], DONE: []}
    )
    chain = Plugin("before", others), Plugin("a", trapping(ANSWER)), Plugin("behind", others, vm_id="x")
    alike(*chain, sent=(ASKING, GET))


@pytest.mark.envoy(86)
@pytest.mark.parametrize("policy", [FailPolicy.FAIL_CLOSED, OPEN, AT_ONCE], ids=lambda policy: policy.value)
def test_a_trap_in_a_tick_fails_requests_as_well(policy: FailPolicy) -> None:
    tick: Call = ("proxy_set_tick_period_milliseconds", 50)
    wasm = scripted({REQUEST: [ASKED, tick], ANSWER: [], LOG: [], TICK: [TRAP]})
    plugin = Plugin("a", wasm, fail_policy=policy)
    alike(plugin, sent=(answered_after(300, ASKING), GET))


@pytest.mark.envoy(79)
def test_a_trap_when_a_queue_is_ready_fails_later_requests() -> None:
    fill: list[Call] = [
        ASKED, ("proxy_register_shared_queue", "q", OUT), ("proxy_enqueue_shared_queue", Read(2), "item"),
    ]  # fmt: skip
    wasm = scripted({REQUEST: fill, ANSWER: [], LOG: [], QUEUE_READY: [TRAP]})
    alike(Plugin("a", wasm), sent=(answered_after(100, ASKING), GET))


@pytest.mark.envoy(79)
@pytest.mark.parametrize("policy", [FailPolicy.FAIL_CLOSED, AT_ONCE], ids=lambda policy: policy.value)
def test_a_stream_that_waits_for_a_callback_which_traps_hangs(policy: FailPolicy) -> None:
    wasm = scripted({REQUEST: [ASKED, HELD], ANSWER: [], LOG: [], CALL_RESPONSE: [TRAP]}, {REQUEST: 1})
    plugin = Plugin("a", wasm, fail_policy=policy)
    alike(plugin, sent=(ASKING, GET), auth=auth)


@pytest.mark.envoy(79, 81)
def test_a_trap_when_a_streams_context_is_created_fails_the_request() -> None:
    wasm = scripted({CREATE: [("from", 3), TRAP], REQUEST: [], ANSWER: [], LOG: [], DONE: []})
    alike(Plugin("a", wasm), sent=(GET, GET, GET))


@pytest.mark.envoy(79, 89)
def test_a_stack_without_end_is_a_trap() -> None:
    endless = "(func $f (call $f))"
    begin = (
        '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $f) (i32.const 0))'
    )
    alike(Plugin("a", scripted({LOG: []}, None, endless, begin)), sent=(GET, GET))


@pytest.mark.envoy(88)
def test_a_plugin_that_exits_goes_on() -> None:
    alike(Plugin("a", scripted({REQUEST: [("proc_exit", 3), ("proxy_log", 2, "still here")]})))


@pytest.mark.envoy(21, 82)
def test_a_vm_that_has_failed_is_not_told_of_the_end() -> None:
    wasm = scripted({REQUEST: [ASKED, TRAP], LOG: [], DONE: [], DELETE: [], VM_START: []})
    alike(Plugin("a", wasm), Plugin("b", wasm, vm_id="another"), sent=(GET, ASKING))


def _bare(*fields: str) -> bytes:
    """A module of these fields and nothing else."""
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(fields)})"))


MARKER = '(func (export "proxy_abi_version_0_2_1"))'
MALLOC = '(func (export "malloc") (param i32) (result i32) (i32.const 0))'
TICKING = '(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))'
REFUSED = {
    "configure says no": scripted({}, {CONFIGURE: 0}),
    "vm_start says no": scripted({}, {VM_START: 0}),
    "configure traps": scripted({CONFIGURE: [TRAP]}),
    "vm_start traps": scripted({VM_START: [TRAP]}),
    "initialize traps": scripted({}, None, '(func (export "_initialize") unreachable)'),
    "main traps": scripted(
        {},
        None,
        '(func (export "_initialize")) (func (export "main") (param i32 i32) (result i32) unreachable)',
    ),
    "start section traps": _bare(MARKER, MALLOC, "(func $s unreachable) (start $s)"),
    "a call that is not allowed yet": _bare(
        TICKING, MARKER, MALLOC, '(func (export "_initialize") (drop (call $tick (i32.const 5))))'
    ),
    "no allocator": _bare(MARKER),
    "no marker": _bare(MALLOC),
    "marker of a later version": _bare(MALLOC, '(func (export "proxy_abi_version_9_0_0"))'),
    "missing import": _bare('(import "env" "proxy_nope" (func))', MARKER, MALLOC),
    "import of another type": _bare('(import "env" "proxy_log" (func (param i32)))', MARKER, MALLOC),
    "callback of another type": _bare(MARKER, MALLOC, '(func (export "proxy_on_log") (param i64))'),
}


@pytest.mark.envoy(9, 11, 12, 79)
@pytest.mark.parametrize(
    ("wasm", "policy"),
    [
        *(pytest.param(wasm, FailPolicy.FAIL_CLOSED, id=name) for name, wasm in REFUSED.items()),
        pytest.param(REFUSED["configure traps"], OPEN, id="configure traps, it fails open"),
        pytest.param(REFUSED["missing import"], OPEN, id="missing import, it fails open"),
    ],
)
def test_a_plugin_that_envoy_does_not_load_is_refused_in_its_words(wasm: bytes, policy: FailPolicy) -> None:
    plugin = Plugin("a", wasm, fail_policy=policy)
    with pytest.raises(EnvoyRejected) as theirs:
        Envoy.start(plugin, upstream=("127.0.0.1", 9)).close()
    lines: list[LogLine] = []
    with pytest.raises(PluginError) as ours:
        Session([plugin], engine=find.engine(), on_log=lines.append).start()
    said = "\n".join((str(ours.value), *(line.text for line in lines)))
    causes = [line.strip().removeprefix("Wasm VM failed ") for line in str(theirs.value).splitlines()[1:]]
    own = [cause for cause in causes if cause and not cause.startswith(("Plugin ", "error `", *_MORE))]
    missing = [cause for cause in own if cause not in said]
    assert own, causes
    assert len(missing) < len(own), (missing, said)


@pytest.mark.envoy(9, 21)
@pytest.mark.parametrize("policy", [FailPolicy.FAIL_CLOSED, OPEN], ids=lambda policy: policy.value)
def test_a_plugin_that_traps_when_its_root_is_created_counts_as_started(policy: FailPolicy) -> None:
    wasm = scripted({CREATE: [TRAP], VM_START: [], CONFIGURE: [], REQUEST: [], LOG: [], DONE: [], DELETE: []})
    alike(Plugin("a", wasm, fail_policy=policy), Plugin("b", wasm, fail_policy=policy), sent=(GET, GET))
