"""The expression language: what it reads, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stops import Standing, visit
from switchboard import OUT, REQUEST_HEADERS, Call, Case, switchboard
from tapes import tape_of

from simwasm.debug.expression_completion import complete
from simwasm.debug.expression_functions import shown
from simwasm.debug.expression_scope import Scope, scope_at
from simwasm.debug.expressions import evaluate, parse
from simwasm.debug.state import State, Where
from simwasm.engines.find import engine as an_engine
from simwasm.errors import ExpressionError
from simwasm.exchange import request
from simwasm.plugin import Plugin

NOWHERE = Scope()


@pytest.fixture(scope="module")
def scope() -> Scope:
    """A stop at the end of a host call, in a plugin that has shared and counted things."""
    deeds: list[Call] = [
        ("proxy_set_shared_data", "k", '{"a": [1, 2]}', 0),
        ("proxy_define_metric", 0, "hits", OUT),
        ("proxy_set_property", "mine", "42"),
        ("proxy_get_header_map_value", 0, ":path", OUT, OUT),
    ]
    sent = request("GET", "/login?x", headers=[("x-user", "ann"), ("x-two", "1"), ("x-two", "2")])
    case = Case("case", {REQUEST_HEADERS: deeds}, sent=sent)
    found: list[Scope] = []

    class Frozen:
        """The memory as it was, since the guest runs on."""

        def __init__(self, at: Standing) -> None:
            assert at.memory is not None
            self.data = bytes(at.memory.view())

        def size(self) -> int:
            return len(self.data)

        def read(self, at: int, size: int, /) -> bytes:
            return self.data[at : at + size]

    def keep(at: Standing) -> None:
        given = at.scope
        found.append(Scope(given.state, given.entered, given.ended, Frozen(at)))

    board = Plugin("board", switchboard([case]))
    visit(an_engine("wasmtime"), board, [case.exchange(0)], {"-proxy_get_header_map_value": keep})
    return found[-1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('headers.request[":path"]', "/login?x"),
        ('headers.request["X-User"]', "ann"),
        ('headers.request["x-two"]', "1"),
        ('headers.request["gone"]', None),
        ("headers.request[0]", (":authority", "localhost")),
        ('"x-user" in headers.request', True),
        ('"gone" not in headers.request', True),
        ("len(headers.response)", 0),
        ("args.key", ":path"),
        ('args["value"]', "/login?x"),
        ('result == "OK"', True),
        ("result == 0", True),
        ('result != "NOT_FOUND"', True),
        ("body.request", b""),
        ('property["source.port"]', 50000),
        ('property["request.headers.x-user"]', "ann"),
        ('property["response.code"]', None),
        ('property["mine"] == "42"', True),
        ('shared["k"][0:4]', b'{"a"'),
        ('json(shared["k"])["a"][1]', 2),
        ('json(shared["k"]).a', [1, 2]),
        ('metric["hits"] + 1', 1),
        ("call", "proxy_get_header_map_value"),
        ("callback", "proxy_on_request_headers"),
        ("exchange", 1),
        ("1 + 2 * 3 ** 2 - 7 // 2", 16),
        ("0x10 | 1 << 3", 24),
        ("not 1 < 2 < 3 or true", True),
        ('"a" if none else "b"', "b"),
        ('hex(255) + lower("AB")', "0xffab"),
        ("(1, 2) == [1, 2]", True),
        ("-1 if false else +1", 1),
        ('int("12") + len("äb")', 14),
        ('"log" in headers.request[":path"]', True),
        ('b"ann" == headers.request["x-user"]', True),
    ],
)
def test_an_expression_has_its_value(scope: Scope, text: str, value: Any) -> None:
    assert evaluate(text, scope) == value


class TestMemory:
    def test_bytes_are_asked_by_address_and_size(self, scope: Scope) -> None:
        assert evaluate('memory[find(":path"):5]', scope) == b":path"

    def test_numbers_are_little_endian(self, scope: Scope) -> None:
        assert evaluate('u32(find(":path")) == u16(find(":path")) + (u16(find(":path") + 2) << 16)', scope)
        assert evaluate('u8(find(":path"))', scope) == ord(":")
        assert evaluate('memory[find(":path")]', scope) == ord(":")

    def test_text_and_strings(self, scope: Scope) -> None:
        assert evaluate('text(find("hits"), 2)', scope) == "hi"
        assert evaluate('string(find("hits"))', scope) == "hits"

    def test_what_is_not_in_memory_is_found_nowhere(self, scope: Scope) -> None:
        assert evaluate('find("no such text")', scope) is None
        assert evaluate('"no such text" in memory', scope) is False

    def test_outside_memory_is_a_mistake_with_its_place(self, scope: Scope) -> None:
        with pytest.raises(
            ExpressionError, match="4 bytes at 0xfffffff0 lie outside the memory of 262,144 bytes"
        ) as e:
            evaluate("1 + u32(0xfffffff0)", scope)
        assert e.value.position == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no expression"),
        ("headers.requst", "there is no `requst` in `headers`; there is `request`"),
        ("header", "there is no `header`; there is `headers`"),
        ("args.kee", "there is no `kee` in `args`; there is `key`"),
        ("1 +", "cannot read `1 \\+`"),
        ("u32", "`u32` is a function: u32\\(address\\)"),
        ("u32()", "`u32` is used as u32\\(address\\)"),
        ("(1)(2)", "only functions can be called"),
        ("headers.request.all(1)", "only functions can be called"),
        ("[x for x in headers]", "no loops here"),
        ("lambda: 1", "no functions of its own here"),
        ("(a := 1)", "no assignments here"),
        ("f'{1}'", "no f-strings here"),
        ("u32(*args)", "no `\\*` here"),
        ("len(x=1)", "no named arguments here"),
        ("{1: 2}", "no dictionaries here"),
        ("__import__", "there is no `__import__`"),
        ("1 @ 2", "there is no operator MatMult here"),
        ("1 / 0", "cannot work this out: division by zero"),
        ('1 + "a"', "cannot work this out"),
        ('"a" % 1', "this operator is for numbers"),
        ('"".__class__', "`.__class__` needs something with names before it"),
        ("headers.__class__", "there is no `__class__` in `headers`"),
        ("(-8) ** 0.5", "complex numbers"),
        ("1j", "`1j` is not a value here"),
        ("...", "`Ellipsis` is not a value here"),
        ('json("{")', "this is not JSON"),
        ("headers[1]", "`headers` is asked by a name"),
        ("(1, 2)[5]", "cannot work this out"),
    ],
)
def test_a_mistake_is_told_in_words(scope: Scope, text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        evaluate(text, scope)


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9",
        "2 ** 100000",
        "1 << 10 ** 9",
        '"a" * 10 ** 9',
        "((1, 2) * 1000000) * 1000",
        "memory[0:2000000]",
        "(" * 300 + "1" + ")" * 300,
        "-" * 900 + "1",
        "not " * 200 + "1",
        "1" + "+1" * 400,
        "1" * 2_000,
        'json("[" * 100000)',
        'json("9" * 1000000)',
        'int("9" * 100000)',
        "~" * 300 + "1",
    ],
)
def test_a_bomb_is_refused_at_once(scope: Scope, text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, scope)


@pytest.mark.parametrize(("text", "place"), [("   u8(-1)", 3), ('"äöü" + nothing', 8), (" 1 +* 2", 4)])
def test_a_mistake_is_where_it_was_typed(scope: Scope, text: str, place: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, scope)
    assert caught.value.position == place


@given(st.text(alphabet="headrsqubody.[]()\"'0123456789 +-*/<>=%&|^~:,nti", max_size=60))
def test_whatever_is_typed_is_a_value_or_a_mistake(text: str) -> None:
    try:
        evaluate(text, NOWHERE)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)


@given(st.text(max_size=40), st.integers(0, 50))
def test_whatever_is_typed_can_be_completed(text: str, cursor: int) -> None:
    found = complete(text, cursor, NOWHERE)
    assert 0 <= found.start <= len(text)


def test_without_a_stop_only_what_needs_none_has_a_value() -> None:
    assert evaluate("1 + 1", NOWHERE) == 2
    with pytest.raises(ExpressionError, match="stop at a row first"):
        evaluate('headers.request["a"]', NOWHERE)
    with pytest.raises(ExpressionError, match="there is no memory here"):
        evaluate("u8(0)", NOWHERE)
    with pytest.raises(ExpressionError, match="there are no arguments here"):
        evaluate("args.key", NOWHERE)


def test_a_result_is_known_before_it_is_there_where_it_is_on_tape() -> None:
    tape = tape_of("allow_header/browser")
    state = State(0, 0, Where())
    began = next(at for at in range(1, len(tape)) if tape.entered(at).function.name == REQUEST_HEADERS)
    assert evaluate('result == "PAUSE"', scope_at(state, tape, began)) is True
    assert evaluate("call", scope_at(state, tape, 0)) is None


def test_an_expression_that_was_read_once_has_its_value_at_any_stop(scope: Scope) -> None:
    expression = parse(" 1 + len(headers.request) ")
    assert expression.text == "1 + len(headers.request)"
    assert expression.value(scope) == expression.value(scope)


@pytest.mark.parametrize(
    ("text", "start", "some"),
    [
        ("he", 0, ("headers", "hex(")),
        ("1 + u3", 4, ("u32(",)),
        ("headers.requ", 8, ("request", "request_trailers")),
        ('headers.request[":pa', 17, (':path"]',)),
        ("args.", 5, ("map_type", "key", "value")),
        ('property["source.', 10, ('source.address"]', 'source.port"]')),
        ('shared["', 8, ('k"]',)),
        ('metric["h', 8, ('hits"]',)),
    ],
)
def test_completion_knows_names_fields_and_keys(
    scope: Scope, text: str, start: int, some: tuple[str, ...]
) -> None:
    assert complete(text, len(text), scope) == (start, some)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("255", "255 (0xff)"),
        ("none", "none"),
        ("true", "true"),
        ("result", "OK (0)"),
        ('b"a\\x00"', '"a\\0" (2 bytes)'),
        ('"\\x1b[2J"', '"\\x1b[2J"'),
        (
            "headers",
            "headers: request, request_trailers, response, response_trailers, callout, callout_trailers",
        ),
        ('json(shared["k"])', '{"a": [1, 2]}'),
        ('(1, "x")', '(1, "x")'),
        ("memory", "memory of 262,144 bytes"),
    ],
)
def test_a_value_is_shown_on_one_line(scope: Scope, text: str, line: str) -> None:
    assert shown(evaluate(text, scope)) == line
