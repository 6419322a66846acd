"""Bodies in chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.config.tree import Place
from simwasm.errors import ConfigError
from simwasm.suites.google.play import cut
from simwasm.suites.google.suite import Chunking

PLACE = Place("tests.textpb", 2, 3)


@pytest.mark.parametrize(
    ("body", "unit", "number", "chunks"),
    [
        (b"1234567890", "num_chunks", 5, [b"12", b"34", b"56", b"78", b"90"]),
        (b"12345678901", "num_chunks", 5, [b"12", b"34", b"56", b"78", b"901"]),
        (b"12345", "num_chunks", 1, [b"12345"]),
        (b"1234567890", "chunk_size", 2, [b"12", b"34", b"56", b"78", b"90"]),
        (b"12345", "chunk_size", 2, [b"12", b"34", b"5"]),
        (b"12", "chunk_size", 9, [b"12"]),
        (b"", "chunk_size", 9, [b""]),
    ],
)
def test_chunks(body: bytes, unit: str, number: int, chunks: list[bytes]) -> None:
    assert cut(body, Chunking(unit, number, PLACE)) == chunks


@given(st.binary(min_size=1, max_size=50), st.integers(1, 60))
def test_chunks_are_the_body(body: bytes, size: int) -> None:
    assert b"".join(cut(body, Chunking("chunk_size", size, PLACE))) == body
    number = min(size, len(body))
    chunks = cut(body, Chunking("num_chunks", number, PLACE))
    assert (b"".join(chunks), len(chunks), b"" in chunks) == (body, number, False)


@pytest.mark.parametrize(("unit", "number"), [("num_chunks", 4), ("num_chunks", 1 << 30)])
def test_a_chunk_has_something_in_it(unit: str, number: int) -> None:
    with pytest.raises(ConfigError, match=r"^tests\.textpb:2:3: 3 bytes cannot be cut"):
        cut(b"123", Chunking(unit, number, PLACE))


def test_there_are_not_too_many_chunks() -> None:
    with pytest.raises(ConfigError, match="that makes 100,001 chunks of a body, and there may be 100,000"):
        cut(bytes(100_001), Chunking("chunk_size", 1, PLACE))
