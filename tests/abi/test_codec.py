"""Words become values and values become bytes in the guest's memory."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack, unpack_from
from traceback import TracebackException
from typing import Any

import pytest

from simwasm.abi.assemble import Assembly, compiled
from simwasm.abi.codec import Gate
from simwasm.abi.enums import Errno, HeadersAction, LogLevel, MapType, Status
from simwasm.abi.pairs import encode_pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.abi.table import FUNCTIONS, Abi, Function, callbacks, named
from simwasm.abi.texts import text
from simwasm.engines.memory import LinearMemory
from simwasm.errors import Trap, TrapKind


class Notes:
    """A watcher that checks that what it hears fits together."""

    def __init__(self) -> None:
        self.open: list[int] = []
        self.closed: list[Any] = []
        self.seen: list[tuple[Any, ...]] = []

    def enter(self, function: Function, args: tuple[Any, ...], words: tuple[int, ...]) -> int:
        assert len(args) == len(function.inputs)
        assert len(words) == len(function.type.params)
        self.seen.append(args)
        self.open.append(len(self.seen))
        return self.open[-1]

    entered = enter

    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        assert self.open.pop() == opened
        assert bool(reason) >= bool(isinstance(result, (Status, Errno)) and result)
        self.closed.append(result)

    def trap(self, opened: int, error: BaseException) -> None:
        assert self.open.pop() == opened
        self.closed.append(error)


class Guest:
    """Memory of up to two pages of 4096 bytes with a bump allocator at 1024, as a host function sees a guest."""

    def __init__(self, watch: Notes | None) -> None:
        self.bytes = bytearray(8192)
        self.shown = memoryview(self.bytes)[:4096]
        self.next = 1024
        self.grows = False
        """The allocator adds the second page."""
        self.traps: list[Trap] = []
        self.gate = Gate(self.traps.append)
        self.asked: list[tuple[Any, ...]] = []
        self.assembly = Assembly(LinearMemory(lambda: self.shown), self.gate, watch)
        self.assembly.allocate_by(self.allocate)

    def allocate(self, size: int) -> int:
        if self.grows:
            self.grow()
        at, self.next = self.next, self.next + size
        return at

    def grow(self) -> None:
        self.shown = memoryview(self.bytes)

    def put(self, at: int, data: bytes) -> tuple[int, int]:
        self.bytes[at : at + len(data)] = data
        return at, len(data)

    def call(self, name: str, *words: int, answer: Any = None) -> int | None:
        def handler(*args: Any) -> Any:
            self.asked.append(args)
            return answer

        return self.assembly.host_function(named(name)[0], handler)(*words)

    def u32(self, at: int) -> int:
        found: int = unpack_from("<I", self.bytes, at)[0]
        return found


@pytest.fixture(params=[False, True], ids=["unwatched", "watched"])
def guest(request: pytest.FixtureRequest) -> Iterator[Guest]:
    notes = Notes()
    yield Guest(notes if request.param else None)
    assert notes.open == []
    assert len(notes.closed) == len(notes.seen)


def test_text_is_read_where_the_words_point(guest: Guest) -> None:
    assert guest.call("proxy_log", 2, *guest.put(100, "grüße".encode())) == Status.OK
    assert guest.asked == [(LogLevel.INFO, "grüße")]


def test_text_that_is_not_utf8_keeps_its_bytes(guest: Guest) -> None:
    guest.call("proxy_log", 2, *guest.put(100, b"\xff\x00a"))
    assert guest.asked[0][1].encode("utf-8", "surrogateescape") == b"\xff\x00a"


def test_a_number_without_a_name_is_a_bad_argument_before_memory_is_looked_at(guest: Guest) -> None:
    assert guest.call("proxy_log", 9, 1 << 30, 5) == Status.BAD_ARGUMENT
    assert guest.asked == []


@pytest.mark.parametrize("words", [(4096, 1), (4090, 7), (0, 4097), (-1, 1), (-2147483648, 0), (0, -1)])
def test_a_pointer_outside_memory_is_refused(guest: Guest, words: tuple[int, int]) -> None:
    assert guest.call("proxy_log", 2, *words) == Status.INVALID_MEMORY_ACCESS


def test_a_pointer_outside_memory_is_a_fault_for_wasi(guest: Guest) -> None:
    assert guest.call("clock_time_get", 0, 0, 5000, answer=7) == Errno.FAULT


def test_pointers_may_come_signed(guest: Guest) -> None:
    assert guest.call("proxy_get_buffer_bytes", 0, -1, -2, 8, 12, answer=b"") == Status.OK
    assert guest.asked == [(0, 0xFFFFFFFF, 0xFFFFFFFE)]


def test_a_value_is_put_where_the_allocator_says(guest: Guest) -> None:
    guest.put(100, b"allow")
    assert guest.call("proxy_get_header_map_value", 0, 100, 5, 200, 204, answer="true") == Status.OK
    assert guest.asked == [(MapType.HTTP_REQUEST_HEADERS, "allow")]
    assert (guest.u32(200), guest.u32(204), bytes(guest.bytes[1024:1028])) == (1024, 4, b"true")


def test_an_empty_value_is_no_address_and_no_allocation(guest: Guest) -> None:
    guest.put(200, b"\xff" * 8)
    assert guest.call("proxy_get_header_map_pairs", 0, 200, 204, answer=()) == Status.OK
    assert (guest.u32(200), guest.u32(204), guest.next) == (0, 0, 1024)


def test_an_allocator_without_memory_is_an_invalid_access(guest: Guest) -> None:
    guest.next = 0
    assert guest.call("proxy_get_configuration", 200, 204, answer=b"x") == Status.INVALID_MEMORY_ACCESS


def test_an_allocator_that_points_outside_memory_is_an_invalid_access(guest: Guest) -> None:
    guest.next = 4094
    assert guest.call("proxy_get_configuration", 200, 204, answer=b"xyz") == Status.INVALID_MEMORY_ACCESS


def test_several_values_go_to_their_places(guest: Guest) -> None:
    assert (
        guest.call("proxy_get_shared_data", *guest.put(100, b"k"), 200, 204, 208, answer=(b"v", 7))
        == Status.OK
    )
    assert [guest.u32(at) for at in (200, 204, 208)] == [1024, 1, 7]


def test_pairs_are_read_and_malformed_ones_are_none(guest: Guest) -> None:
    encoded = encode_pairs((("a", "b"),))
    guest.call("proxy_set_header_map_pairs", 0, *guest.put(100, encoded))
    guest.call("proxy_set_header_map_pairs", 0, *guest.put(100, encoded[:-1]))
    assert guest.asked == [(0, (("a", "b"),)), (0, ())]


def test_a_call_id_is_zero_when_the_call_is_refused(guest: Guest) -> None:
    guest.put(300, b"\xff" * 4)
    refusal = Refusal(Status.BAD_ARGUMENT, "no")
    assert (
        guest.call("proxy_http_call", 0, 0, 0, 0, 0, 0, 0, 0, 0, 300, answer=refusal) == Status.BAD_ARGUMENT
    )
    assert guest.u32(300) == 0


def test_a_call_id_that_cannot_be_written_stops_the_call_before_it_is_sent(guest: Guest) -> None:
    assert (
        guest.call("proxy_http_call", 0, 0, 0, 0, 0, 0, 0, 0, 0, 5000, answer=4)
        == Status.INVALID_MEMORY_ACCESS
    )
    assert guest.asked == []


def test_foreign_results_may_have_no_place(guest: Guest) -> None:
    words = (*guest.put(100, b"f"), 0, 0, 0, 0)
    assert guest.call("proxy_call_foreign_function", *words, answer=b"result") == Status.OK
    assert guest.bytes[0:8] == bytes(8)


def test_a_remark_is_ok(guest: Guest) -> None:
    assert guest.call("proxy_get_header_map_pairs", 0, 200, 204, answer=Remark((), "empty")) == Status.OK


def test_increments_are_signed_sixty_four_bits(guest: Guest) -> None:
    guest.call("proxy_increment_metric", 4, -5)
    guest.call("proxy_increment_metric", 4, (1 << 64) - 5)
    assert guest.asked == [(4, -5), (4, -5)]


def test_iovecs_are_joined(guest: Guest) -> None:
    guest.put(100, pack("<IIII", 200, 2, 300, 3))
    guest.put(200, b"ab")
    guest.put(300, b"cde")
    assert guest.call("fd_write", 1, 100, 2, 400, answer=5) == Errno.SUCCESS
    assert guest.asked == [(1, b"abcde")]
    assert guest.u32(400) == 5


def test_an_iovec_outside_memory_is_a_fault(guest: Guest) -> None:
    guest.put(100, pack("<II", 4000, 200))
    assert guest.call("fd_write", 1, 100, 1, 400, answer=5) == Errno.FAULT


def test_a_string_table_has_pointers_and_terminated_strings(guest: Guest) -> None:
    assert guest.call("environ_get", 100, 200, answer=[b"A=1", b"B=22"]) == Errno.SUCCESS
    assert (guest.u32(100), guest.u32(104)) == (200, 204)
    assert guest.bytes[200:209] == b"A=1\0B=22\0"


def test_a_buffer_is_filled_where_it_is(guest: Guest) -> None:
    assert guest.call("random_get", 100, 3, answer=b"xyz") == Errno.SUCCESS
    assert (guest.asked, bytes(guest.bytes[100:103])) == ([(3,)], b"xyz")


def test_a_row_without_a_status_gives_its_word(guest: Guest) -> None:
    assert guest.call("pthread_equal", 3, 3, answer=1) == 1
    assert guest.call("proc_exit", 1) is None


def test_a_function_behind_the_gate_traps(guest: Guest) -> None:
    guest.gate.shut = 1
    with pytest.raises(Trap, match="proxy_done may not be called while the plugin starts") as caught:
        guest.call("proxy_done")
    assert caught.value.kind is TrapKind.RESTRICTED
    assert guest.call("proxy_log", 2, 0, 0) == Status.OK


def test_memory_that_grew_since_is_read_and_written(guest: Guest) -> None:
    guest.grow()
    guest.next = 6000
    assert guest.call("proxy_get_header_map_value", 0, *guest.put(5000, b"k"), 4094, 4098, answer="v") == 0
    assert guest.asked == [(0, "k")]
    assert (guest.u32(4094), guest.u32(4098), bytes(guest.bytes[6000:6001])) == (6000, 1, b"v")


def test_memory_may_grow_in_the_allocator(guest: Guest) -> None:
    guest.grows, guest.next = True, 4094
    assert guest.call("proxy_get_configuration", 200, 204, answer=b"xyz") == Status.OK
    assert (guest.u32(200), guest.u32(204), bytes(guest.bytes[4094:4097])) == (4094, 3, b"xyz")


def test_an_allocator_that_traps_has_no_memory_and_leaves_the_gate_as_it_was(guest: Guest) -> None:
    def failing(size: int) -> int:
        assert guest.gate.shut == 2
        raise Trap(TrapKind.UNREACHABLE)

    guest.assembly.allocate_by(failing)
    assert guest.call("proxy_get_configuration", 200, 204, answer=b"x") == Status.INVALID_MEMORY_ACCESS
    assert [trap.kind for trap in guest.traps] == [TrapKind.UNREACHABLE]
    assert guest.gate.shut == 0


def test_a_watcher_is_shown_what_could_be_read() -> None:
    notes = Notes()
    assert Guest(notes).call("proxy_replace_header_map_value", 99, 0, 0, 9000, 1) == Status.BAD_ARGUMENT
    assert (notes.seen, notes.closed) == ([(None, "", None)], [Status.BAD_ARGUMENT])


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_every_row_can_be_assembled(row: Function, watched: bool) -> None:
    assert compiled(row, watched=watched).co_names == (row.name,)
    assert ("leave(" in text(row, watched=watched)) is watched


def test_a_traceback_shows_the_assembled_line(guest: Guest) -> None:
    with pytest.raises(AttributeError) as caught:
        guest.call("proxy_get_header_map_value", 0, 0, 0, 200, 204, answer=5)
    assert 'data = value.encode("utf-8", "surrogateescape")' in "".join(
        TracebackException.from_exception(caught.value).format()
    )


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("proxy_on_request_headers", 1, HeadersAction.PAUSE),
        ("proxy_on_request_headers", 77, 77),
        ("proxy_on_configure", 0, False),
        ("proxy_on_configure", -1, True),
        ("proxy_on_log", None, None),
        ("malloc", -16, 0xFFFFFFF0),
    ],
)
def test_a_result_is_decoded(guest: Guest, name: str, word: int | None, value: object) -> None:
    row = callbacks(Abi.V0_2_1)[name]
    call = guest.assembly.callback(row, lambda *words: word)
    assert call(*range(len(row.params))) == value
