"""What is not told in goldens, and what is told all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simwasm.abi.enums import LogLevel, MapType, Status
from simwasm.abi.table import LAST, named
from simwasm.errors import InputError
from simwasm.exchange import Chunk, Exchange, Message, request
from simwasm.goldens.redactions import BUILT_IN, own_of, redactions
from simwasm.goldens.redactor import Redactor
from simwasm.goldens.writing import golden_text
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.parse import Header, Made

UUID = "0a1b2c3d-0000-4000-8000-00000000abcd"
DATE = "Sat, 21 Nov 2026 06:59:56 GMT"
STARTED = 1_795_244_396_994_000_000


def told(
    function: str, args: tuple[Any, ...], values: tuple[Any, ...] = (), own: tuple[str, ...] = ()
) -> Any:
    """A call as a golden tells it, behind what is in its header of redactions."""
    row = named(function)[-1]
    events: list[Event] = [
        Entered(1, STARTED, "p", 2, row, args, ()),
        Left(2, 1, Status.OK if row.errors else None, values, ""),
    ]
    header = Header((Made("p", "", LAST),), "envoy", 0, STARTED)
    head, line = map(json.loads, golden_text(events, header, own).splitlines())
    return line, head.get("redacted", [])


def header(name: str, value: str, *own: str) -> Any:
    """The value of a header that a plugin was given."""
    args = (MapType.HTTP_REQUEST_HEADERS, name)
    return told("proxy_get_header_map_value", args, (value,), own)[0]["gives"]["value"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", DATE),
        ("Date", DATE),
        ("x-request-id", UUID),
        ("x-envoy-upstream-service-time", "12"),
        ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"),
        ("x-b3-traceid", "0123456789abcdef"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
    ],
)
def test_a_value_that_a_recording_made_up_is_hidden(name: str, value: str) -> None:
    assert header(name, value) == f"<{name.lower()}>"


@pytest.mark.parametrize(
    ("name", "value"), [("date", "yesterday"), ("x-request-id", "1"), ("x-request-id", ""), ("via", DATE)]
)
def test_a_value_that_does_not_look_as_it_should_is_told(name: str, value: str) -> None:
    assert header(name, value) == value


def test_headers_are_hidden_in_maps_and_in_what_a_plugin_sets() -> None:
    pairs = ((("date", DATE), ("a", DATE)),)
    line, used = told("proxy_get_header_map_pairs", (MapType.HTTP_RESPONSE_HEADERS,), pairs)
    assert line["gives"] == {"pairs": [["date", "<date>"], ["a", DATE]]}
    assert used == ["date"]
    args = (MapType.HTTP_RESPONSE_HEADERS, "date", DATE)
    assert told("proxy_replace_header_map_value", args)[0]["args"]["value"] == "<date>"


def test_an_id_that_was_hidden_is_hidden_in_other_texts() -> None:
    redactor = Redactor(redactions(), STARTED)
    assert redactor.text(f"request {UUID}") == f"request {UUID}"
    redactor.pairs((("x-request-id", UUID),))
    assert redactor.text(f"request {UUID}") == "request <x-request-id>"
    assert redactor.text(f"request {UUID}".encode()) == b"request <x-request-id>"


def test_only_the_newest_ids_are_looked_for() -> None:
    redactor = Redactor(redactions(), STARTED)
    ids = [f"{number:08x}{UUID[8:]}" for number in range(40)]
    for id in ids:
        redactor.pairs((("x-request-id", id),))
    assert redactor.text(ids[0]) == ids[0]
    assert redactor.text(ids[-1]) == "<x-request-id>"


def test_a_long_value_is_told_by_its_beginning_and_its_digest() -> None:
    first, second = ("x" * 600 + end for end in ("a", "b"))
    lines = [told("proxy_log", (LogLevel.INFO, text))[0]["args"]["message"] for text in (first, second)]
    assert lines[0] != lines[1]
    assert all(len(line) < 200 and "<601 bytes, digest " in line for line in lines)
    assert told("proxy_log", (LogLevel.INFO, "x" * 512))[0]["args"]["message"] == "x" * 512


def test_a_long_body_is_cut_in_what_became_of_an_exchange() -> None:
    redactor = Redactor(redactions(), STARTED)
    message = redactor.message(Message((), (Chunk(b"\xff" * 3000),)))
    assert message is not None
    assert message.data.endswith(b", digest " + message.data[-13:-1] + b">")
    assert len(message.data) < 1000


def test_the_wall_clock_is_told_from_the_start() -> None:
    line, used = told("proxy_get_current_time_nanoseconds", (), (STARTED + 5,))
    assert (line["gives"], used) == ({"time": 5}, ["time"])


def test_random_bytes_are_not_told() -> None:
    assert told("random_get", (8,), (b"12345678",))[0]["gives"] == {"buffer": "<random>"}


def test_the_time_of_a_request_is_not_told_but_other_properties_are() -> None:
    line, used = told("proxy_get_property", (("request", "time"),), (b"\0" * 8,))
    assert (line["gives"], used) == ({"value": "<request.time>"}, ["request.time"])
    assert told("proxy_get_property", (("request", "path"),), (b"/",))[0]["gives"] == {"value": "/"}


def test_every_built_in_redaction_has_a_reason_and_a_name_of_its_own() -> None:
    assert all(each.reason for each in BUILT_IN)
    assert len({each.name for each in BUILT_IN}) == len(BUILT_IN)


# What the user wants.


def test_a_header_of_the_users_is_hidden_whatever_its_value() -> None:
    assert header("x-session", "anything", "header:X-Session") == "<x-session>"


def test_a_text_of_the_users_is_hidden_wherever_it_is() -> None:
    own = ("text:sid=[0-9a-f]+",)
    line, used = told("proxy_log", (LogLevel.INFO, "a sid=12ab b"), own=own)
    assert (line["args"]["message"], used) == ("a <redacted> b", ["text:sid=[0-9a-f]+"])
    assert header("cookie", "sid=12ab; x=1", *own) == "<redacted>; x=1"


def test_a_property_of_the_users_is_hidden() -> None:
    line, _ = told(
        "proxy_get_property", (("source", "address"),), (b"1.2.3.4:5",), ("property:source.address",)
    )
    assert line["gives"] == {"value": "<property:source.address>"}


def test_what_is_built_in_can_be_kept() -> None:
    assert header("date", DATE, "keep:date") == DATE


def test_a_golden_names_what_the_user_wanted_even_if_it_hid_nothing() -> None:
    _, used = told("proxy_log", (LogLevel.INFO, ""), own=("header:a", "keep:long"))
    assert used == ["header:a", "keep:long"]
    assert own_of(("date", *used)) == ("header:a", "keep:long")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("date", "`date` is nothing that can be redacted; there is header: with"),
        ("header:", "`header:` is nothing that can be redacted"),
        ("heder:a", "`heder:a` is nothing"),
        ("text:(", "`text:(`: this is no regular expression"),
        ("text:a*", "`text:a*`: this regular expression fits everywhere"),
        ("keep:dat", "`keep:dat`: nothing built in is called dat; did you mean date?"),
        ("keep:zzz", "`keep:zzz`: nothing built in is called zzz; there are date, "),
    ],
)
def test_what_cannot_be_redacted_is_told(wanted: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        redactions((wanted,))
    assert str(error.value).startswith(why)


def test_values_that_nobody_knows_stay_unknown() -> None:
    line, _ = told("proxy_add_header_map_value", (MapType.HTTP_REQUEST_HEADERS, None, None))
    assert line["args"] == {"map_type": "HTTP_REQUEST_HEADERS", "key": None, "value": None}
    assert Redactor(redactions(), 0).message(None) is None
    assert request("GET", "/") == Redactor(redactions(), 0).message(
        Exchange("1", 0, request("GET", "/")).request
    )
