"""Typed strings are read one after the other, from any stream; what is broken between them is stepped over."""

from __future__ import annotations

import io
from typing import Any

import pytest

from simwasm.traffic.tnetstring import (
    DEEPEST,
    LONGEST,
    Damaged,
    Frame,
    Gap,
    Value,
    dumped,
    frames,
    members,
    value,
)


def flow(name: str) -> bytes:
    return dumped({"kind": name, "list": [1, 2.5, True, None, b"bytes"]})


def found(data: bytes) -> list[Frame | Gap]:
    return list(frames(io.BytesIO(data)))


def whole(data: bytes) -> Value:
    (frame,) = found(data)
    assert isinstance(frame, Frame)
    return {name: value(frame.data, place) for name, place in members(frame.data, 0, len(frame.data)).items()}


def test_what_was_written_is_read() -> None:
    assert whole(flow("a")) == {"kind": "a", "list": [1, 2.5, True, None, b"bytes"]}


def test_text_keeps_bytes_that_are_no_utf_8() -> None:
    assert whole(dumped({"text": "caf\udcff"})) == {"text": "caf\udcff"}


def test_each_dict_tells_where_it_began() -> None:
    one = flow("a")
    assert [frame.at for frame in found(one * 3)] == [0, len(one), 2 * len(one)]


def test_a_stream_that_gives_a_byte_at_a_time_is_enough() -> None:
    class Slow(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.data = data

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            buffer[: len(self.data[:1])] = self.data[:1]
            given, self.data = len(self.data[:1]), self.data[1:]
            return given

    assert len(list(frames(io.BufferedReader(Slow(flow("a") * 3), 1)))) == 3


@pytest.mark.parametrize("cut", [1, 3, 20])
def test_a_cut_is_where_the_last_dict_began(cut: int) -> None:
    one = flow("a")
    gap = found(one + one[:-cut])[-1]
    assert isinstance(gap, Gap)
    assert (gap.at, gap.end, gap.cut) == (len(one), 2 * len(one) - cut, True)


@pytest.mark.parametrize("head", [b"9999", b"999999999999", b"1", b"x"])
def test_a_wrong_length_costs_one_dict(head: bytes) -> None:
    one = flow("a")
    broken = head + one[2:]
    first, gap, last = found(one + broken + one)
    assert isinstance(gap, Gap)
    assert (first.at, gap.at, gap.end, last.at) == (0, len(one), len(one + broken), len(one + broken))


def test_rubbish_has_no_dict() -> None:
    (gap,) = found(b"no flow file at all " * 100)
    assert isinstance(gap, Gap)
    assert gap.cut


def test_a_dict_that_says_it_is_too_long_is_not_waited_for() -> None:
    (gap,) = found(b"%d:" % (LONGEST + 1) + b"x" * 100)
    assert isinstance(gap, Gap)
    assert "longer than" in gap.why


def test_nesting_has_a_limit() -> None:
    deep: Value = 1
    for _ in range(DEEPEST + 1):
        deep = [deep]
    with pytest.raises(Damaged, match="deep inside each other"):
        whole(dumped({"deep": deep}))


@pytest.mark.parametrize(
    "payload",
    [
        b"1:a;", b"1:a;5:x,", b"1:a;3:abc#", b"1:a;4:yess!", b"1:a;1:x~", b"1:a;1:x?", b"1:a;x", b"1:a;9:abc,",
        b"1:1#1:x,", b"1:a;-1:x,", b"1:a;10:2:ab,x,,]",
    ],
)  # fmt: skip
def test_what_is_no_typed_string_is_refused(payload: bytes) -> None:
    with pytest.raises(Damaged):
        whole(b"%d:%s}" % (len(payload), payload))
