"""Messages: read, written, and refused when the bytes are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as any_of

from simwasm.host.messages import BY_NAME, LOCALITY, METADATA, NODE, NULL, STRUCT, node
from simwasm.protobuf import Broken, Field, Message, Scalar, Schema, decode, read

NUMBERS = Schema(
    "Numbers",
    {"whole": Field(1, Scalar.INT), "exact": Field(2, Scalar.DOUBLE), "truth": Field(3, Scalar.BOOL),
     "many": Field(4, Scalar.INT, repeated=True)},
)  # fmt: skip
plain = any_of.recursive(
    any_of.booleans() | any_of.floats(allow_nan=False) | any_of.text(),
    lambda inner: any_of.dictionaries(any_of.text(), inner),
    max_leaves=10,
)


@settings(max_examples=40)
@given(any_of.dictionaries(any_of.text(), plain))
def test_a_struct_is_read_as_what_was_written(value: dict[str, Any]) -> None:
    assert read(STRUCT, Message(STRUCT, {"fields": value}).encode()) == value


@given(any_of.integers(-(1 << 63), (1 << 63) - 1), any_of.floats(allow_nan=False), any_of.booleans())
def test_numbers_are_read_as_they_were_written(whole: int, exact: float, truth: bool) -> None:
    found = decode(NUMBERS, Message(NUMBERS, {"whole": whole, "exact": exact, "truth": truth}).encode())
    assert (found.get("whole"), found.get("exact"), found.get("truth")) == (whole, exact, truth)


@given(any_of.sampled_from(sorted(BY_NAME)), any_of.binary())
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    try:
        decode(BY_NAME[name], data)
    except Broken as error:
        assert str(error)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x0a\xff", "it ends in the middle of a number"),
        (b"\x0a\x05ab", "field 1 is longer than the message"),
        (b"\x00", "a field has the number 0"),
        (b"\x0b", "wire type 3 is unknown"),
        (b"\x0a\x01\xff", "a text is not UTF-8"),
        (b"\x80" * 11, "a number has no end"),
    ],
)
def test_broken_bytes_say_what_is_wrong(data: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        decode(LOCALITY, data)


def test_what_is_not_set_is_the_zero_of_its_kind() -> None:
    found = decode(NODE, b"")
    assert found.get("id") == ""
    assert found.get("metadata") == {}
    assert found.get("extensions") == ()
    assert found.get("locality").get("region") == ""


def test_unknown_fields_are_skipped_and_the_last_value_counts() -> None:
    assert decode(LOCALITY, b"\x0a\x01a\x7a\x01?\x0a\x01b").get("region") == "b"


def test_a_field_that_travels_otherwise_is_skipped() -> None:
    assert decode(LOCALITY, b"\x08\x01").get("region") == ""


def test_values_of_a_struct_may_be_null_or_lists() -> None:
    found = read(STRUCT, Message(STRUCT, {"fields": {"none": None, "list": ("a", True, 2.0)}}).encode())
    assert found == {"none": NULL, "list": ("a", True, 2.0)}


def test_maps_of_messages_are_kept_by_their_keys() -> None:
    written = Message(METADATA, {"filter_metadata": {"envoy.lb": {"canary": True}}}).encode()
    assert decode(METADATA, written).get("filter_metadata") == {"envoy.lb": {"canary": True}}


def test_a_node_is_read_as_it_was_written() -> None:
    told = decode(NODE, node("1.40", "me", "mine", {"NAMESPACE": "shop"}).encode())
    assert (told.get("id"), told.get("cluster"), told.get("metadata")) == (
        "me",
        "mine",
        {"NAMESPACE": "shop"},
    )
    assert told.get("user_agent_build_version").get("version").get("minor_number") == 40
