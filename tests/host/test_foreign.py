"""What is said where a foreign function cannot do what it was asked; what it does is compared with Envoy."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as any_of
from playbook import Guest, Play

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal, Remark
from simwasm.exchange import request
from simwasm.host.foreign import FUNCTIONS, cel
from simwasm.host.foreign import zip as zlib_functions

GET = request("GET", "/")


def asked(*calls: tuple[str, bytes], callback: str = "on_request_headers") -> list[Any]:
    """What a plugin is answered in a callback."""
    answers: list[Any] = []

    def play(guest: Guest, *args: object) -> int:
        answers.extend(guest.call("call_foreign_function", *call) for call in calls)
        return 1

    play_it: dict[str, Any] = {callback: play}
    Play(Guest(**play_it)).run(GET)
    return answers


@pytest.mark.parametrize(
    ("function", "arguments", "status", "why"),
    [
        ("expr_creat", b"1", Status.NOT_FOUND, "function: Envoy has no `expr_creat`; is it `expr_create`?"),
        ("uncompress", b"junk", Status.SERIALIZATION_FAILURE, "arguments: these bytes are no zlib data: "),
        ("uncompress", zlib.compress(b"hello")[:-1], Status.SERIALIZATION_FAILURE,
         "arguments: the zlib data ends too early"),
        ("expr_evaluate", b"12345", Status.BAD_ARGUMENT, "arguments: 5 bytes are no token, which is 4"),
        ("expr_evaluate", b"\7\0\0\0", Status.NOT_FOUND, "arguments: there is no expression 7"),
        ("expr_create", b"1 +", Status.BAD_ARGUMENT, "arguments: `1 +` is no CEL expression: "),
        ("expr_create", b"nope(1)", Status.BAD_ARGUMENT, "arguments: `nope(1)`: there is no function `nope`"),
        ("declare_property", b"\x0a\xff", Status.BAD_ARGUMENT,
         "arguments: these bytes are no DeclarePropertyArguments: it ends in the middle of a number"),
        ("set_envoy_filter_state", b"\x0a\x01x", Status.NOT_FOUND, "path: Envoy has no kind of object called `x`"),
        ("set_envoy_filter_state", b"\x0a\x0aenvoy.bool\x12\x01x", Status.BAD_ARGUMENT,
         "value: `x` is no `envoy.bool`"),
        ("sign", b"", Status.BAD_ARGUMENT,
         "`private_key` or `private_key_pem` is the key: neither is given"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_argument_and_the_rule(
    function: str, arguments: bytes, status: Status, why: str
) -> None:
    (found,) = asked((function, arguments))
    assert isinstance(found, Refusal)
    assert found.status is status
    assert found.reason.startswith(why)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("request.nope", "no such member in mapping: 'nope'"),
        ("nope", "undeclared reference to 'nope'"),
        ("has(nope.a)", "there is no `nope` here"),
        ("1 + 1u", "no such overload: int and uint do not go together"),
        ("1 < 'a'", "no such overload: int and string cannot be compared"),
        ("'a'.matches('(')", "`(` is no regular expression: missing ): ("),
        ("1 / 0", "modulus or divide by zero"),
    ],
)
def test_an_expression_without_a_value_says_what_is_missing(expression: str, why: str) -> None:
    _, found = asked(("expr_create", expression.encode()), ("expr_evaluate", b"\0\0\0\0"))
    assert found.status is Status.INTERNAL_FAILURE
    assert found.reason == f"`{expression}` has no value here: {why}"


def test_what_has_no_effect_says_so() -> None:
    (found,) = asked(("declare_property", b"\x0a\x01x"))
    assert isinstance(found, Remark)
    assert found.reason.startswith("it has no effect: ")
    (found,) = asked(("clear_route_cache", b""), callback="on_configure")
    assert isinstance(found, Remark)
    assert found.reason.startswith("nothing is cleared: ")


def test_a_plugin_cannot_fill_the_memory_by_uncompressing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib_functions, "LARGEST", 1000)
    (found,) = asked(("uncompress", zlib.compress(bytes(1001))))
    assert found.reason == "it is more than 1,000 bytes, the most there may be here"


def test_tokens_count_what_could_be_parsed() -> None:
    answers = asked(
        ("expr_create", b"1"), ("expr_create", b"1 +"), ("expr_create", b"nope(1)"), ("expr_create", b"2")
    )
    assert answers[0] == (0).to_bytes(4, "little")
    assert answers[3] == (2).to_bytes(4, "little")


cel.parse(
    "1"
)  # the library sets Python's recursion limit when it is first used, which Hypothesis does not like

WORDS = any_of.sampled_from(
    """1 2u 1.5 'a' b'a' true null request request.path request.headers nope xds.node plugin_name x size( int( uint(
    string( bytes( duration( timestamp( type( dyn( has( matches( .contains( .matches( .map(x, .filter(x, .exists(x,
    .all(x, ( ) [ ] { } , : ? . + - * / % ! == != < <= > >= in && || '1s' '(' 9223372036854775807
    -9223372036854775808 1e308 .size() .getFullYear() .getHours() Foo{a:1} google.protobuf.StringValue{value:'a'}
    .startsWith( 0""".split()
)


@settings(max_examples=300, deadline=None)
@given(any_of.sampled_from(sorted(FUNCTIONS)), any_of.binary(max_size=60))
def test_any_arguments_are_answered(function: str, arguments: bytes) -> None:
    (found,) = asked((function, arguments))
    assert isinstance(found, (bytes, Refusal, Remark))


@settings(max_examples=300, deadline=None)
@given(any_of.lists(WORDS, max_size=9))
def test_any_expression_is_answered(words: list[str]) -> None:
    answers = asked(("expr_create", " ".join(words).encode()), ("expr_evaluate", b"\0\0\0\0"))
    assert all(isinstance(found, (bytes, Refusal)) for found in answers)
