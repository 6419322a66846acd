"""Overrides as they are typed: read for the call they are for, or refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.abi.enums import Action, DataAction, HeadersAction, Status
from simwasm.abi.table import FUNCTIONS, Function, Side
from simwasm.debug.branch import Override
from simwasm.debug.override_text import fitting, read_override
from simwasm.errors import InputError

NAMED = {row.name: row for row in FUNCTIONS}
GET, PAIRS, CALL, LOG = (
    NAMED[f"proxy_{name}"] for name in ("get_header_map_value", "get_header_map_pairs", "http_call", "log")
)
HEADERS, BODY = NAMED["proxy_on_request_headers"], NAMED["proxy_on_request_body"]


@pytest.mark.parametrize(
    ("function", "text", "override"),
    [
        (GET, "NOT_FOUND", Override(Status.NOT_FOUND)),
        (GET, "NotFound", Override(Status.NOT_FOUND)),
        (GET, "Status::NotFound", Override(Status.NOT_FOUND)),
        (GET, 'OK "alice"', Override(Status.OK, ("alice",))),
        (GET, r'ok b"\xff"', Override(Status.OK, ("\udcff",))),
        (GET, "OK true", Override(Status.OK, ("true",))),
        (LOG, "OK", Override(Status.OK)),
        (CALL, "OK", Override(Status.OK, (0,))),
        (CALL, "OK 7", Override(Status.OK, (7,))),
        (PAIRS, 'OK {"a": "b"}', Override(Status.OK, ((("a", "b"),),))),
        (PAIRS, 'OK (("a", "b"), ("a", "c"))', Override(Status.OK, ((("a", "b"), ("a", "c")),))),
        (NAMED["proxy_get_buffer_bytes"], 'OK "text"', Override(Status.OK, (b"text",))),
        (HEADERS, "Continue", Override(result=HeadersAction.CONTINUE, callback=True)),
        (HEADERS, "Action::Pause", Override(result=HeadersAction.PAUSE, callback=True)),
        (HEADERS, "1", Override(result=HeadersAction.PAUSE, callback=True)),
        (HEADERS, "77", Override(result=77, callback=True)),
        (BODY, "PAUSE", Override(result=DataAction.PAUSE, callback=True)),
        (NAMED["proxy_on_request_trailers"], "pause", Override(result=Action.PAUSE, callback=True)),
        (HEADERS, "OK Continue", Override(result=HeadersAction.CONTINUE, callback=True)),
        (NAMED["proxy_on_configure"], "OK true", Override(result=True, callback=True)),
        (NAMED["proxy_get_buffer_bytes"], "OK text", Override(Status.OK, (b"text",))),
        (NAMED["proxy_on_configure"], "false", Override(result=False, callback=True)),
    ],
)
def test_what_is_typed_is_read_for_its_call(function: Function, text: str, override: Override) -> None:
    assert read_override(function, text) == override
    assert fitting(function, override) == override


@pytest.mark.parametrize(
    ("function", "override", "complaint"),
    [
        (GET, Override(result=1, callback=True), "it is for another kind of call"),
        (HEADERS, Override(Status.OK), "it is for another kind of call"),
        (HEADERS, Override(result="x", callback=True), "does not return 'x'"),
        (HEADERS, Override(result=-1, callback=True), "does not return -1"),
        (HEADERS, Override(result=1 << 31, callback=True), "does not return"),
        (NAMED["proxy_on_log"], Override(result=1, callback=True), "proxy_on_log returns nothing"),
        (NAMED["fd_write"], Override(Status.BAD_ARGUMENT), "is no function of the proxy"),
        (GET, Override(Status.OK), "writes value (text): 1 values are needed"),
        (GET, Override(Status.OK, (5,)), "value is text or bytes"),
        (GET, Override(Status.OK, ("\ud800",)), "value is text or bytes"),
        (GET, Override(Status.OK, ("x" * (1 << 21),)), "value is text or bytes of at most 1,048,576"),
        (CALL, Override(Status.OK, ("7",)), "call_id is a number of 32 bits"),
        (CALL, Override(Status.OK, (True,)), "call_id is a number of 32 bits"),
        (CALL, Override(Status.OK, (1 << 32,)), "call_id is a number of 32 bits"),
        (PAIRS, Override(Status.OK, ("ab",)), "is a map such as"),
        (PAIRS, Override(Status.OK, ((("a",),),)), "is a map such as"),
        (PAIRS, Override(Status.OK, ((("a", 5),),)), "is text or bytes"),
    ],
)
def test_what_does_not_fit_its_call_is_refused(
    function: Function, override: Override, complaint: str
) -> None:
    with pytest.raises(InputError, match=r"^override: ") as error:
        fitting(function, override)
    assert complaint in str(error.value)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(
    st.sampled_from(FUNCTIONS),
    st.text() | st.builds("{} {!r}".format, st.sampled_from(["OK", "ok"]), _VALUES),
)
def test_whatever_is_typed_fits_or_is_refused(function: Function, text: str) -> None:
    try:
        found = read_override(function, text)
    except InputError:
        return
    assert fitting(function, found) == found
    assert found.callback == (function.side is Side.PLUGIN)


@given(st.sampled_from(FUNCTIONS), st.booleans(), st.sampled_from(Status), _VALUES)
def test_whatever_a_file_says_fits_or_is_refused(
    function: Function, callback: bool, status: Status, value: Any
) -> None:
    values = value if isinstance(value, tuple) else (value,)
    try:
        found = fitting(function, Override(status, values, value, callback))
    except InputError:
        return
    assert fitting(function, found) == found
