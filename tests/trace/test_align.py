"""Two runs are put side by side, call by call, and what differs is told in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cases import Case, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.abi.enums import BufferType, HeadersAction, LogLevel, MapType, Status
from simwasm.abi.table import Function, Side, named
from simwasm.debug.tape import Tape
from simwasm.engines.engine import Engine
from simwasm.errors import Trap, TrapKind
from simwasm.host.profile import ENVOY
from simwasm.plugin import Plugin
from simwasm.recording import Recording
from simwasm.session import Session
from simwasm.trace.align import align
from simwasm.trace.alignment import Alignment, Difference
from simwasm.trace.difftext import diff_text
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.explain import explain
from simwasm.trace.file import open_trace
from simwasm.trace.matching import matches
from simwasm.trace.rows import Kind, Rows
from simwasm.trace.text import paint

CASES = {case.id: case for case in cases()}
REQUEST = MapType.HTTP_REQUEST_HEADERS
GET = ("proxy_get_header_map_value", REQUEST, "x-user")


class Reel:
    """Makes a tape by hand: `call` for a host call with its answer, `begin` and `end` for a callback."""

    def __init__(self) -> None:
        self.tape = Tape()
        self._open: list[Entered] = []

    def begin(self, name: str, *args: Any, context: int = 2) -> Reel:
        entered = Entered(len(self.tape) + 1, 0, "p", context, _row(name), args, ())
        self._open.append(entered)
        self.tape.add(entered)
        return self

    def end(self, result: Any = None, values: tuple[Any, ...] = (), reason: str = "") -> Reel:
        self.tape.add(Left(len(self.tape) + 1, self._open.pop().seq, result, values, reason))
        return self

    def trap(self, kind: TrapKind = TrapKind.UNREACHABLE) -> Reel:
        self.tape.add(Trapped(len(self.tape) + 1, self._open.pop().seq, Trap(kind)))
        return self

    def call(
        self, name: str, *args: Any, status: Status = Status.OK, gives: Any = None, why: str = ""
    ) -> Reel:
        return self.begin(name, *args).end(status, () if gives is None else (gives,), why)

    def log(self, *messages: str) -> Reel:
        for message in messages:
            self.call("proxy_log", LogLevel.INFO, message)
        return self

    def headers(
        self, *messages: str, context: int = 2, result: HeadersAction = HeadersAction.CONTINUE
    ) -> Reel:
        self.begin("proxy_on_request_headers", context, 8, True, context=context)
        return self.log(*messages).end(result)

    def exchange(self, context: int, *messages: str) -> Reel:
        self.begin("proxy_on_context_create", context, 1, context=context).end()
        return (
            self.headers(*messages, context=context).begin("proxy_on_delete", context, context=context).end()
        )


def _row(name: str) -> Function:
    return named(name)[-1]


def marks(found: Alignment) -> str:
    """The mark of each pair, a dot where it is the same."""
    return "".join(pair.difference.value for pair in found).replace(" ", ".")


def told(left: Reel, right: Reel) -> list[str]:
    """Why the pairs differ that do."""
    found = align(left.tape.rows, right.tape.rows)
    return [explain(*found.rows(found[at])) for at in found.changes()]


def golden(name: str) -> Rows:
    trace = open_trace(CASES[name].golden)
    trace.index()
    return trace.rows


def recorded(case: Case, engine: Engine, plugin: Plugin) -> Tape:
    """A case run with a plugin of one's own."""
    tape = Tape()
    now = case.exchanges[0].started_ns
    with Session([plugin], engine=engine, observers=[tape.add], now_ns=now) as session:
        list(session.replay(case.exchanges))
    return tape


def whole(found: Alignment) -> bool:
    """Whether every row of both runs is in exactly one pair, in its order."""
    lefts = [pair.left for pair in found if pair.left is not None]
    rights = [pair.right for pair in found if pair.right is not None]
    return lefts == [*range(len(found.left))] and rights == [*range(len(found.right))]


# Alignment.


