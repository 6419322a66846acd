"""Which files are that tester's, and what of them is wrong before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.errors import ConfigError, InputError
from simwasm.suites.google.read import has_tests, is_google, read


@pytest.mark.parametrize("name", ["tests.textpb", "a/B.TEXTPROTO", "x.pbtxt", "x.txtpb"])
def test_the_text_format_is_known_by_its_name(name: str) -> None:
    assert is_google(name)


@pytest.mark.parametrize(
    "text",
    [
        "test:\n- name: a",
        "env:\n  log_level: DEBUG\ntest: []",
        "tests:\n- name: a\n  request_headers:\n",
        "tests:\n- stream_init:",
    ],
)
def test_yaml_is_known_by_its_fields(text: str) -> None:
    assert is_google("tests.yaml", text)


@pytest.mark.parametrize(
    "text",
    [
        "plugin: a.wasm\ncases:\n- name: a",
        "env:\n  a: b",
        "tests:\n- name: a\n  send: GET /",
        "- test: 1",
        "",
    ],
)
def test_other_yaml_is_not_theirs(text: str) -> None:
    assert not is_google("suite.yaml", text)


def test_neither_is_anything_else() -> None:
    assert not is_google("test.json", "test: 1")


@pytest.mark.parametrize("text", ["test {}", "# a\nenv\n{}", "  test: [", 'runtime < wasm_path: "a" >'])
def test_in_a_folder_the_text_format_is_known_by_its_fields(text: str) -> None:
    assert has_tests("tests.textpb", text)


@pytest.mark.parametrize("text", ["cookies {}", "tests {}", "# test {", 'name: "test {"', "test_path: 1", ""])
def test_in_a_folder_other_messages_are_passed_over(text: str) -> None:
    assert not has_tests("config.textpb", text)


WRONG = {
    "test { request_headers { result { log { invert: true } } } }": "1:35: this matches nothing; say what is expected",
    "test { request_headers { result { has_header { value: '1' } } } }": "1:35: this `has_header` names no header",
    "test { request_headers { result { no_header {} } } }": "1:35: this `no_header` names no header",
    "test { num_chunks: 0 }": "1:8: `num_chunks: 0` cuts nothing",
    "test { chunk_size: -1 }": "1:8: `chunk_size: -1` cuts nothing",
    "test { num_chunks: 2\n request_body {}\n request_body {} }": "3:2: `num_chunks` cuts one body into chunks, but",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_can_never_hold_is_told_with_its_place(text: str, tmp_path: Path) -> None:
    path = tmp_path / "tests.textpb"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}:{WRONG[text]}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read(tmp_path / "tests.textpb")


def test_a_test_without_a_name_has_its_number(tmp_path: Path) -> None:
    path = tmp_path / "tests.textpb"
    path.write_text('test {} test { name: "a" } test {}')
    assert [trial.name for trial in read(path).trials] == ["test 1", "a", "test 3"]
