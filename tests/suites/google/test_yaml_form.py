"""The same tests in YAML."""

from __future__ import annotations

import pytest

from simwasm.config.tree import Place, tree_of
from simwasm.errors import ConfigError
from simwasm.suites.google.suite import Suite, suite_of
from simwasm.suites.google.textproto import read_text
from simwasm.suites.google.yaml_form import suite_record

TEXT = """
env { log_level: DEBUG time_secs: 5 config_path: "c" }
test {
  name: "one"
  chunk_size: 2
  properties { path: "a.b" value: "1" }
  plugin_init { log { exact: "started" } }
  request_headers {
    input { header { key: ":path" value: "/" } header { key: "x" value: "200" } }
    result {
      has_header { key: "x" value: "200" }
      headers { regex: "y:.*" invert: true }
      immediate { http_status: 403 details: "" }
    }
  }
  response_body { input { content: "ab" } result { body { file: "expected" } } }
}
"""
NAMES = """
env: {log_level: DEBUG, time_secs: 5, config_path: c}
test:
- name: one
  chunk_size: 2
  properties:
  - {path: a.b, value: 1}
  plugin_init:
    log:
    - exact: started
  request_headers:
    input:
      header:
      - {key: ':path', value: /}
      - {key: x, value: 200}
    result:
      has_header: {key: x, value: '200'}
      headers:
      - {regex: 'y:.*', invert: 'true'}
      immediate: {http_status: 403, details: ''}
  request_body:
  response_body:
  - input: {content: ab}
    result: {body: [{file: expected}]}
"""
JSON_NAMES = """
env: {logLevel: DEBUG, timeSecs: 0x5, configPath: c}
test:
- name: one
  chunkSize: 2
  properties: {path: a.b, value: '1'}
  pluginInit: {log: {exact: started}}
  requestHeaders:
    input: {header: [{key: ':path', value: /}, {key: x, value: '200'}]}
    result:
      hasHeader: {key: x, value: '200'}
      headers: {regex: 'y:.*', invert: true}
      immediate: {httpStatus: 403, grpcStatus: null, details: ''}
  responseBody: {input: {content: ab}, result: {body: {file: expected}}}
"""
FIRST_READER = """
env: {log_level: debug, time_secs: 5, config_path: c}
tests:
- name: one
  body_chunking_plan: {chunk_size: 2}
  properties: [{path: a.b, value: 1}]
  plugin_init: {log: [{exact: started}]}
  request_headers:
    input: {headers: [":path: /", "x: 200"]}
    result:
      has_header: ["x: 200"]
      headers: [{regex: 'y:.*', invert: true}]
      immediate: {http_status: 403, details: ""}
  response_body: [{input: {content: ab}, result: {body: [{file: expected}]}}]
"""


def without_places(value: object) -> object:
    if isinstance(value, Place):
        return None
    return tuple(map(without_places, value)) if isinstance(value, tuple) else value


def in_yaml(text: str) -> Suite:
    return suite_of(suite_record(tree_of(text, "tests.yaml")))


@pytest.mark.parametrize(
    "text", [NAMES, JSON_NAMES, FIRST_READER], ids=["names", "json names", "first reader"]
)
def test_yaml_says_what_the_text_format_says(text: str) -> None:
    expected = suite_of(read_text(TEXT, "tests.yaml"))
    assert without_places(in_yaml(text)) == without_places(expected)


def test_values_know_where_they_are() -> None:
    (trial,) = in_yaml(NAMES).trials
    assert trial.request_headers is not None
    assert str(trial.request_headers.result.has_header[0].place) == "tests.yaml:17:19"


WRONG = {
    "- a": "1:1: here TestSuite is expected, a mapping of env, test, not a list",
    "test: [{nam: a}]": "1:9: Test has no field `nam`; did you mean `name`?",
    "test: [5]": "1:8: here Test is expected",
    "test:\n- name: [a]": "2:9: `name` has one value, so a list cannot stand here",
    "test:\n- name: {a: b}": "2:9: `name` is a text, not a mapping",
    "test: [{properties: [null]}]": "1:22: here Property is expected",
    "test: [{num_chunks: 1.5}]": "1:21: `num_chunks` is a whole number, not `1.5`",
    "test: [{num_chunks: 1, chunk_size: 1}]": "1:24: `chunk_size` is there along with `num_chunks`",
    "test: [{body_chunking_plan: {size: 1}}]": "1:29: body_chunking_plan has `num_chunks` or `chunk_size`",
    "test: [{benchmark: maybe}]": "1:20: `benchmark` is true or false, not `maybe`",
    "test: [{plugin_init: {has_header: [x]}}]": "1:36: here Header is expected",
    "env: {log_level: LOUD}": "1:18: `LOUD` is no LogLevel",
    "env: {time_secs: -1}": "1:18: -1 is no number from 0",
    "env: {env: 1, env: 2}": "1:15: `env` is there twice",
    "env: ]": "1:6: is not YAML",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        in_yaml(text)
    assert str(error.value).startswith(f"tests.yaml:{WRONG[text]}")


def test_both_names_of_a_field_cannot_stand_together() -> None:
    with pytest.raises(ConfigError, match="`request_headers` is there twice"):
        in_yaml("test: [{request_headers: {}, requestHeaders: {}}]")
