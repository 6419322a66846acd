"""Suites with mistakes: what is told, and where; editors see those mistakes that are in the form of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest

from simwasm.config.tree import tree_of
from simwasm.errors import ConfigError
from simwasm.suites.read import suite_of
from simwasm.suites.schema import schema

ROOT = Path(__file__).parent.parent.parent
HEAD = "plugin: samples/allow_header/plugin.wasm\ncases:\n  - name: one\n"
FORM: list[tuple[str, str]] = [
    # a key, a type, a value of it
    ("    reqest: GET /", "4:5: `reqest` is no key of case; did you mean `request`"),
    ("    expect: {statu: 200}", "4:14: `statu` is no key of expect; did you mean `status`"),
    ("    expect: 200", "4:13: is a number, not a mapping with `status`"),
    ("    expect: {status: 700}", "4:22: no response has the status 700"),
    ("    expect: {status: 9xx}", "4:22: `9xx` is no status"),
    ("    expect: {status: [200, yes]}", "4:28: `yes` is no status"),
    (
        "    expect: {body: {matches: '('}}",
        r"4:30: `\(` is no regular expression: missing \)",
    ),
    ("    expect: {hung: maybe}", "4:20: is a text, not true or false"),
    ("    expect: {logs: [{level: loud}]}", "4:29: `loud` is not one of trace, debug"),
    ("    expect: {phases: [{action: pause}]}", "4:23: `callback` is missing: Which callback"),
    ("    expect: {cost: {instructions: few}}", "4:35: `few` is no number: write 3, or '< 50_000'"),
    ("    expect: {actions: {request_headers: stop}}", "4:41: `stop` is not an action"),
    ("    request: [GET]", "4:14: is a list, not `GET /path`"),
    ("    request: {headers: {a: ~}}", "4:28: is nothing, not a text: write '' for an empty one"),
    (
        "    request: {chunks: [{text: a, after: soon}]}",
        "4:41: `soon` is no duration: write a number with its unit",
    ),
    ("    steps: []", "4:12: is empty: it needs one at least"),
    ("    fail_policy: none", "4:18: `none` is not one of closed, open, reload, open-at-once"),
    ("    concurrency: 1000", "4:18: 1000 is not a number from 1 to 64"),
    ("    fuel: 1.5", r"4:11: is a number, not a number from 1 \(a whole one\)"),
    ("    log_level: 5", "4:16: `5` is not one of trace"),
    ("  - {}", "4:5: `name` is missing: Its name"),
]
MEANING: list[tuple[str, str]] = [
    # what only the reader can know
    ("    request: get /", "4:14: `get /` is no request: write `GET /path`"),
    ("    request: GET /a b", "is no request"),
    ("    request: {body: a, chunks: [b]}", "4:24: a body is in one piece, `body`, or in several"),
    ("    request: {headers: {':path': /}}", "`:path` is said by `method`, `path`"),
    ("    request: {headers: {A: '1', a: '2'}}", "4:33: `a` is there twice"),
    ("    request: GET /\n    steps: [{advance: 1s}]", "5:5: a case has one of .* not `request` as well"),
    ("    request: {body: {text: a, json: 1}}", "4:31: has one of `text`, `base64`, `json` and `file`"),
    ("    request: {body: {base64: '?'}}", "4:30: `\\?` is not base64"),
    (
        "    request: {body: {file: none.txt}}",
        "4:28: there is no file .*none.txt; paths are seen from the folder",
    ),
    ("    request: {body: {text: abcdefgh, times: 200000000}}", "4:38: makes more than 256 MiB"),
    ("    steps: [{send: a, advance: 1s}]", "4:23: a step has one of"),
    ("    steps: [{open: a}]", "4:14: needs the `request` that is opened"),
    ("    steps: [{request: GET /, body: x}]", "4:30: goes with `send` and `end`"),
    (
        "    steps: [{advance: 1s, expect: {status: 200}}]",
        "4:36: `status` is expected of a request",
    ),
    ("    expect: {status: 200}", "4:14: `status` is expected of a request, and none ended here"),
    ("    steps: [{open: a, request: {trailers: {a: b}}}]", "4:33: the request is under way yet"),
    ("    steps: [{open: a, request: GET /, expect: {}}]", "4:39: the request is under way yet"),
    ("    talk: [{client: a}]", "4:5: a plugin for HTTP meets no TCP connection; write `network: true`"),
    ("    talk: [{client: a, upstream: b}]", "4:12: one side speaks at a time"),
    ("    steps: [{request: GET /, expect: {golden: g}}]", "4:39: `golden` is not looked at in a step"),
    ("    steps: [{request: GET /, expect: {starts: no way}}]", "4:39: `starts` is not looked at in a step"),
    ("defaults: {expect: {starts: false}}", "4:21: `starts` is not looked at in `defaults`"),
    (
        "    request: GET /\n    expect: {starts: false}",
        "4:5: a plugin that does not start is sent nothing",
    ),
    (
        "    request: {body: '${x}${x}'}\n    with: [{x: " + "a" * 600_000 + "}]",
        "4:21: gets longer than 1 MiB by its parameters",
    ),
    ("    steps: [{advance: 99999h}]", "4:23: `99999h` is longer than three years"),
    ("    only: a", "4:5: goes with `traffic`"),
    ("    faults: ['boom']", "4:14: faults: `boom` is no fault"),
    ("    callouts: {auth: maybe}", "4:22: `maybe` is no status, no failure"),
    ("    callouts: {auth: [{when: {}}]}", "4:23: a rule has one of `reply`, `fail` and `grpc`"),
    ("    callouts: {auth: [{grpc: [{}]}]}", "4:24: grpc"),
    ("    expect: {calls: ['call:log colour:red']}", r"4:22: unknown term `colour`.*at character 10"),
    ("    expect: {calls: [proxy_set_fire]}", "4:22: no version of the ABI has proxy_set_fire"),
    ("    expect: {calls: [{count: log}]}", "4:23: say how many by `is`, `at_least` or `at_most`"),
    ("    expect: {calls: [{has: log, never: log}]}", "4:33: has one of"),
    ("    expect: {problems: [bad-luck]}", "4:25: `bad-luck` is not a problem that simwasm looks for"),
    ("    request: GET ${x}\n    with: [{y: 1}]", "4:14: there is no parameter `x` in this row; known are y"),
    ("    request: GET /\n  - name: one", "5:5: another case, on line 3, is called `one`, too"),
]
NEVER: list[tuple[str, str]] = [
    ("actions: {log: pause}", "4:20: can never hold: proxy_on_log returns no action"),
    (
        "actions: {request_headers: stop_no_buffer}",
        "never returns stop_no_buffer, but continue, pause",
    ),
    ("headers: {a: {absent: true, is: b}}", "can never hold: a header that is absent has no `is`"),
    ("headers: {a: {absent: true, present: true}}", "a header that is absent has no `present`"),
    ("body: {is: abc, contains: x}", 'can never hold: `is` is "abc", but then it: "x" is not in "abc"'),
    ("body: {contains: secret, lacks: cre}", "has to be in it, and it must not"),
    ("body: {empty: true, json: {}}", "an empty body has no `json`"),
    ("body: {is: abc, size: 5}", "its size: expected 5, came 3"),
    ("upstream: {called: false, path: /}", "without being called it receives no `path`"),
    ("cost: {host_calls: {at_least: 5, at_most: 3}}", "no number is 5 or more and 3 or less"),
    ("logs: [{level: info, at_least: error}]", "the level is below `at_least`"),
    (
        "logs: [{contains: x, level: debug}]",
        "at log_level info; write `log_level: debug`",
    ),
    ("logs: [{never: true, count: 2}]", "can never hold with `count`"),
    ("phases: [{callback: request_headers, body: x}]", "proxy_on_request_headers sees no body"),
    ("phases: [{callback: log, end_of_stream: true}]", "proxy_on_log is not told of any end"),
    ("phases: [{callback: request_trailers, end_of_stream: false}]", "trailers are always the end"),
    ("phases: [{callback: tick, headers: {a: b}}]", "proxy_on_tick has no headers of its own"),
    (
        "phases: [{callback: downstream_data}]",
        "proxy_on_downstream_data is never called of a plugin for HTTP",
    ),
    ("actions: {new_connection: pause}", "proxy_on_new_connection is never called of a plugin for HTTP"),
    ("starts: false\n      status: 200", "a plugin that does not start has no `status`"),
]


@pytest.fixture(scope="module")
def editor() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())


def in_editor(text: str) -> Any:
    return tree_of(text, "s.yaml").plain()


@pytest.mark.parametrize(("text", "message"), FORM, ids=[text.strip()[:50] for text, _ in FORM])
def test_a_mistake_of_form_is_told_and_seen_by_editors(
    text: str, message: str, editor: jsonschema.Draft202012Validator
) -> None:
    with pytest.raises(ConfigError, match=f"s.yaml:{message}"):
        suite_of(tree_of(HEAD + text, str(ROOT / "s.yaml")))
    assert not editor.is_valid(in_editor(HEAD + text))


@pytest.mark.parametrize(("text", "message"), MEANING, ids=[text.strip()[:50] for text, _ in MEANING])
def test_a_mistake_of_meaning_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        suite_of(tree_of(HEAD + text, str(ROOT / "s.yaml")))


@pytest.mark.parametrize(("text", "message"), NEVER, ids=[text[:50] for text, _ in NEVER])
def test_what_can_never_hold_is_refused(text: str, message: str) -> None:
    whole = f"{HEAD}    request: GET /\n    expect:\n      {text}"
    with pytest.raises(ConfigError, match=message.partition(": ")[2] if message[0].isdigit() else message):
        suite_of(tree_of(whole, str(ROOT / "s.yaml")))


def test_the_schema_is_one(editor: jsonschema.Draft202012Validator) -> None:
    editor.check_schema(schema())
