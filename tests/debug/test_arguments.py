"""Arguments and the bytes they stand for, in real calls."""

from __future__ import annotations

from typing import Any

from stops import Standing, visit
from switchboard import OUT, REQUEST_BODY, REQUEST_HEADERS, Call, Case, pairs, switchboard
from wat import call, callback, imported, plugin

from simwasm.abi.table import named
from simwasm.debug.arguments import Argument
from simwasm.engines.engine import Engine
from simwasm.exchange import request, response
from simwasm.plugin import Plugin

END = 4 * 65536


def look(
    engine: Engine, deeds: list[Call], name: str, **options: Any
) -> tuple[dict[str, Argument], Standing]:
    """The arguments of a call that a plugin makes in its headers callback, and where one stands."""
    found: list[tuple[dict[str, Argument], Standing]] = []
    case = Case("case", {REQUEST_HEADERS: deeds})
    board = Plugin("board", switchboard([case]))

    def keep(at: Standing) -> None:
        found.append((at.arguments, at))

    visit(engine, board, [case.exchange(0)], {name: keep}, **options)
    return found[-1]


def read(at: Standing, argument: Argument) -> bytes:
    """The bytes an argument stands for, after the run: nothing else has written there."""
    assert at.memory is not None
    assert argument.pointer is not None
    assert argument.size is not None
    return at.memory.read(argument.pointer, argument.size)


def test_a_pointer_and_its_size_are_one_argument(engine: Engine) -> None:
    bytes_of_key: list[bytes] = []
    case = Case("case", {REQUEST_HEADERS: [("proxy_remove_header_map_value", 0, "x-a")]})
    visit(
        engine,
        Plugin("board", switchboard([case])),
        [case.exchange(0)],
        {"proxy_remove_header_map_value": lambda at: bytes_of_key.append(read(at, at.arguments["key"]))},
    )
    assert bytes_of_key == [b"x-a"]


def test_a_number_with_a_name_shows_both(engine: Engine) -> None:
    found, _ = look(engine, [("proxy_remove_header_map_value", 0, "x")], "proxy_remove_header_map_value")
    assert (found["map_type"].text, found["map_type"].note) == ("HTTP_REQUEST_HEADERS", "= 0")


def test_before_the_call_it_is_known_where_the_host_will_write(engine: Engine) -> None:
    deed: Call = ("proxy_get_header_map_value", 0, ":path", OUT, OUT)
    found, _ = look(engine, [deed], "proxy_get_header_map_value")
    value, size = found["value"], found["value size"]
    assert (value.text, value.size, value.out, value.note) == (
        "not written yet",
        4,
        True,
        "its address goes here",
    )
    assert size.pointer == (value.pointer or 0) + 4


def test_after_the_call_an_out_argument_is_what_was_written(engine: Engine) -> None:
    seen: list[tuple[bytes, Argument]] = []
    case = Case("case", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, ":path", OUT, OUT)]})
    visit(
        engine,
        Plugin("board", switchboard([case])),
        [case.exchange(0)],
        {
            "-proxy_get_header_map_value": lambda at: seen.append(
                (read(at, at.arguments["value"]), at.arguments["value"])
            )
        },
    )
    data, value = seen[-1]
    assert (data, value.text, value.note) == (b"/a?b", '"/a?b"', "where the allocator said")


def test_after_a_call_that_failed_nothing_is_read_where_nothing_was_written(engine: Engine) -> None:
    deed: Call = ("proxy_get_header_map_value", 0, "gone", OUT, OUT)
    found, _ = look(engine, [deed], "-proxy_get_header_map_value")
    assert (found["value"].text, found["value"].size, "value address" in found) == ("not written", 4, False)


def test_every_name_and_value_of_a_map_has_its_bytes(engine: Engine) -> None:
    seen: list[list[tuple[str, bytes]]] = []
    given = pairs((":method", "GET"), ("x-long", "value"), (":path", "/"), (":authority", "a"))
    case = Case("case", {REQUEST_HEADERS: [("proxy_http_call", "auth", given, "", b"", 10, OUT)]})

    def keep(at: Standing) -> None:
        assert at.memory is not None
        seen.append(
            [(piece.name, at.memory.read(piece.at, piece.size)) for piece in at.arguments["headers"].pieces]
        )

    visit(
        engine,
        Plugin("board", switchboard([case])),
        [case.exchange(0)],
        {"proxy_http_call": keep},
        clusters={"auth"},
        ask_cluster=lambda callout: response(200),
    )
    assert seen[0][:4] == [
        ("name 1", b":method"),
        ("value 1", b"GET"),
        ("name 2", b"x-long"),
        ("value 2", b"value"),
    ]


def test_a_malformed_map_says_what_is_wrong(engine: Engine) -> None:
    found, _ = look(
        engine, [("proxy_set_header_map_pairs", 0, b"\x02\0\0\0\x01\0\0\0")], "proxy_set_header_map_pairs"
    )
    assert found["pairs"].note == "malformed: the sizes of 2 pairs do not fit into 8 bytes"


def test_a_pointer_outside_memory_is_marked(engine: Engine) -> None:
    (row,) = named("proxy_remove_header_map_value")
    seen: list[Argument] = []
    guest = plugin(
        imported(row),
        callback("proxy_on_vm_start", call(row, (0, 70_000, 5))),
        callback("proxy_on_context_create"),
    )
    visit(engine, guest, [], {row.name: lambda at: seen.append(at.arguments["key"])})
    assert (seen[0].bad, seen[0].note) == (True, "outside the memory of 65,536 bytes")


def test_a_map_whose_pairs_are_said_to_be_huge_is_not_read(engine: Engine) -> None:
    (row,) = named("proxy_set_header_map_pairs")
    seen: list[Argument] = []
    guest = plugin(imported(row), callback("proxy_on_vm_start", call(row, (0, 16, -1))))
    visit(engine, guest, [], {row.name: lambda at: seen.append(at.arguments["pairs"])})
    assert (seen[0].bad, seen[0].pieces) == (True, ())


def test_the_numbers_of_a_callback_are_explained(engine: Engine) -> None:
    seen: list[dict[str, Argument]] = []
    case = Case("case", {REQUEST_BODY: []}, sent=request("POST", "/post", body=b"hello"))
    visit(
        engine,
        Plugin("board", switchboard([case])),
        [case.exchange(0)],
        {REQUEST_BODY: lambda at: seen.append(at.arguments)},
    )
    assert [(each.name, each.text, each.note) for each in seen[0].values()] == [
        ("context_id", "2", "exchange #1: case"),
        ("body_size", "5", "bytes that this callback sees"),
        ("end_of_stream", "false", "more comes"),
    ]


def test_the_root_context_is_the_plugin_itself(engine: Engine) -> None:
    seen: list[Argument] = []
    board = Plugin("board", switchboard([Case("case", {})]))
    visit(engine, board, [], {"proxy_on_done": lambda at: seen.append(at.arguments["context_id"])})
    assert seen[0].note == "the plugin itself"
