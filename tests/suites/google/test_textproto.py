"""The text format: all its forms are read, and whatever is wrong is told with its place."""

from __future__ import annotations

import pytest

from simwasm.errors import ConfigError
from simwasm.suites.google.record import Builder, Record
from simwasm.suites.google.textproto import read_text


def first_test(text: str) -> Record:
    test = read_text(text, "tests.textpb").record("test")
    assert test is not None
    return test


def name(text: str) -> str | None:
    return first_test(f"test {{ name: {text} }}").text("name")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"a"', "a"),
        ("'a'", "a"),
        ('"a" "b" \'c\'', "abc"),
        ('"a"  # one\n  # two\n "b"', "ab"),
        (r'"\a\b\f\n\r\t\v\\\'\"\?"', "\a\b\f\n\r\t\v\\'\"?"),
        (r'"\101\60\x41\x4a"', "A0AJ"),
        (r'"\1012"', "A2"),
        (r'"\303\244"', "ä"),
        (r'"\u00e4\U0001F600"', "ä😀"),
        ('"ä # { }"', "ä # { }"),
        ('"it\'s"', "it's"),
        ('""', ""),
    ],
)
def test_a_text(written: str, meant: str) -> None:
    assert name(written) == meant


def test_bytes_need_not_be_text() -> None:
    test = first_test(r'test { properties { value: "\377\xfe" } }')
    assert test.records("properties")[0].text("value") == "\udcff\udcfe"


@pytest.mark.parametrize(
    "text",
    [
        "test { request_headers { result { immediate { http_status: 403 } } } }",
        "test < request_headers < result < immediate < http_status: 403 > > > >",
        "test: { request_headers: { result: { immediate: { http_status: 0x193, }; } } }",
        "test [ { request_headers { result { immediate { http_status: 0623 } } } } ]",
        "# a\ntest{request_headers{result{immediate{http_status:403}}}}#b",
        "\ufefftest:[<request_headers{result{immediate{http_status: 403;}}}>];",
    ],
)
def test_a_message_has_many_forms(text: str) -> None:
    headers = first_test(text).record("request_headers")
    result = headers.record("result") if headers is not None else None
    immediate = result.record("immediate") if result is not None else None
    assert immediate is not None
    assert immediate.number("http_status") == 403


def test_a_list_is_as_if_the_field_were_there_several_times() -> None:
    one = first_test(
        'test { properties { path: "a" } properties [ { path: "b" }, { path: "c" } ] properties [] }'
    )
    assert [each.text("path") for each in one.records("properties")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("written", "meant"), [("true", True), ("t", True), ("1", True), ("False", False), ("0", False)]
)
def test_truth(written: str, meant: bool) -> None:
    assert first_test(f"test {{ benchmark: {written} }}").number("benchmark") is meant


@pytest.mark.parametrize("written", ["WARN", "4"])
def test_a_level_has_a_name_and_a_number(written: str) -> None:
    env = read_text(f"env {{ log_level: {written} }}", "").record("env")
    assert env is not None
    assert env.number("log_level") == 4


def test_first_files_called_the_environment_runtime() -> None:
    env = read_text('runtime { wasm_path: "a.wasm" min_log_level: WARN }', "").record("env")
    assert env is not None
    assert (env.text("wasm_path"), env.number("log_level")) == ("a.wasm", 4)


def test_values_know_where_they_are() -> None:
    test = first_test('# a\ntest {\n  name: "a"\n\tbenchmark:\n true }')
    assert [str(test.all(field)[0].place) for field in test.fields] == [
        "tests.textpb:3:3",
        "tests.textpb:4:2",
    ]


WRONG = {
    "test { nam: 'x' }": "1:8: Test has no field `nam`; did you mean `name`?",
    "https://example.com": "1:1: TestSuite has no field `https`; known are env, test",
    "test {\n  request_headers { result { has_headers {} } }\n}": "2:30: Expectation has no field `has_headers`",
    "test { name 'x' }": "1:13: here a `:` is expected behind `name`",
    "test { name: 'x": "1:14: this string does not end in its line",
    'test { name: "a\nb" }': "1:14: this string does not end in its line",
    "test { name: 'x' ": "1:18: the file ends, but a `}` is missing",
    "test { name: 'x' > }": "1:18: here a field's name is expected, or the end of Test, not `>`",
    "test { name: 5 }": "1:14: `name` is a text: here quotes are expected, not `5`",
    "test 'x'": '1:6: `test` is a message: here a `{` is expected, not "x"',
    "test }": "1:6: `test` is a message",
    "}": "1:1: here a field's name is expected, or the end of TestSuite, not `}`",
    "test [ {} {} ]": "1:11: here a `,` or a `]` is expected, not `{`",
    "env [ {} ]": "1:5: `env` has one value, so a list cannot stand here",
    "test { name: 'a'\n name: 'b' }": "2:2: `name` is there twice; Test has one, and line 1 has said it",
    "test { num_chunks: 1 chunk_size: 2 }": "1:22: `chunk_size` is there along with `num_chunks`",
    "test { num_chunks: 1.5 }": "1:20: `num_chunks` is a whole number, not `1.5`",
    "test { num_chunks: 99999999999 }": "1:20: 99999999999 is no number from -2147483648 to 2147483647",
    "env { time_secs: -1 }": "1:18: -1 is no number from 0 to",
    "env { log_level: LOUD }": "1:18: `LOUD` is no LogLevel; there are UNDEFINED, TRACE",
    "env { log_level: 9 }": "1:18: `9` is no LogLevel",
    "test { benchmark: 2 }": "1:19: `benchmark` is true or false, not `2`",
    r"test { name: '\q' }": r"1:14: `\q` is no escape; a backslash itself is written `\\`, in a regex too",
    r"test { name: '\ud800' }": "1:14: there is no character 0xd800",
    r"test { name: '\377' }": "1:14: this text is not UTF-8",
    "test { name: “x” }": "1:14: `“` has no meaning here; texts stand between quotes",
    "test { name: \x1b }": "1:14: `\\x1b` has no meaning here",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_text(text, "tests.textpb")
    assert str(error.value).startswith(f"tests.textpb:{WRONG[text]}")


def test_a_file_with_too_many_values_is_refused() -> None:
    builder = Builder("tests.textpb", most=1)
    suite = Record("TestSuite", builder.place(1, 1))
    builder.add(suite, "name", "one", suite.place)
    with pytest.raises(ConfigError, match="1:1: there are more than 1 values"):
        builder.add(suite, "name", "two", suite.place)