@pytest.mark.parametrize("name", CASES)
def test_a_run_is_the_same_as_itself(name: str) -> None:
    found = align(golden(name), golden(name))
    assert found.same
    assert [tuple(pair) for pair in found] == [
        (index, index, Difference.SAME) for index in range(len(golden(name)))
    ]
    assert list(diff_text(found)) == []


@pytest.mark.parametrize("name", ["allow_header/browser", "rate_limit/tap", "response_body/chunks"])
def test_a_run_is_the_same_as_its_file(name: str, engine: Engine) -> None:
    case = CASES[name]
    found = align(recorded(case, engine, case.plugin).rows, golden(name))
    assert found.same


@pytest.mark.parametrize("left", CASES)
@pytest.mark.parametrize("right", ["http_auth/browser", "allow_header_go/browser", "allow_header_c/browser"])
def test_every_row_is_in_one_pair_in_its_order(left: str, right: str) -> None:
    assert whole(align(golden(left), golden(right)))


def test_a_configuration_that_differs_shows_in_what_was_read(engine: Engine) -> None:
    case = CASES["config_loading/browser"]
    other = replace(case.plugin, config=case.plugin.config.replace(b"simwasm", b"someone"))
    found = align(recorded(case, engine, case.plugin).rows, recorded(case, engine, other).rows)
    words = {explain(*found.rows(found[at])) for at in found.changes()}
    assert {text.partition(":")[0] for text in words} == {
        "PLUGIN_CONFIGURATION",
        "message",
        "header x-powered-by",
    }
    assert 'header x-powered-by: "simwasm" -> "someone"' in words
    assert whole(found)


def test_a_call_that_came_is_only_on_the_right() -> None:
    found = align(Reel().headers("a", "b").tape.rows, Reel().headers("a", "new", "b").tape.rows)
    assert marks(found) == "..+.."
    assert tuple(found[2]) == (None, 2, Difference.ONLY_RIGHT)


def test_a_call_that_went_is_only_on_the_left() -> None:
    found = align(Reel().headers("a", "old", "b").tape.rows, Reel().headers("a", "b").tape.rows)
    assert marks(found) == "..-.."


def test_another_argument_is_no_other_call() -> None:
    found = align(Reel().headers("a", "b", "c").tape.rows, Reel().headers("a", "x", "c").tape.rows)
    assert marks(found) == "..~.."


def test_another_answer_is_no_other_call() -> None:
    left, right = Reel().begin("proxy_on_log", 2), Reel().begin("proxy_on_log", 2)
    left.call(*GET, gives="alice").end()
    right.call(*GET, gives="bob").end()
    assert marks(align(left.tape.rows, right.tape.rows)) == ".≠."


def test_a_call_about_the_same_thing_is_preferred() -> None:
    """Of two headers that are written, each belongs to the one of its name."""
    add = "proxy_add_header_map_value"
    left = Reel().begin("proxy_on_log", 2).call(add, REQUEST, "a", "1").end()
    right = Reel().begin("proxy_on_log", 2).call(add, REQUEST, "b", "1").call(add, REQUEST, "a", "2").end()
    assert marks(align(left.tape.rows, right.tape.rows)) == ".+~."


def test_another_action_is_another_result() -> None:
    left, right = Reel().headers("a"), Reel().headers("a", result=HeadersAction.PAUSE)
    assert marks(align(left.tape.rows, right.tape.rows)) == "..≠"


def test_a_trap_in_place_of_a_result_is_another_result() -> None:
    left, right = Reel().begin("proxy_on_log", 2).end(), Reel().begin("proxy_on_log", 2).trap()
    assert marks(align(left.tape.rows, right.tape.rows)) == ".≠"


def test_numbers_that_the_host_counts_do_not_matter() -> None:
    left, right = Reel().exchange(2, "a"), Reel().exchange(7, "a")
    assert align(left.tape.rows, right.tape.rows).same


def test_places_in_the_guests_memory_do_not_matter() -> None:
    left, right = (Reel().begin("malloc", 3).end(at) for at in (1024, 2048))
    assert align(left.tape.rows, right.tape.rows).same


