"""Words that go between Python and generated code, and who may call."""

from __future__ import annotations

import math
import struct
import threading

import pytest
from guest import Starter

from simwasm.engines.find import engine
from simwasm.errors import SimwasmError

TENTH = struct.unpack("f", struct.pack("f", 0.1))[0]


def through(kind: str, answer: object) -> tuple[object, object]:
    """What the host sees of a word that Python gives, and what Python gets of the host's answer."""
    seen: list[object] = []

    def host(word: float) -> object:
        seen.append(word)
        return answer

    instance = Starter(engine("python"))(
        f"""(module (import "env" "host" (func $host (param {kind}) (result {kind})))
        (func (export "call") (param {kind}) (result {kind}) (call $host (local.get 0))))""",
        {"host": (f"{kind} -> {kind}", host)},  # type: ignore[dict-item]  # it may answer anything
    )
    return instance.exports["call"](answer), seen[0]


@pytest.mark.parametrize(
    ("kind", "word", "seen"),
    [
        ("f32", 0.1, TENTH), ("f64", 0.1, 0.1), ("f32", 1e300, math.inf), ("f32", 3, 3.0), ("f64", 3, 3.0),
        ("i32", True, 1), ("i64", False, 0), ("i32", 2**32 + 5, 5), ("i64", 2**64 - 1, -1),
    ],
)  # fmt: skip
def test_a_word_becomes_one_of_its_type(kind: str, word: object, seen: object) -> None:
    for found in through(kind, word):
        assert found == seen
        assert type(found) is type(seen)


def test_a_nan_with_more_bits_than_fit_is_still_one() -> None:
    nan = struct.unpack("<d", (0x7FF0000000000001).to_bytes(8, "little"))[0]
    assert all(isinstance(word, float) and math.isnan(word) for word in through("f32", nan))


@pytest.mark.parametrize("kind", ["i32", "i64", "f32", "f64"])
@pytest.mark.parametrize("word", [None, "x", [1]])
def test_what_is_no_word_is_an_error(kind: str, word: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        through(kind, word)


def test_only_the_thread_that_started_an_instance_may_call_it() -> None:
    call = Starter(engine("python"))('(module (func (export "f")))').exports["f"]
    caught: list[BaseException] = []

    def other() -> None:
        try:
            call()
        except SimwasmError as error:
            caught.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert [str(error) for error in caught] == ["an instance belongs to the thread that started it"]
    assert call() is None
