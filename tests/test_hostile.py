"""A plugin is hostile input: whatever it does, a status or a trap comes back, and the next exchange is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from wat import call, callback, imported, plugin

from simwasm.abi.enums import Errno, Status
from simwasm.abi.kinds import Form
from simwasm.abi.table import HOST_FUNCTIONS, WASI_FUNCTIONS, Abi, Function
from simwasm.engines.engine import Engine
from simwasm.errors import LinkError, PluginError, SimwasmError, Trap, TrapKind
from simwasm.exchange import Exchange, request, response
from simwasm.host.outcome import Outcome
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Event, Left, Trapped
from simwasm.trace.text import printable
from simwasm.wasm.rewrite import Limits

POST = request("POST", "/", body=[b"ab"], trailers=[("x-t", "1")])
EXCHANGE = Exchange("1", 0, POST, response(200, body=[b"cd"], trailers=[("x-t", "1")]))
LOOP = "(loop $again (br $again))"
SPIN = 100_000

STARTING = (
    "_initialize",
    "main",
    "_start",
    "proxy_on_vm_start",
    "proxy_on_configure",
)
STREAMING = tuple(
    f"proxy_on_{side}_{part}" for side in ("request", "response") for part in ("headers", "body", "trailers")
)
ENDING = ("proxy_on_log", "proxy_on_done", "proxy_on_delete")


def play(engine: Engine, which: Plugin, *, times: int = 1, fuel: int = SPIN, pages: int = 256,
         observe: Callable[[Event], None] | None = None) -> list[Outcome]:  # fmt: skip
    limits = Limits(slice=SPIN, pages=pages)
    observers = [observe] if observe else []
    with Session([which], engine=engine, fuel=fuel, limits=limits, observers=observers) as session:
        return list(session.replay([EXCHANGE] * times))


def starting_with(name: str, *body: str) -> list[str]:
    """The callback, and what has to be there for it to be called."""
    needs = {"main": ["_initialize"]}.get(name, [])
    return [callback(name, *body), *(callback(other) for other in needs)]


@pytest.mark.parametrize("name", STARTING)
def test_an_endless_loop_while_starting_is_a_trap(engine: Engine, name: str) -> None:
    with pytest.raises(Trap) as caught:
        play(engine, plugin(*starting_with(name, LOOP)))
    assert caught.value.kind is TrapKind.OUT_OF_FUEL
    assert caught.value.frames


def test_an_endless_loop_while_the_root_is_created_fails_every_exchange(engine: Engine) -> None:
    """As in Envoy such a plugin counts as started."""
    outcomes = play(engine, plugin(callback("proxy_on_context_create", LOOP)), times=2)
    assert [outcome.status for outcome in outcomes] == [503, 503]


@pytest.mark.parametrize("name", STREAMING)
def test_an_endless_loop_in_a_stream_fails_the_exchange_and_the_plugin(engine: Engine, name: str) -> None:
    passing = [callback(other, "(return (i32.const 0))") for other in STREAMING if other != name]
    first, second = play(engine, plugin(callback(name, LOOP), *passing), times=2)
    assert first.status == 503 or first.reset
    assert any("out of fuel" in line.text for line in first.logs) or first.details
    assert second.status == 503


@pytest.mark.parametrize("name", ENDING)
def test_an_endless_loop_at_the_end_spares_the_exchange_that_ended(engine: Engine, name: str) -> None:
    first, second = play(engine, plugin(callback(name, LOOP)), times=2)
    assert (first.status, second.status) == (200, 503)


def test_an_endless_loop_in_the_allocator_is_a_trap_of_the_callback(engine: Engine) -> None:
    spinning = f'(func (export "malloc") (param i32) (result i32) {LOOP} (unreachable))'
    get = next(row for row in HOST_FUNCTIONS if row.name == "proxy_get_header_map_pairs")
    body = call(get, (0, 100, 104))
    (outcome,) = play(
        engine, plugin(imported(get), callback("proxy_on_request_headers", body), malloc=spinning)
    )
    assert outcome.status == 503


def test_recursion_without_end_is_a_trap(engine: Engine) -> None:
    recursing = "(func $deeper (call $deeper) (call $deeper))"
    which = plugin(recursing, callback("proxy_on_request_headers", "(call $deeper)"))
    events: list[Event] = []
    first, second = play(engine, which, times=2, fuel=1_000_000_000, observe=events.append)
    assert (first.status, second.status) == (503, 503)
    assert [event.trap.kind for event in events if isinstance(event, Trapped)] == [TrapKind.STACK_EXHAUSTED]


def test_memory_cannot_grow_beyond_the_limit(engine: Engine) -> None:
    """It asks for a page until it gets none, which takes 256 - 1 successes; then it returns Continue."""
    grow = """(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
              (return (i32.ne (memory.size) (i32.const 256)))"""
    (outcome,) = play(engine, plugin(callback("proxy_on_request_headers", grow)))
    assert outcome.status == 200


def test_a_memory_that_begins_beyond_the_limit_is_refused(engine: Engine) -> None:
    with pytest.raises(PluginError, match="begins with 300 pages"):
        play(engine, plugin(memory="300"))


def test_a_start_function_that_traps_is_told(engine: Engine) -> None:
    with pytest.raises(SimwasmError, match="unreachable"):
        play(engine, plugin("(func $s (unreachable))", "(start $s)"))


def _wild(row: Function) -> list[tuple[int, ...]]:
    """Words with every pointer wild, and numbers that get past the checks before the pointers."""
    shapes = [(0xFFFFFFF0, 64), (0x7FFFFFFF, 0x7FFFFFFF), (65535, 2), (0, 0xFFFFFFFF), (65536, 0)]
    found = []
    for at, size in shapes:
        words: list[int] = []
        for param in row.params:
            if param.form in (Form.ENUM, Form.FLAG) and not param.out:
                words.append(0)
            elif len(param.words) == 2:
                words += [at, at if param.out and not param.foreign else size]
            else:
                words.append(at)
        found.append(tuple(words))
    return found


@pytest.mark.parametrize("row", HOST_FUNCTIONS + WASI_FUNCTIONS, ids=lambda row: row.name)
def test_wild_pointers_are_answered_by_a_status(engine: Engine, row: Function) -> None:
    version = next(version for version in reversed(Abi) if row.has(version))
    calls = [call(row, words) for words in _wild(row)]
    body = callback("proxy_on_request_headers", *calls, "(return (i32.const 0))", abi=version)
    events: list[Event] = []
    which = plugin(imported(row), body, abi=version.value.replace(".", "_"))
    outcomes = play(engine, which, times=2, observe=events.append)
    answers = [
        event.result
        for event in events
        if isinstance(event, Left) and isinstance(event.result, (Status, Errno))
    ]
    assert len(answers) >= (0 if row.errors is None else 2 * len(calls))
    assert all(outcome.response is not None or outcome.reset for outcome in outcomes)
    assert all(
        event.reason for event in events if isinstance(event, Left) and event.result in (Status(6), Errno(21))
    )


@pytest.mark.parametrize(
    "row", [row for row in HOST_FUNCTIONS + WASI_FUNCTIONS if not row.early], ids=lambda r: r.name
)
def test_what_may_not_be_called_while_starting_traps(engine: Engine, row: Function) -> None:
    version = next(version for version in reversed(Abi) if row.has(version))
    body = call(row, [0] * len(row.type.params))
    which = plugin(imported(row), callback("_initialize", body), abi=version.value.replace(".", "_"))
    with pytest.raises(Trap, match=f"{row.name} may not be called while the plugin starts") as caught:
        play(engine, which)
    assert caught.value.kind is TrapKind.RESTRICTED


def test_what_may_not_be_called_in_the_allocator_traps(engine: Engine) -> None:
    rows = {row.name: row for row in HOST_FUNCTIONS}
    get = rows["proxy_get_header_map_pairs"]
    calling = f'(func (export "malloc") (param i32) (result i32) {call(get, (0, 8, 12))} (i32.const 1024))'
    which = plugin(imported(get), callback("proxy_on_request_headers", call(get, (0, 8, 12))), malloc=calling)
    events: list[Event] = []
    (outcome,) = play(engine, which, observe=events.append)
    assert outcome.status == 503
    assert TrapKind.RESTRICTED in [event.trap.kind for event in events if isinstance(event, Trapped)]


@pytest.mark.parametrize(
    ("fields", "settings", "says"),
    [
        (['(import "env" "proxy_nope" (func))'], {}, "due to a missing import: env.proxy_nope"),
        (['(import "foo" "proxy_log" (func))'], {}, "due to a missing import: foo.proxy_log"),
        (['(import "env" "g" (global i32))'], {}, "due to a missing import: env.g"),
        (
            ['(import "env" "proxy_get_log_level" (func (param i32) (result i32)))'],
            {"abi": "0_2_0"},
            "due to a missing import: env.proxy_get_log_level (the plugin exports the marker of ABI 0.2.0; ABI 0.2.1",
        ),
        (
            ['(import "env" "proxy_log" (func (param i32 i64) (result i32)))'],
            {},
            "import type mismatch: env.proxy_log, want: i32 i64 -> i32, but host exports: i32 i32 i32 -> i32",
        ),
        (
            ['(func (export "proxy_on_log") (param i32) (result i32) (i32.const 0))'],
            {},
            "Bad function signature for: proxy_on_log, want: i32 -> void, but the module exports: i32 -> i32",
        ),
        ([], {"malloc": ""}, "Wasm module is missing malloc function."),
        (
            [],
            {"abi": "9_9_9"},
            "Missing or unknown Proxy-Wasm ABI version: it exports proxy_abi_version_9_9_9",
        ),
    ],
)
def test_what_does_not_link_is_refused_in_envoys_words(
    engine: Engine, fields: list[str], settings: dict[str, str], says: str
) -> None:
    with pytest.raises(LinkError) as caught:
        play(engine, plugin(*fields, **settings))  # type: ignore[arg-type]  # settings of the helper
    assert says in str(caught.value)


def test_an_imported_memory_is_made(engine: Engine) -> None:
    import wasmtime

    text = """(module (import "env" "memory" (memory 1))
              (func (export "proxy_abi_version_0_2_1"))
              (func (export "malloc") (param i32) (result i32) (i32.const 8)))"""
    (outcome,) = play(engine, Plugin("imports", bytes(wasmtime.wat2wasm(text))))
    assert outcome.status == 200


def test_every_byte_of_a_plugin_may_be_wrong(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte flipped, each engine takes a quarter of them: it is refused, runs or traps; nothing else."""
    monkeypatch.setenv("SIMWASM_CACHE_DIR", "")  # none of them comes again
    wasm = (Path(__file__).parent.parent / "samples" / "allow_header_c" / "plugin.wasm").read_bytes()
    refused = 0
    for at in range(engine.name == "wasmtime", len(wasm), 4):
        flipped = bytearray(wasm)
        flipped[at] ^= 0xFF
        try:
            play(engine, Plugin("flipped", bytes(flipped)))
        except SimwasmError as error:
            assert str(error)
            refused += 1
    assert refused > len(wasm) // 16


def _row(name: str) -> Function:
    return next(row for row in HOST_FUNCTIONS if row.name == name)


@pytest.mark.parametrize(
    ("memory", "bulk"),
    [
        ("1024", "(memory.fill (i32.const 0) (i32.const 0) (i32.const 67108864))"),
        ("1024", "(memory.copy (i32.const 0) (i32.const 1) (i32.const 67108000))"),
        ("1", "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))"),
    ],
)
def test_bulk_instructions_pay_by_what_they_move(engine: Engine, memory: str, bulk: str) -> None:
    """Each takes milliseconds: paid as one instruction, ten million of them would be hours."""
    looping = callback("proxy_on_request_headers", f"(loop $again {bulk} (br $again))")
    which = plugin("(table $t 1000000 funcref)", looping, memory=memory)
    (outcome,) = play(engine, which, fuel=10_000_000, pages=1024)
    assert outcome.status == 503


def test_a_loop_of_host_calls_pays_for_them(engine: Engine) -> None:
    log = _row("proxy_log")
    body = f"(loop $again {call(log, (2, 0, 1))} (br $again))"
    which = plugin(imported(log), callback("proxy_on_request_headers", body))
    (outcome,) = play(engine, which, fuel=10_000_000)
    assert outcome.status == 503
    assert 5_000 < len(outcome.logs) < 15_000


def test_a_table_cannot_grow_beyond_what_the_real_engine_allows(engine: Engine) -> None:
    growing = "(return (i32.ne (table.grow $t (ref.null func) (i32.const 10000000)) (i32.const -1)))"
    which = plugin("(table $t 1 funcref)", callback("proxy_on_request_headers", growing))
    (outcome,) = play(engine, which)
    assert outcome.status == 200
    with pytest.raises(PluginError, match="begins with 4,000,000,000 elements"):
        play(engine, plugin("(table 4000000000 funcref)"))


def test_a_function_called_memory_is_no_memory(engine: Engine) -> None:
    import wasmtime

    text = """(module (memory 1) (func (export "memory")) (func (export "proxy_abi_version_0_2_1"))
              (func (export "malloc") (param i32) (result i32) (i32.const 8)))"""
    (outcome,) = play(engine, Plugin("function", bytes(wasmtime.wat2wasm(text))))
    assert outcome.status == 200


@pytest.mark.parametrize("status", ["²", "99999999999999999999999", "9" * 5000])
def test_a_status_that_is_no_number_is_refused(engine: Engine, status: str) -> None:
    replace, size = _row("proxy_replace_header_map_value"), len(status.encode())
    body = call(replace, (2, 2048, 7, 2055, size)) + call(_row("proxy_get_property"), (9000, 13, 100, 104))
    body = body.replace("$f", "$replace", 1).replace("$f", "$get", 1)
    imports = (
        imported(replace).replace("$f", "$replace"),
        imported(_row("proxy_get_property")).replace("$f", "$get"),
    )
    words = f'(data (i32.const 2048) ":status{status}") (data (i32.const 9000) "response\\00code")'
    which = plugin(*imports, words, callback("proxy_on_response_headers", body, "(return (i32.const 0))"))
    (outcome,) = play(engine, which)
    assert outcome.status == 502


def test_environment_variables_are_bytes(engine: Engine) -> None:
    sizes = next(row for row in WASI_FUNCTIONS if row.name == "environ_sizes_get")
    body = callback("proxy_on_request_headers", call(sizes, (0, 4)), "(return (i32.const 0))")
    (outcome,) = play(engine, plugin(imported(sizes), body, env={"A": "\udcff"}))  # type: ignore[arg-type]  # a setting
    assert outcome.status == 200


def test_a_plugin_that_wakes_itself_for_ever_is_stopped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simwasm.host.proxy.AT_ONE_INSTANT", 1000)
    register, enqueue = _row("proxy_register_shared_queue"), _row("proxy_enqueue_shared_queue")
    wake = call(enqueue, (1, 0, 1))
    which = plugin(
        imported(enqueue),
        imported(register).replace("$f", "$register"),
        callback("proxy_on_vm_start", call(register, (0, 1, 200)).replace("$f", "$register")),
        callback("proxy_on_request_headers", wake, "(return (i32.const 0))"),
        callback("proxy_on_queue_ready", wake),
    )
    first, second = play(engine, which, times=2)
    assert first.status == 200
    assert second.status in (200, 503)


def test_iovecs_that_overlap_cannot_make_an_endless_write(engine: Engine) -> None:
    """2,000 times the same 64 KiB; with 16 MiB each it would be 32 GB."""
    row = next(row for row in WASI_FUNCTIONS if row.name == "fd_write")
    table = r'(data (i32.const 0) "\00\00\00\00\00\00\01\00")'
    fill = """(local $at i32) (loop $more (i64.store (local.get $at) (i64.load (i32.const 0)))
        (br_if $more (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 16000))))"""
    which = plugin(
        imported(row), table, callback("proxy_on_request_headers", fill, call(row, (1, 0, 2000, 20000)))
    )
    events: list[Event] = []
    play(engine, which, observe=events.append)
    refused = [event for event in events if isinstance(event, Left) and event.result is Errno.INVAL]
    assert [event.reason for event in refused] == [
        "2000 iovecs have 131,072,000 bytes in all, more than the limit of 67,108,864"
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [("proxy_set_shared_data", (0, 4, 0, 65536, 0)), ("proxy_add_header_map_value", (0, 0, 4, 0, 65536))],
)
def test_what_the_host_keeps_has_a_limit(engine: Engine, name: str, words: tuple[int, ...]) -> None:
    """Ever new keys, 64 KiB each, until the host says that it is enough."""
    row = next(row for row in HOST_FUNCTIONS if row.name == name)
    given = " ".join(f"(i32.const {word})" for word in words)
    flood = f"""(local $n i32) (loop $more
        (i32.store (i32.const 0) (local.tee $n (i32.add (local.get $n) (i32.const 1))))
        (br_if $more (i32.eqz (call $f {given}))))"""
    which = plugin(imported(row), callback("proxy_on_request_headers", flood))
    (outcome,) = play(engine, which, fuel=1_000_000_000)
    assert outcome.waiting  # it returned Pause, after the host had refused


def test_escape_sequences_do_not_reach_a_terminal() -> None:
    assert printable("a\x1b[31mb\x07\udcff") == "a\\x1b[31mb\\x07\\xff"