def test_an_allocation_that_failed_does_matter() -> None:
    left, right = (Reel().begin("malloc", 3).end(at) for at in (1024, 0))
    assert marks(align(left.tape.rows, right.tape.rows)) == ".≠"


def test_an_exchange_that_came_is_only_on_the_right() -> None:
    left = Reel().exchange(2, "a").exchange(3, "c")
    right = Reel().exchange(2, "a").exchange(3, "b").exchange(4, "c")
    found = align(left.tape.rows, right.tape.rows)
    assert marks(found) == "." * 7 + "+" * 7 + "." * 7


def test_an_exchange_that_differs_is_put_beside_the_one_in_its_place() -> None:
    left, right = (Reel().exchange(2, "a").exchange(3, text).exchange(4, "c") for text in ("b", "x"))
    assert marks(align(left.tape.rows, right.tape.rows)) == "." * 10 + "~" + "." * 10


def test_a_callback_that_came_does_not_shift_the_others() -> None:
    left, right = Reel().headers("a"), Reel().headers("a")
    left.begin("proxy_on_log", 2).end()
    right.begin("proxy_on_tick", 1, context=1).log("t").end().begin("proxy_on_log", 2).end()
    assert marks(align(left.tape.rows, right.tape.rows)) == "...+++.."


def test_a_run_that_was_cut_off_is_the_same_up_to_there() -> None:
    left, right = Reel().headers("a", "b"), Reel().begin("proxy_on_request_headers", 2, 8, True).log("a")
    assert marks(align(left.tape.rows, right.tape.rows)) == "..--"


@pytest.mark.parametrize("empty", [0, 1])
def test_an_empty_run_has_nothing_in_common(empty: int) -> None:
    sides = [Reel(), Reel()]
    sides[1 - empty].headers("a")
    assert marks(align(sides[0].tape.rows, sides[1].tape.rows)) == ("---" if empty else "+++")


def test_a_pair_can_be_asked_for_by_its_place() -> None:
    found = align(Reel().headers("a").tape.rows, Reel().headers("b").tape.rows)
    assert list(found.changes()) == [1]
    assert found[1:2] == [found[-2]]


# Matching.


@given(st.lists(st.integers(0, 4), max_size=30), st.lists(st.integers(0, 4), max_size=30))
def test_what_is_matched_is_equal_and_in_order(left: list[int], right: list[int]) -> None:
    found = matches(left, right)
    assert all(left[i] == right[j] for i, j in found)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))


@given(st.lists(st.integers(), max_size=30, unique=True), st.sets(st.integers(0, 29)))
def test_all_that_is_left_of_different_things_is_matched(things: list[int], gone: set[int]) -> None:
    left = [thing for index, thing in enumerate(things) if index not in gone]
    assert [left[i] for i, _ in matches(left, things)] == left


@pytest.mark.parametrize(
    ("left", "right", "kept"),
    [("aabb", "aaabbb", 4), ("abab", "baba", 3), ("ab" * 9, "b" * 9, 9)],
)
def test_of_what_occurs_often_as_much_as_possible_is_matched(left: str, right: str, kept: int) -> None:
    assert len(matches(left, right)) == kept


def _steps(left: Sequence[int], right: Sequence[int]) -> int:
    """How many comparisons matching takes."""
    count = 0

    class Counted:
        __slots__ = ("value",)

        def __init__(self, value: int) -> None:
            self.value = value

        def __hash__(self) -> int:
            return hash(self.value)

        def __eq__(self, other: object) -> bool:
            nonlocal count
            count += 1
            return isinstance(other, Counted) and self.value == other.value

    matches([Counted(value) for value in left], [Counted(value) for value in right])
    return count


