"""How plugins, their VMs and contexts begin and end, alone and in a chain, is as in the running Envoy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from chains import ASKING, GET, alike
from scripted import (
    ANSWER,
    ANSWER_BODY,
    ASKED,
    CONFIGURE,
    CREATE,
    DELETE,
    DONE,
    LOG,
    OUT,
    REQUEST,
    REQUEST_BODY,
    SELF,
    TICK,
    VM_START,
    Call,
    Long,
    Read,
    scripted,
)

from simwasm.abi.table import Abi
from simwasm.engines import find
from simwasm.exchange import Exchange, request
from simwasm.parity.bootstrap import Json
from simwasm.parity.client import fetch
from simwasm.parity.envoy import Envoy
from simwasm.parity.log import Crossing
from simwasm.parity.upstream import Upstream
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event

pytestmark = pytest.mark.usefixtures("envoy_binary")

MS = 1_000_000
POST = request("POST", "/", body=b"abc")
LIFE = (CREATE, VM_START, CONFIGURE, REQUEST, REQUEST_BODY, ANSWER, ANSWER_BODY, LOG, DONE, DELETE)
REPLY: Call = ("proxy_send_local_response", 401, "", "no", b"", -1)
VM_CONFIG, PLUGIN_CONFIG = 6, 7


def read(kind: int) -> Call:
    return "proxy_get_buffer_bytes", kind, 0, 99, OUT, OUT


def living(
    calls: dict[str, list[Call]] | None = None, results: dict[str, int] | None = None, abi: Abi = Abi.V0_2_1
) -> bytes:
    """A plugin that has every callback of a life, and does this in some."""
    return scripted({**{name: [] for name in LIFE}, **(calls or {})}, results or {}, abi=abi)


A = Plugin("a", living(), b"ca", b"v", "ra", "vm")
B = replace(A, name="b", config=b"cbb", root_id="rb")
OTHER = Plugin("other", living({CREATE: [("proxy_log", 2, "other")]}), b"xxxx", b"v", "rx", "vm")


@pytest.mark.envoy(1, 2, 5, 14, 16, 48)
@pytest.mark.parametrize("abi", list(Abi), ids=lambda abi: abi.value)
def test_a_life_from_create_to_delete_in_every_version_of_the_abi(abi: Abi) -> None:
    alike(Plugin("a", living(abi=abi), b"config", b"vm config", "root", "vm"), sent=(GET, POST))


@pytest.mark.envoy(1, 2, 3, 6, 16)
def test_plugins_with_the_same_code_vm_id_and_vm_configuration_share_a_vm_and_its_ids() -> None:
    alike(A, B, sent=(GET, GET))


@pytest.mark.envoy(3)
@pytest.mark.parametrize(
    "other", [replace(B, vm_id="w"), replace(B, vm_config=b"w")], ids=["vm_id", "vm_config"]
)
def test_another_vm_id_or_vm_configuration_is_another_vm(other: Plugin) -> None:
    alike(A, other)


@pytest.mark.envoy(3)
def test_plugins_told_apart_by_nothing_share_a_root_as_well() -> None:
    alike(A, A)


@pytest.mark.envoy(3)
def test_plugins_told_apart_by_their_names_have_roots_of_their_own() -> None:
    alike(A, replace(A, name="b"))


@pytest.mark.envoy(3, 6)
def test_plugins_share_a_vm_past_another_one() -> None:
    alike(A, OTHER, B)


@pytest.mark.envoy(4)
@pytest.mark.parametrize(
    "entries",
    [
        ("_initialize",),
        ("_initialize", "main"),
        ("_initialize", "_start"),
        ("_start",),
        ("_start", "main"),
        ("main",),
    ],
    ids=" ".join,
)
def test_a_module_starts_by_what_it_exports(entries: tuple[str, ...]) -> None:
    types = {"main": "(param i32 i32) (result i32)"}
    fields = [
        f'(func (export "{name}") {types.get(name, "")} {"(i32.const 7)" * (name == "main")})'
        for name in entries
    ]
    alike(Plugin("a", scripted({CREATE: []}, {}, *fields)))


@pytest.mark.envoy(15)
def test_a_plugin_that_an_earlier_one_keeps_in_the_dark_is_created_for_the_log() -> None:
    alike(Plugin("first", living({REQUEST: [REPLY]})), B)


@pytest.mark.envoy(18)
def test_a_log_that_is_written_before_the_end_does_not_reach_the_plugin() -> None:
    plugin = Plugin("a", living())
    early: dict[str, Json] = {"access_log_options": {"flush_access_log_on_new_request": True}}
    with (
        Upstream.start() as upstream,
        Envoy.start(plugin, upstream=upstream.address, http_manager=early) as envoy,
    ):
        fetch(envoy.port, GET)
        envoy.settle()
        theirs = [
            f"{call.function}{call.words}" for call in envoy.crossings() if call.function in (REQUEST, LOG)
        ]
    entered: list[str] = []
    with Session(
        [plugin], engine=find.engine(), observers=[lambda event: entered.extend(_names(event))]
    ) as session:
        list(session.replay([Exchange("1", 0, request("GET", "/", host="localhost"))]))
    assert [name for name in entered if name.startswith((REQUEST, LOG))] == theirs


@pytest.mark.envoy(19)
def test_a_stream_that_is_not_done_is_deleted_all_the_same() -> None:
    alike(Plugin("a", living(results={DONE: 0})))


@pytest.mark.envoy(20)
@pytest.mark.parametrize("where", [DONE, REQUEST, DELETE])
def test_a_root_that_is_not_done_is_kept_until_it_says_so(where: str) -> None:
    alike(Plugin("a", living({where: [("proxy_done",)]}, {DONE: 0})), B)


@pytest.mark.envoy(22)
def test_a_plugin_without_callbacks_lets_everything_pass() -> None:
    alike(Plugin("a", scripted({})), sent=(GET, POST))


@pytest.mark.envoy(23)
def test_a_vm_configuration_can_be_read_at_any_time_a_plugins_own_only_in_configure() -> None:
    both = [read(VM_CONFIG), read(PLUGIN_CONFIG)]
    alike(Plugin("a", living(dict.fromkeys(LIFE, both)), b"config", b"vm config"))


@pytest.mark.envoy(5, 23)
def test_the_first_version_of_the_abi_has_a_function_for_the_configuration() -> None:
    """It gives the plugin's in configure, and the VM's otherwise, whoever acts."""
    look: list[Call] = [("proxy_get_configuration", OUT, OUT), ("proxy_log", 2, Read(0), Read(1))]
    calls: dict[str, list[Call]] = dict.fromkeys(
        (CREATE, VM_START, CONFIGURE, REQUEST, ANSWER, LOG, DONE), look
    )
    wasm = living(calls, abi=Abi.V0_1_0)
    alike(
        Plugin("a", wasm, b"config of a", b"vm config", "ra"), Plugin("b", wasm, b"b's", b"vm config", "rb")
    )


@pytest.mark.envoy(5, 9)
@pytest.mark.parametrize("abi", list(Abi), ids=lambda abi: abi.value)
def test_nothing_else_is_called_at_the_start(abi: Abi) -> None:
    """The first version has a callback that validates a configuration."""
    validate = "proxy_validate_configuration"
    field = f'(func (export "{validate}") (param i32 i32) (result i32) (i32.const 0))'
    alike(Plugin("a", scripted({name: [] for name in LIFE}, None, field, abi=abi), b"config"))


@pytest.mark.envoy(25)
def test_environment_variables_are_those_of_the_vm() -> None:
    look: list[Call] = [
        ("environ_sizes_get", OUT, OUT), ("environ_get", 3000, 3100), ("proxy_log", 2, 3100, Read(1)),
    ]  # fmt: skip
    wasm = living({CONFIGURE: look})
    alike(
        Plugin("a", wasm, env={"NAME": "a=b"}),
        Plugin("b", wasm, env={"OTHER": "so it is another VM"}),
        Plugin("c", wasm, env={"NAME": "a=b"}),
    )


REACHING: list[Call] = [
    ("proxy_log", 2, "said"), ("proxy_get_property", "plugin_name", OUT, OUT), ("environ_sizes_get", OUT, OUT),
    ("fd_write", 1, 0, 0, OUT), ("clock_time_get", 0, Long(0), OUT), ("proc_exit", 1),
]  # fmt: skip


@pytest.mark.envoy(27)
@pytest.mark.parametrize(
    "allowed",
    [
        {CREATE, REQUEST, LOG, "proxy_log"},
        {REQUEST, "proxy_get_property", "environ_sizes_get", "proc_exit"},
        {CREATE, VM_START, CONFIGURE, ANSWER, DONE},
    ],
    ids=["proxy_log", "proxy_get_property", "callbacks alone"],
)
def test_a_restricted_plugin_is_called_and_served_only_by_what_it_is_allowed(allowed: set[str]) -> None:
    alike(Plugin("a", living({REQUEST: REACHING, VM_START: REACHING}), allowed=frozenset(allowed)))


@pytest.mark.envoy(3, 27)
def test_plugins_that_are_allowed_different_things_have_vms_of_their_own() -> None:
    wasm = living({REQUEST: REACHING})
    alike(
        Plugin("a", wasm, allowed=frozenset({REQUEST, CREATE})),
        Plugin("b", wasm, allowed=frozenset({REQUEST, CREATE, "proxy_log"})),
        Plugin("c", wasm, allowed=frozenset({REQUEST, CREATE})),
    )


@pytest.mark.envoy(27)
def test_an_allocator_needs_no_permission() -> None:
    bump = '(func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 66000))'
    wasm = scripted({REQUEST: REACHING}, malloc=bump)
    alike(Plugin("a", wasm, allowed=frozenset({REQUEST, "proxy_get_property"})))


@pytest.mark.envoy(28)
def test_memory_grows_to_a_gibibyte_and_not_further() -> None:
    grow: list[Call] = [
        ("memory.grow", 100), ("proxy_set_effective_context", Read(0)),
        ("memory.grow", 16384 - 104 + 1), ("proxy_set_effective_context", Read(0)),
    ]  # fmt: skip
    alike(Plugin("a", living({REQUEST: grow})))


@pytest.mark.envoy(13)
def test_inside_the_allocator_a_plugin_may_log() -> None:
    say = "(drop (call $f (i32.const 2) (i32.const 0) (i32.const 0)))"
    bump = f'(func (export "malloc") (param i32) (result i32) {say} (i32.const 66000))'
    log = '(import "env" "proxy_log" (func $f (param i32 i32 i32) (result i32)))'
    look: Call = ("proxy_get_property", "plugin_name", OUT, OUT)
    alike(Plugin("a", scripted({REQUEST: [look]}, malloc=bump, imports=log)))


@pytest.mark.envoy(13)
def test_inside_the_allocator_most_host_calls_trap() -> None:
    tick = '(import "env" "proxy_set_tick_period_milliseconds" (func $f (param i32) (result i32)))'
    bump = (
        '(func (export "malloc") (param i32) (result i32) (drop (call $f (i32.const 0))) (i32.const 66000))'
    )
    look: Call = ("proxy_get_property", "plugin_name", OUT, OUT)
    alike(Plugin("a", scripted({REQUEST: [look]}, malloc=bump, imports=tick)), sent=(GET, GET))


@pytest.mark.envoy(89)
def test_an_allocator_that_has_nothing_left_makes_the_call_fail() -> None:
    empty = '(func (export "malloc") (param i32) (result i32) (i32.const 0))'
    look: list[Call] = [
        ("proxy_get_property", "plugin_name", OUT, OUT),
        ("proxy_get_header_map_value", 0, ":path", OUT, OUT),
        ("proxy_get_header_map_pairs", 0, OUT, OUT),
    ]
    alike(Plugin("a", scripted({REQUEST: look}, malloc=empty)))


@pytest.mark.envoy(162, 164)
def test_a_plugin_acts_for_a_neighbours_stream_in_the_same_vm() -> None:
    """The second plugin's context 4 acts for context 3, whose root and name are the first one's."""
    act: list[Call] = [
        ("proxy_set_effective_context", 3), ("proxy_log", 2, "for whom?"),
        ("proxy_get_property", "plugin_name", OUT, OUT), ("proxy_log", 2, Read(2), Read(3)),
        ("proxy_set_effective_context", 2), ("proxy_log", 2, "for a root"),
        ("proxy_set_effective_context", 0), ("proxy_log", 2, "for nobody"),
        ("proxy_get_header_map_value", 0, ":path", OUT, OUT),
        ("proxy_set_effective_context", SELF), ("proxy_log", 2, "for myself"),
    ]  # fmt: skip
    wasm = living({REQUEST: act})
    alike(replace(A, wasm=wasm), replace(B, wasm=wasm))


@pytest.mark.envoy(110)
def test_names_are_those_of_the_plugin_that_acts() -> None:
    names: list[Call] = [
        ("proxy_get_property", name, OUT, OUT) for name in ("plugin_name", "plugin_root_id", "plugin_vm_id")
    ]
    said = [call for name in names for call in (name, ("proxy_log", 2, Read(2), Read(3)))]
    wasm = living({CONFIGURE: said, REQUEST: said})
    alike(replace(A, wasm=wasm), replace(B, wasm=wasm))


@pytest.mark.envoy(23)
def test_a_plugin_is_configured_with_its_own_configuration() -> None:
    wasm = living({CONFIGURE: [read(PLUGIN_CONFIG), ("proxy_log", 2, Read(3), Read(4))]})
    alike(replace(A, wasm=wasm), replace(B, wasm=wasm, stop_iteration_on_headers=True))


@pytest.mark.envoy(34)
def test_each_plugin_of_a_vm_has_its_own_rule_about_pausing_in_headers() -> None:
    wasm = living(results={REQUEST: 1})
    alike(replace(A, wasm=wasm, stop_iteration_on_headers=True), sent=(POST,))
    alike(replace(A, wasm=wasm, stop_iteration_on_headers=True), replace(B, wasm=wasm), sent=(POST,))


def test_asking_has_an_effect() -> None:
    alike(Plugin("a", living({REQUEST: [ASKED, REPLY]})), sent=(GET, ASKING))


# Several workers. Which of them gets a connection, the kernel decides: what each does, and all together, is compared.

COUNT: list[Call] = [
    ("proxy_define_metric", 0, "requests", OUT), ("proxy_increment_metric", Read(3), Long(1)),
]  # fmt: skip
_CONNECTIONS = 8


def _told(calls: Iterable[Crossing | Entered]) -> list[str]:
    """Calls of the plugin as text, those of the host left out, and ticks, which are counted by time."""
    crossed = [
        (call.function, call.words)
        if isinstance(call, Crossing)
        else (call.function.name, tuple(map(int, call.words)))
        for call in calls
    ]
    return [f"{name}{words}" for name, words in crossed if name.startswith("proxy_on_") and name != TICK]


@pytest.mark.envoy(1, 2, 7, 8, 169, 177)
def test_every_worker_starts_every_plugin_for_itself_and_counts_are_of_all() -> None:
    init = '(func (export "_initialize"))'
    calls: dict[str, list[Call]] = {
        **{name: [] for name in LIFE},
        REQUEST: COUNT,
        CONFIGURE: [("proxy_set_tick_period_milliseconds", 20)],
    }
    wasm = scripted({**calls, TICK: []}, None, init)
    chain = Plugin("a", wasm, root_id="r"), Plugin("b", wasm)
    with Upstream.start() as upstream, Envoy.start(*chain, upstream=upstream.address, workers=2) as envoy:
        before = [call for call in envoy.crossings() if call.function != TICK]
        for _ in range(_CONNECTIONS):
            fetch(envoy.port, GET)
            envoy.settle()
        counted = envoy.stats("wasmcustom")
        workers = {call.thread for call in envoy.crossings()}
        ticking = {call.thread for call in envoy.crossings() if call.function == TICK}
    main = [str(call) for call in envoy.startup_crossings() if call.function == "_initialize"]

    entered: list[Entered] = []

    def watch(event: Event) -> None:
        if isinstance(event, Entered):
            entered.append(event)

    with Session(chain, engine=find.engine(), workers=2, observers=[watch]) as session:
        started = list(entered)
        outcomes = list(
            session.replay(Exchange(str(each), each * 25 * MS, GET) for each in range(_CONNECTIONS))
        )
        metric = next(iter(session.proxy.metrics.by_name.values()))
        names = [vm.name for vm in session.proxy.vms]

    assert names == ["a + b", "a + b@2"]
    for vm, thread in zip(names, sorted(workers), strict=True):
        ours = _told(call for call in started if call.vm == vm)
        assert ours == _told(call for call in before if call.thread == thread)
    assert len(workers) == 2
    assert ticking == workers
    assert {call.vm for call in entered if call.function.name == TICK} == set(names)
    assert len(main) == 2 + len(chain), (
        "the VM that others are made from, main's own, and a canary for each plugin"
    )
    assert len(outcomes) == _CONNECTIONS
    assert counted == {"wasmcustom.requests": metric.value}
    for thread in workers:
        created = [
            call.words[0] for call in envoy.crossings() if (call.function, call.thread) == (CREATE, thread)
        ]
        assert sorted(created) == list(range(1, len(created) + 1))


@pytest.mark.envoy(7, 8)
def test_a_canary_lives_first_and_ends_without_a_word() -> None:
    """On the main thread: the VM that others are made from is only initialized; then canary and the thread's own."""
    wasm = scripted({name: [] for name in LIFE}, None, '(func (export "_initialize"))')
    plugin = Plugin("a", wasm, b"config", b"vm config")
    with Upstream.start() as upstream, Envoy.start(plugin, upstream=upstream.address) as envoy:
        pass
    entered: list[str] = []
    with Session([plugin], engine=find.engine(), observers=[lambda event: entered.extend(_names(event))]):
        begun = tuple(entered)
    main = [f"{call.function}{call.words}" for call in envoy.startup_crossings()]
    assert main == [begun[0], *begun, *begun, *entered[len(begun) :]]


def _names(event: Event) -> Iterator[str]:
    if isinstance(event, Entered):
        yield f"{event.function.name}{tuple(map(int, event.words))}"
