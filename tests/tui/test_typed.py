"""Values as a person types them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simwasm_tui.typed import read_value, typed

from simwasm.abi.enums import LogLevel
from simwasm.abi.kinds import Param, enum, flag, i64, out_data, out_pairs, out_text, out_u32, u64
from simwasm.errors import InputError


@given(st.binary(max_size=20))
def test_bytes_are_read_as_they_were_typed(data: bytes) -> None:
    assert read_value(out_data("value"), typed(data)) == data


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_text_is_read_as_it_was_typed(text: str) -> None:
    assert read_value(out_text("value"), typed(text)) == text


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (out_u32("n"), "0x2f40", 0x2F40),
        (i64("n"), "-7", -7),
        (u64("n"), str(2**64 - 1), 2**64 - 1),
        (flag("b"), "TRUE", True),
        (enum("level", LogLevel), "warn", LogLevel.WARN),
        (out_pairs("pairs"), ":path: /a | X-One: b: c", ((":path", "/a"), ("x-one", "b: c"))),
        (out_data("value"), "0x00ff", b"\0\xff"),
    ],
)
def test_each_form_has_its_way_of_writing(param: Param, text: str, value: Any) -> None:
    assert read_value(param, text) == value


@pytest.mark.parametrize(
    ("param", "text", "wrong"),
    [
        (out_u32("n"), "-1", "n has 32 bits: -1 does not fit"),
        (out_u32("n"), "4294967296", "does not fit"),
        (out_u32("n"), "seven", "n is a number, such as 7 or 0x2f40"),
        (flag("b"), "yes", "b is true or false"),
        (enum("level", LogLevel), "loud", "level is one of TRACE, DEBUG"),
        (out_pairs("pairs"), "nothing", "write `name: value"),
        (out_data("value"), "0x0", "pairs of hex digits"),
    ],
)
def test_what_cannot_be_read_is_told(param: Param, text: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        read_value(param, text)