@pytest.mark.parametrize(
    "sides",
    [
        lambda n: ([0, 1] * n, [2, 3] * n),
        lambda n: ([0, 1] * n, [1, 0, 0] * n),
        lambda n: ([0] * n + [1], [1] + [0] * n),
        lambda n: ([i % 7 for i in range(n)], [i % 5 for i in range(n)]),
        lambda n: (list(range(n)), list(reversed(range(n)))),
    ],
    ids=["nothing in common", "often the same", "one moved", "two rhythms", "reversed"],
)
def test_twice_the_length_takes_about_twice_the_steps(
    sides: Callable[[int], tuple[list[int], list[int]]],
) -> None:
    assert _steps(*sides(8000)) < 3 * _steps(*sides(4000))


# Words.


def test_a_status_is_told_with_its_reason() -> None:
    left, right = Reel().begin("proxy_on_log", 2), Reel().begin("proxy_on_log", 2)
    left.call(*GET, gives="alice")
    right.call(*GET, status=Status.NOT_FOUND, why="there is no header `x-user`")
    assert told(left, right) == ["status: OK -> NOT_FOUND (there is no header `x-user`)"]


def test_a_header_is_told_by_its_name() -> None:
    left, right = Reel().call(*GET, gives="alice"), Reel().call(*GET, gives="bob")
    assert told(left, right) == ['header x-user: "alice" -> "bob"']


@pytest.mark.parametrize(
    ("call", "before", "after", "text"),
    [
        (("proxy_get_property", ("request", "path")), b"/a", b"/b", 'property request.path: "/a" -> "/b"'),
        (("proxy_get_shared_data", "k"), b"1", b"2", 'shared k: "1" -> "2"'),
        (("proxy_get_buffer_bytes", BufferType.HTTP_REQUEST_BODY, 0, 9), b"a", b"\xff",
         'HTTP_REQUEST_BODY: "a" -> "\\xff"'),
        (("proxy_get_header_map_pairs", REQUEST), (("a", "1"), ("b", "2")), (("a", "3"), ("c", "4")),
         'pairs: a: "1" -> "3", - b: "2", + c: "4"'),
        (("proxy_get_header_map_pairs", REQUEST), (("a", "1"), ("b", "2")), (("b", "2"), ("a", "1")),
         "pairs: the order is another"),
        (("proxy_get_current_time_nanoseconds",), 1, 2, "time: 1 -> 2"),
    ],
)  # fmt: skip
def test_a_value_is_told_by_what_it_is_of(call: tuple[Any, ...], before: Any, after: Any, text: str) -> None:
    assert told(Reel().call(*call, gives=before), Reel().call(*call, gives=after)) == [text]


def test_a_long_value_is_told_from_where_it_differs() -> None:
    left, right = Reel().log("x" * 5000 + "old" + "y" * 100), Reel().log("x" * 5000 + "NEW!" + "y" * 100)
    (text,) = told(left, right)
    assert text.startswith('message: 5,103 long -> 5,104 long, from 5,000 on: "xxxxxxxxxxxxoldyyy')
    assert '-> "xxxxxxxxxxxxNEW!yyy' in text


def test_an_action_is_told() -> None:
    assert told(Reel().headers(), Reel().headers(result=HeadersAction.PAUSE)) == [
        "returned: CONTINUE -> PAUSE"
    ]


def test_a_trap_is_told() -> None:
    left, right = Reel().begin("proxy_on_done", 2).end(True), Reel().begin("proxy_on_done", 2).trap()
    assert told(left, right) == ["returned: true -> trap unreachable"]


def test_what_is_alone_is_told() -> None:
    assert told(Reel().headers(), Reel().headers("hi")) == [
        'only on the right: proxy_log(level: INFO, message: "hi")'
    ]


def test_what_is_the_same_is_not_told() -> None:
    rows = Reel().headers("a").tape.rows
    assert [explain(rows[index], rows[index]) for index in range(len(rows))] == ["", "", ""]


@settings(max_examples=30)
@given(st.text(), st.text())
def test_nothing_of_a_plugin_gets_onto_a_terminal_as_it_is(left: str, right: str) -> None:
    sides = [
        Reel().headers(text).call(*GET, gives=text).call("proxy_set_property", (text,), b"", why=text)
        for text in (f"\x1b[31m{left}", f"\x9b{right}\n")
    ]
    found = align(*(side.tape.rows for side in sides))
    lines = [*diff_text(found), *told(*sides)]
    assert all(line.isprintable() for line in lines)


