"""Envoy's log becomes records, and records become crossings."""

from __future__ import annotations

from simwasm.parity.log import Direction, crossings, parse_log, plugin_logs


def traced(*texts: str) -> bytes:
    """A log in which one thread writes these texts."""
    return "".join(f"7|trace|wasm|{text}\n" for text in texts).encode()


def test_a_record_is_unescaped_and_other_lines_are_left_out() -> None:
    records = parse_log(b'# Fatal error in V8\n7|info|wasm|wasm log a b: x\\ny \\"\\u0000\xff\n')
    assert [(record.thread, record.level, record.text) for record in records] == [
        (7, "info", 'wasm log a b: x\ny "\0\udcff')
    ]


def test_a_plugin_log_of_a_starting_vm_has_no_source() -> None:
    (line,) = plugin_logs(parse_log(traced("wasm log: early")))
    assert (line.source, line.text) == ("", "early")


def test_threads_do_not_mix() -> None:
    data = (
        b"1|trace|wasm|[host->vm] a(1)\n2|trace|wasm|[host->vm] a(2)\n1|trace|wasm|[host<-vm] a return: 5\n"
    )
    assert [(call.thread, call.depth, call.result) for call in crossings(parse_log(data))] == [
        (1, 0, 5),
        (2, 0, None),
    ]


def test_a_trap_closes_every_call_inside_it() -> None:
    data = traced(
        "[host->vm] outer(1)",
        "[host<-vm] outer return: void",
        "[host->vm] _initialize()",
        "[vm->host] wasi_snapshot_preview1.proc_exit(4294967295)",
        "Function: _initialize failed: Uncaught Error: restricted_callback",
        "[host->vm] after()",
    )
    calls = crossings(parse_log(data))
    assert [(call.function, call.depth, call.trap) for call in calls] == [
        ("outer", 0, None),
        ("_initialize", 0, "Uncaught Error: restricted_callback"),
        ("proc_exit", 1, "Uncaught Error: restricted_callback"),
        ("after", 0, None),
    ]
    assert (calls[2].module, calls[2].words, calls[2].direction) == (
        "wasi_snapshot_preview1",
        (0xFFFFFFFF,),
        Direction.TO_HOST,
    )
