"""The course of a run is of one size, and parts of it merge into the whole."""

from __future__ import annotations

import pickle

import pytest

from simwasm.replay.course import PIECES, Course


def course(numbers: range) -> Course:
    found = Course()
    for number in numbers:
        found.add(number, "200", ("200", "301", "404", "503", "reset")[number % 5], number)
        found.grown(number, number * 10)
    return found


@pytest.mark.parametrize("last", [1, 127, 128, 129, 1000, 5000])
def test_every_exchange_is_in_one_piece(last: int) -> None:
    found = course(range(1, last + 1))
    pieces = found.pieces()
    assert len(pieces) <= PIECES
    assert [piece.first for piece in pieces] == list(range(1, last + 1, found.width))
    assert [piece.exchanges for piece in pieces] == [
        min(found.width, last + 1 - piece.first) for piece in pieces
    ]
    assert sum(piece.instructions for piece in pieces) == last * (last + 1) // 2


def test_classes_and_changes_are_counted() -> None:
    (piece, *_) = course(range(1, 1281)).pieces()
    assert (piece.classes, piece.changed, piece.memory) == ((3, 4, 3, 3, 3), 13, 160)


@pytest.mark.parametrize("cut", [1, 64, 700, 2999])
def test_parts_merge_into_the_whole(cut: int) -> None:
    first, second = course(range(1, cut + 1)), course(range(cut + 1, 3001))
    first.merge(pickle.loads(pickle.dumps(second)))
    assert first.pieces() == course(range(1, 3001)).pieces()