# The text.


def test_the_text_shows_what_differs_and_a_little_around() -> None:
    left = Reel().headers(*"abcdefgh").begin("proxy_on_log", 2).end()
    right = Reel().headers(*"abcdXfgh").begin("proxy_on_log", 2).end()
    assert list(diff_text(align(left.tape.rows, right.tape.rows), around=1)) == [
        "@@ row 5 | row 5 · proxy_log, context 2 @@",
        '      proxy_log(level: INFO, message: "d") = OK',
        '~     proxy_log(level: INFO, message: "X") = OK',
        '          message: "e" -> "X"',
        '      proxy_log(level: INFO, message: "f") = OK',
    ]


def test_stretches_that_touch_are_one() -> None:
    left, right = Reel().headers(*"abcdefghij"), Reel().headers(*"aXcdefghXj")
    assert (
        sum(line.startswith("@@") for line in diff_text(align(left.tape.rows, right.tape.rows), around=3))
        == 1
    )
    assert (
        sum(line.startswith("@@") for line in diff_text(align(left.tape.rows, right.tape.rows), around=2))
        == 2
    )


def test_colours_are_only_added() -> None:
    found = align(golden("http_auth/browser"), golden("http_auth/no_service"))
    painted = "\n".join(diff_text(found, ink=paint))
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[1;36m", "\x1b[0m"):
        painted = painted.replace(code, "")
    assert painted == "\n".join(diff_text(found))


def test_two_recordings_of_a_sample_differ_where_the_service_was_missing() -> None:
    text = "\n".join(diff_text(align(golden("http_auth/browser"), golden("http_auth/no_service"))))
    assert "status: OK -> BAD_ARGUMENT (there is no cluster `auth`; known are none at all)" in text
    assert '+     proxy_log(level: ERROR, message: "cannot ask auth: BadArgument") = OK' in text
    assert "- → proxy_on_http_call_response(" in text


def test_a_trap_is_shown_in_the_text() -> None:
    left, right = Reel().begin("proxy_on_done", 2).end(True), Reel().begin("proxy_on_done", 2).trap()
    assert "~ ✗ unreachable" in list(diff_text(align(left.tape.rows, right.tape.rows)))


def test_a_file_with_one_line_changed_differs_there_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [json.loads(line) for line in CASES["allow_header/browser"].golden.read_text().splitlines()]
    at = next(index for index, line in enumerate(lines) if line.get("call") == "proxy_send_local_response")
    lines[at]["args"]["status_code"] = 404
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    changed = open_trace(path)
    changed.index()
    found = align(golden("allow_header/browser"), changed.rows)
    (place,) = found.changes()
    assert explain(*found.rows(found[place])) == "status_code: 403 -> 404"


def test_rows_of_both_kinds_are_known() -> None:
    """A row that ends a callback is one of the plugin's, or a trap."""
    rows = golden("http_auth/browser")
    ends = [rows[index] for index in range(len(rows)) if rows[index].kind is Kind.RETURN]
    assert {row.entered.function.side for row in ends} == {Side.PLUGIN}


def test_a_recording_is_the_same_whichever_engine_ran(engine: Engine, tmp_path: Path) -> None:
    case = CASES["service_name/browser"]
    path = tmp_path / "t.jsonl"
    now = case.exchanges[0].started_ns
    with path.open("w") as file:
        recording = Recording(file.write, [case.plugin], profile=ENVOY, now_ns=now, engine=engine.name)
        with Session([case.plugin], engine=engine, observers=[recording], now_ns=now) as session:
            for outcome in session.replay(case.exchanges):
                recording.finished(outcome)
    trace = open_trace(path)
    trace.index()
    assert trace.header.engine == engine.name
    assert align(golden(case.id), trace.rows).same
