"""What texts, numbers, headers, bodies and log lines are expected to be, and what is told where they are not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from simwasm.abi.enums import LogLevel
from simwasm.config.tree import tree_of
from simwasm.errors import ConfigError
from simwasm.suites.body_rule import BODY_RULE, equal, lacking
from simwasm.suites.duration import duration, span
from simwasm.suites.header_rule import HEADER_RULE
from simwasm.suites.log_rule import LOG_RULE
from simwasm.suites.patience import patiently
from simwasm.suites.rules import NUMBER_RULE, TEXT_RULE, differs
from simwasm.suites.shape import Shape


def rule(shape: Shape[Any], text: str, file: str = "s.yaml") -> Any:
    return shape.read(tree_of(text, file))


@pytest.mark.parametrize(
    ("text", "found", "said"),
    [
        ("abc", "abc", []),
        ("abc", "abd", ['it: expected "abc", came "abd"']),
        ("{contains: b}", "abc", []),
        ("{contains: [b, x]}", "abc", ['it: "x" is not in "abc"']),
        ("{lacks: b}", "abc", ['it: "b" is in "abc"']),
        ("{matches: ^a.c$}", "abc", []),
        ("{matches: '^b'}", "abc", ['it: /^b/ finds nothing in "abc"']),
        ("5", "5", []),
    ],
)
def test_texts(text: str, found: str, said: list[str]) -> None:
    assert [each.message for each in rule(TEXT_RULE, text).misses("it", found)] == said


@pytest.mark.parametrize(
    ("text", "fits", "fails"),
    [("3", [3], [2, 4]), ("< 3", [2], [3]), ("<= 3", [3], [4]), ("'> 3'", [4], [3]), ("'>=3'", [3], [2]),
     ("1_000", [1000], [1]), ("{at_least: 2, at_most: 3}", [2, 3], [1, 4])],
)  # fmt: skip
def test_numbers(text: str, fits: list[int], fails: list[int]) -> None:
    number = rule(NUMBER_RULE, text)
    assert not any([*number.misses("it", each)] for each in fits)
    assert all([*number.misses("it", each)] for each in fails)


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("a", ["a"], []),
        ("a", [], ['h: is not there, expected "a"']),
        ("a,b", ["a", "b"], []),
        ("[a, b]", ["a", "b"], []),
        ("[a, b]", ["b", "a"], ['h: expected "a, b", came "b, a"']),
        ("{absent: true}", [], []),
        ("{absent: true}", ["x"], ['h: expected to be absent, came "x"']),
        ("{present: true}", ["x"], []),
        ("{present: true}", [], ["h: is not there"]),
        ("{present: false}", ["x"], ['h: expected to be absent, came "x"']),
        ("{count: 2}", ["a", "b"], []),
        ("{count: 0}", [], []),
        ("{count: < 3, is: a}", [], ['h: is not there, expected "a"']),
        ("{count: < 3, present: true}", [], ["h: is not there"]),
        ("{count: < 3, matches: a}", [], ["h: is not there"]),
        ("{count: < 3, lacks: a}", [], []),
        ("{count: 2}", ["a"], ["h: how often: expected 2, came 1"]),
    ],
)
def test_headers(text: str, values: list[str], said: list[str]) -> None:
    assert [each.message for each in rule(HEADER_RULE, text).header_misses("h", values)] == said


@pytest.mark.parametrize(
    ("text", "body", "said"),
    [
        ("abc", b"abc", []),
        ("{base64: AAE=}", b"\0\1", []),
        ("{base64: AAE=}", b"\0\2", ["body: expected 00 01 (2 bytes), came 00 02 (2 bytes)"]),
        ("{json: {a: [1, true]}}", b'{"a": [1, true]}', []),
        ("{json: {a: 1}}", b'{"a": true}', None),
        ("{json: 1}", b"nope", ['body: is not JSON: "nope"']),
        ("{json_contains: {a: {b: 1}}}", b'{"a": {"b": 1, "c": 2}, "d": 3}', []),
        ("{json_contains: {a: {b: 1}}}", b'{"a": {"b": 2}}', ['body: $.a.b: expected "1", came "2"']),
        ("{json_contains: [3, 1]}", b"[1, 2, 3]", ['body: $[1]: "1" is not there, or not in this order']),
        ("{size: < 4}", b"abc", []),
        ("{size: 4}", b"abc", ["body: its size: expected 4, came 3"]),
        ("{empty: true}", b"", []),
        ("{empty: true}", b"x", ['body: expected to be empty, came "x"']),
        ("{empty: false}", b"", ["body: expected not to be empty"]),
    ],
)
def test_bodies(text: str, body: bytes, said: list[str] | None) -> None:
    found = [each.message for each in rule(BODY_RULE, text).body_misses("body", body)]
    assert found == said if said is not None else found


def test_a_regex_that_tries_too_many_ways_is_given_up() -> None:
    with pytest.raises(
        ConfigError, match=r"`\(a\+\)\+\$` was not done with a text of 41 characters after 0.05 s"
    ):
        patiently(re.compile("(a+)+$").search, "a" * 40 + "!", "(a+)+$", 0.05)


def test_a_body_is_compared_with_a_file_beside_the_suite(tmp_path: Path) -> None:
    (tmp_path / "body.bin").write_bytes(b"\xff\0")
    wanted = rule(BODY_RULE, "{file: body.bin}", str(tmp_path / "s.yaml"))
    assert not [*wanted.body_misses("body", b"\xff\0")]
    assert [*wanted.body_misses("body", b"\xfe\0")]


def test_long_texts_that_differ_are_told_as_a_diff() -> None:
    before = "".join(f"line {number}\n" for number in range(30))
    said = differs("body", before, before.replace("line 15", "line x"))
    assert said.message == "body: is not what was expected"
    assert "-line 15\n+line x" in said.details


@pytest.mark.parametrize(
    ("text", "fits"),
    [("b", True), ("{contains: b, level: info}", True), ("{level: warn}", False), ("{at_least: debug}", True),
     ("{at_least: warn}", False), ("{matches: ^wasm log}", True), ("{is: abc}", True), ("{lacks: b}", False)],
)  # fmt: skip
def test_log_lines_are_what_the_plugin_wrote_or_the_whole_line(text: str, fits: bool) -> None:
    assert rule(LOG_RULE, text).fits(LogLevel.INFO, "abc", "wasm log: abc") is fits


def test_true_is_not_one_in_json() -> None:
    assert not equal({"a": 1}, {"a": True})
    assert equal({"a": 1}, {"a": 1.0})
    assert [*lacking([True], [1])]


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("5ms", 5_000_000),
        ("1.5s", 1_500_000_000),
        ("2m", 120 * 10**9),
        ("1h", 3600 * 10**9),
        ("7ns", 7),
        ("3us", 3000),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert duration(text) == nanoseconds


def test_bounds_of_durations() -> None:
    assert (span("< 5ns"), span(">= 1us")[0], span("2ns")) == ((0, 4), 1000, (2, 2))
