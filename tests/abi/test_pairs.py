"""The byte formats, by the real host's rules."""

from __future__ import annotations

from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from simwasm.abi.pairs import MAX_PAIRS, decode_pairs, decode_path, encode_pairs, encode_path, explain_pairs
from simwasm.exchange import to_text

_TEXT = st.binary(max_size=20).map(to_text)
_PAIRS = st.lists(st.tuples(_TEXT, _TEXT), max_size=20).map(tuple)


@given(_PAIRS)
def test_pairs_come_back_as_they_went(pairs: tuple[tuple[str, str], ...]) -> None:
    assert decode_pairs(encode_pairs(pairs)) == pairs


def test_pairs_are_laid_out_as_counts_sizes_and_terminated_strings() -> None:
    assert encode_pairs((("ab", "c"),)) == pack("<III", 1, 2, 1) + b"ab\0c\0"


def test_no_pairs_are_no_bytes() -> None:
    assert encode_pairs(()) == b""


@given(_PAIRS.filter(bool), st.data())
def test_a_truncated_list_is_empty(pairs: tuple[tuple[str, str], ...], draw: st.DataObject) -> None:
    encoded = encode_pairs(pairs)
    assert decode_pairs(encoded[: draw.draw(st.integers(0, len(encoded) - 1))]) == ()


@given(_PAIRS.filter(bool), st.binary(min_size=1))
def test_bytes_left_over_make_the_list_empty(pairs: tuple[tuple[str, str], ...], more: bytes) -> None:
    assert decode_pairs(encode_pairs(pairs) + more) == ()


@given(st.binary(max_size=200))
def test_reading_never_fails(data: bytes) -> None:
    decode_pairs(data)


def test_more_pairs_than_the_limit_are_none() -> None:
    assert decode_pairs(encode_pairs((("a", "b"),) * MAX_PAIRS)) != ()
    assert decode_pairs(encode_pairs((("a", "b"),) * (MAX_PAIRS + 1))) == ()


def test_a_megabyte_is_the_limit() -> None:
    assert decode_pairs(encode_pairs((("a", "x" * ((1 << 20) - 15)),))) != ()
    assert explain_pairs(encode_pairs((("a", "x" * (1 << 20)),))) == (
        (),
        "1,048,591 bytes are more than the limit of 1,048,576",
    )


def test_a_missing_terminator_is_explained() -> None:
    assert explain_pairs(pack("<III", 1, 1, 1) + b"aXb\0") == ((), "pair 0 does not end where its size says")


@given(st.lists(_TEXT.filter(lambda text: "\0" not in text), min_size=1, max_size=5))
def test_a_path_comes_back_as_it_went(segments: list[str]) -> None:
    assert decode_path(encode_path(segments)) == tuple(segments)
