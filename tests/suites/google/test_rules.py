"""The rules of Google's plugin tester, one after the other: each where it holds, and where it does not.

A row is what a guest does in its callbacks, a test, and what of it is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from struct import pack
from types import MappingProxyType
from typing import NamedTuple

import pytest
from scripted import (
    ANSWER,
    ANSWER_BODY,
    CONFIGURE,
    CREATE,
    DELETE,
    DONE,
    LOG,
    OUT,
    REQUEST,
    REQUEST_BODY,
    THIRD,
    TRAP,
    VM_START,
    Call,
    Read,
    scripted,
)

from simwasm.abi.table import Abi
from simwasm.suites.bench import Bench, Options
from simwasm.suites.google.cases import cases

Calls = Mapping[str, Sequence[Call]]
PLACES = 2000
"""Where a guest keeps what the host gave it, the n-th argument's at 4 n."""
END: Call = ("proxy_log", 2, PLACES, THIRD)
"""Log one byte at the end of a stream and none before it."""


class Rule(NamedTuple):
    """A guest, a test, and the beginnings of what is wrong."""

    test: str
    wrong: Sequence[str] = ()
    calls: Calls = MappingProxyType({})
    results: Mapping[str, int] = MappingProxyType({})
    env: str = ""
    data: str = ""
    abi: Abi = Abi.V0_2_1


def say(text: str, level: int = 2) -> Call:
    return ("proxy_log", level, text)


def reply(status: int, details: str, body: str, grpc: int = -1, headers: bytes = b"") -> Call:
    return ("proxy_send_local_response", status, details, body, headers, grpc)


def header(map: int, name: str) -> Sequence[Call]:
    """Read a header and log it."""
    return [("proxy_get_header_map_value", map, name, OUT, OUT), ("proxy_log", 2, Read(2), Read(3))]


def seen(kind: int) -> Sequence[Call]:
    """Read a buffer and log it."""
    return [("proxy_get_buffer_bytes", kind, 0, 100, OUT, OUT), ("proxy_log", 2, Read(3), Read(4))]


def pairs(*headers: tuple[str, str]) -> bytes:
    """Headers as they cross the ABI."""
    sizes = b"".join(pack("<II", len(name), len(value)) for name, value in headers)
    return (
        pack("<I", len(headers)) + sizes + b"".join(f"{name}\0{value}\0".encode() for name, value in headers)
    )


def property_(path: str) -> Sequence[Call]:
    return [("proxy_get_property", path, OUT, OUT), ("proxy_log", 2, Read(1), Read(2))]


GO_ON, PAUSE = 0, 1
PAIRS = pairs(("X", "1"), ("X", "2"))
"""Twice the header X, with the values 1 and 2."""

HEADERS = {
    "names compare without regard to case, and keep how they were written": Rule(
        """request_headers { input { header { key: "User-Token" value: "a" } }
           result { has_header { key: "user-TOKEN" value: "a" } headers { exact: "User-Token: a" } } }"""
    ),
    "values compare by case, and whole": Rule(
        """request_headers { input { header { key: "x" value: "abc" } }
           result { has_header { key: "x" value: "ABC" } has_header { key: "x" value: "ab" } } }""",
        [
            "request_headers: header `x`: expected `ABC`, came `abc`",
            "request_headers: header `x`: expected `ab`, came `abc`",
        ],
    ),
    "the values of one name are joined": Rule(
        """request_headers { input { header { key: "x" value: "1" } header { key: "X" value: "2" } }
           result { has_header { key: "x" value: "1, 2" } headers { exact: "x: 1, 2" } } }"""
    ),
    "an empty value takes no part in joining": Rule(
        """request_headers { input { header { key: "x" } header { key: "x" value: "2" } }
           result { has_header { key: "x" value: "2" } } }"""
    ),
    "one value alone of several is not what is expected": Rule(
        """request_headers { input { header { key: "x" value: "1" } header { key: "x" value: "2" } }
           result { has_header { key: "x" value: "1" } } }""",
        ["request_headers: header `x`: expected `1`, came `1, 2`"],
    ),
    "a header that is not there is missing, though it be expected to be empty": Rule(
        """request_headers { result { has_header { key: "x" } no_header { key: "y" } } }""",
        ["request_headers: header `x`: expected ``, missing"],
    ),
    "no_header does not look at the value": Rule(
        """request_headers { input { header { key: "X" value: "1" } } result { no_header { key: "x" value: "2" } } }""",
        ["request_headers: header `x`: expected none, came `1`"],
    ),
    "a header line is matched as a whole, among all of them": Rule(
        """request_headers { input { header { key: ":path" value: "/a" } header { key: "x" value: "1" } }
           result { headers { regex: "x: .*" } headers { regex: ":scheme:.*" invert: true }
                    headers { regex: "path" } headers { exact: "x: 1" invert: true } } }""",
        [
            "request_headers: headers: expected one that matches `path`",
            "request_headers: headers: expected none that is `x: 1`",
        ],
    ),
    "what the plugin adds, replaces and removes is seen": Rule(
        """request_headers { input { header { key: "Old" value: "1" } header { key: "more" value: "1" } }
           result { has_header { key: "new" value: "1" } has_header { key: "more" value: "1, 2" }
                    headers { exact: "Kept: 3" } no_header { key: "old" } } }""",
        calls={
            REQUEST: [
                ("proxy_add_header_map_value", 0, "new", "1"),
                ("proxy_add_header_map_value", 0, "More", "2"),
                ("proxy_replace_header_map_value", 0, "Kept", "2"),
                ("proxy_replace_header_map_value", 0, "kept", "3"),
                ("proxy_remove_header_map_value", 0, "old"),
            ]
        },
    ),
    "the plugin may set the whole map": Rule(
        """request_headers { input { header { key: "old" } } result { headers { exact: "X: 1, 2" }
             no_header { key: "old" } } }""",
        calls={REQUEST: [("proxy_set_header_map_pairs", 0, PAIRS)]},
    ),
    "the plugin sees names in the order of the alphabet, and sizes in headers": Rule(
        """request_headers { input { header { key: "b" value: "2" } header { key: "A" value: "1" } }
           result { log { exact: "\\002\\0\\0\\0"
             "\\001\\0\\0\\0\\001\\0\\0\\0\\001\\0\\0\\0\\001\\0\\0\\0A\\0001\\0b\\0002\\0" } } }""",
        calls={REQUEST: [("proxy_get_header_map_pairs", 0, OUT, OUT), ("proxy_log", 2, Read(1), Read(2))]},
    ),
    "the request's headers cannot be seen from the response's callback": Rule(
        """request_headers { input { header { key: "x" value: "asked" } } result { log { exact: "asked" } } }
           response_headers { input { header { key: "x" value: "answered" } }
             result { log { exact: "answered" } log { exact: "asked" invert: true } } }""",
        calls={REQUEST: header(0, "x"), ANSWER: [("trap if OK", *header(0, "x")[0]), *header(2, "x")]},
    ),
    "headers cannot be seen from a body callback, though the headers callback paused": Rule(
        """request_headers { input { header { key: "x" value: "1" } } } request_body { input { content: "a" } }""",
        ["request_headers: expected to go on, the plugin answered PAUSE"],
        calls={REQUEST_BODY: [("trap if OK", *header(0, "x")[0])]},
        results={REQUEST: PAUSE},
    ),
}

BODIES = {
    "a body is matched as a whole": Rule(
        """request_body { input { content: "ab" } result { body { exact: "ab" } body { regex: "a." }
             body { exact: "x" invert: true }
             body { exact: "a" } body { regex: "a" } body { regex: ".b" invert: true } } }""",
        [
            "request_body: body: expected `a`",
            "request_body: body: expected to match `a`",
            "request_body: body: expected not to match `.b`",
        ],
    ),
    "a body is bytes": Rule(
        """response_body { input { content: "\\377\\000" }
             result { body { exact: "\\xff\\0" } log { exact: "\\377\\0" } } }""",
        calls={ANSWER_BODY: seen(1)},
    ),
    "a point of a regex is no line end": Rule(
        """request_body { input { content: "a\\n" } result { body { regex: "a." } body { regex: "(?s)a." } } }""",
        ["request_body: body: expected to match `a.`"],
    ),
    "a whole body is the end of the stream": Rule(
        """request_body { input { content: "a" } result { log { exact: "\\0" } } }""",
        calls={REQUEST_BODY: [END]},
    ),
    "each of several bodies is judged by itself, and is an end of the stream": Rule(
        """response_body { input { content: "1" } result { body { exact: "1!" } } }
           response_body { input { content: "2" } result { body { exact: "2" } log { exact: "\\0" } } }""",
        ["response_body 2: body: expected `2`"],
        calls={ANSWER_BODY: [("proxy_set_buffer_bytes", 1, 1, 0, "!"), END]},
    ),
    "chunks of one size": Rule(
        """chunk_size: 2 request_body { input { content: "12345" }
             result { body { exact: "12!34!5!" } log { exact: "5" } } }""",
        calls={REQUEST_BODY: [*seen(0), ("proxy_set_buffer_bytes", 0, 9, 0, "!")]},
    ),
    "so many chunks, of which the last has what is left": Rule(
        """num_chunks: 2 request_body { input { content: "12345" } result { body { exact: "12!345!" } } }""",
        calls={REQUEST_BODY: [("proxy_set_buffer_bytes", 0, 9, 0, "!")]},
    ),
    "only the logs of the last chunk are left, and only it is the end of the stream": Rule(
        """chunk_size: 1 request_body { input { content: "12" }
             result { log { exact: "2" } log { exact: "\\0" } log { exact: "1" invert: true }
                      log { exact: "" invert: true } } }""",
        calls={REQUEST_BODY: [*seen(0), END]},
    ),
    "a chunk that is paused is not kept": Rule(
        """chunk_size: 1 response_body { input { content: "12" }
             result { body { exact: "12" } log { exact: "2" } } }""",
        calls={ANSWER_BODY: seen(1)},
        results={ANSWER_BODY: PAUSE},
    ),
    "the middle of a body can be written, and more than it has be replaced": Rule(
        """request_body { input { content: "abc" } result { body { exact: "a-Z" } } }""",
        calls={
            REQUEST_BODY: [
                ("proxy_set_buffer_bytes", 0, 1, 1, "-"),
                ("proxy_set_buffer_bytes", 0, 2, 99, "Z"),
            ]
        },
    ),
    "the body of the request cannot be seen from the response's callback": Rule(
        """request_body { input { content: "a" } } response_body { input { content: "b" } }""",
        calls={ANSWER_BODY: [("trap if OK", *seen(0)[0])]},
    ),
    "a body phase has no headers": Rule(
        """request_headers { input { header { key: "x" value: "1" } } }
           request_body { result { has_header { key: "x" value: "1" } } }""",
        ["request_body: has_header: this can never hold"],
    ),
    "a body phase has no local reply, though one be sent": Rule(
        """request_body { input { content: "a" } result { immediate { http_status: 403 } } }""",
        ["request_body: immediate: this can never hold"],
        calls={REQUEST_BODY: [reply(403, "", "no")]},
    ),
    "a local reply in a request's body ends the stream, and the body stays": Rule(
        """request_body { input { content: "a" } result { body { exact: "a" } } }
           response_headers { input { header { key: "x" value: "1" } } result { no_header { key: "x" } } }""",
        calls={REQUEST_BODY: [reply(403, "", "no")], ANSWER: [TRAP]},
    ),
    "no local reply can be sent from a response's body": Rule(
        """response_body { input { content: "a" } }""",
        calls={ANSWER_BODY: [("trap if OK", *reply(403, "", "no"))]},
    ),
}

REPLIES = {
    "a local reply brings status, details, body and headers": Rule(
        """request_headers { input { header { key: "x" value: "1" } }
           result { immediate { http_status: 403 grpc_status: 7 details: "why not" } body { exact: "no" }
                    has_header { key: "X" value: "2" } } }""",
        calls={REQUEST: [reply(403, "why not", "no", 7, PAIRS)]},
    ),
    "what the reply is expected to be is compared, where it is said": Rule(
        """request_headers { result { immediate { http_status: 200 grpc_status: 0 details: "" } } }""",
        [
            "request_headers: http_status: expected 200, came 403",
            "request_headers: grpc_status: expected 0, came 4294967295",
            "request_headers: details: expected ``, came `why`",
        ],
        calls={REQUEST: [reply(403, "why", "no")]},
    ),
    "any reply will do where nothing is said": Rule(
        "request_headers { result { immediate {} } }", calls={REQUEST: [reply(403, "why", "no")]}
    ),
    "a reply that is not expected is wrong, though the callback go on": Rule(
        "request_headers {}",
        ["request_headers: immediate: expected none, the plugin replied 403"],
        calls={REQUEST: [reply(403, "why", "no")]},
    ),
    "a reply that is expected has to come": Rule(
        "request_headers { result { immediate { http_status: 403 } } }",
        ["request_headers: immediate: expected a local reply, the plugin sent none"],
    ),
    "pausing is no reply": Rule(
        """request_headers { result { immediate { http_status: 403 } } }""",
        ["request_headers: immediate: expected a local reply, the plugin sent none"],
        results={REQUEST: PAUSE},
    ),
    "pausing without a reply is wrong, and the test goes on": Rule(
        """request_headers {} response_headers { result { log { exact: "answered" } } }""",
        ["request_headers: expected to go on, the plugin answered PAUSE without a local reply"],
        calls={ANSWER: [say("answered")]},
        results={REQUEST: PAUSE},
    ),
    "to continue and end the stream is to go on": Rule("request_headers {}", results={REQUEST: 2}),
    "the plugin may go on changing the headers of its reply": Rule(
        """request_headers { input { header { key: "x" value: "1" } }
           result { immediate {} has_header { key: "late" value: "1" } no_header { key: "x" } } }""",
        calls={REQUEST: [reply(403, "", ""), ("proxy_add_header_map_value", 0, "late", "1")]},
    ),
    "after a reply no phase is played, and what is expected of it does not come": Rule(
        """request_headers { result { immediate {} } }
           request_body { input { content: "a" } result { body { exact: "a" } } }
           response_headers { input { header { key: "x" value: "1" } }
             result { has_header { key: "x" value: "1" } log { exact: "late" } } }""",
        [
            "request_body: body: expected `a`",
            "response_headers: header `x`: expected `1`, missing",
            "response_headers: log: expected one that is `late`",
        ],
        calls={REQUEST: [reply(403, "", "")], ANSWER: [say("late")], REQUEST_BODY: [TRAP]},
    ),
    "the last of several replies counts": Rule(
        """request_headers { result { immediate { http_status: 404 } body { exact: "2" } } }""",
        calls={REQUEST: [reply(403, "", "1"), reply(404, "", "2")]},
    ),
    "a reply for a stream is sent by whoever acts for it": Rule(
        "request_headers {}",
        calls={REQUEST: [("proxy_set_effective_context", 1), ("trap if OK", *reply(403, "", ""))]},
    ),
    "a response can be replied to": Rule(
        """response_headers { result { immediate { http_status: 500 } body { exact: "broken" } } }""",
        calls={ANSWER: [reply(500, "", "broken")]},
    ),
    "a root has nobody to reply to": Rule(
        "request_headers {}", calls={CONFIGURE: [("trap if OK", *reply(403, "", ""))]}
    ),
}

LOGS = {
    "one of the phase's lines has to be it": Rule(
        """request_headers { result { log { exact: "two" } log { regex: "t.o" } log { exact: "three" invert: true }
             log { exact: "tw" } log { regex: "o" } log { regex: ".*o" invert: true } } }""",
        [
            "request_headers: log: expected one that is `tw`",
            "request_headers: log: expected one that matches `o`",
            "request_headers: log: expected none that matches `.*o`",
        ],
        calls={REQUEST: [say("one"), say("two")]},
    ),
    "each phase has its own lines": Rule(
        """plugin_init { log { exact: "start" } log { exact: "configure" }
             log { exact: "done" invert: true } }
           stream_init { log { exact: "create" } log { exact: "start" invert: true } }
           request_headers { result { log { exact: "asked" } log { exact: "create" invert: true } } }
           stream_destroy { log { exact: "log" } log { exact: "done" } log { exact: "delete" }
             log { exact: "asked" invert: true } }""",
        calls={
            CREATE: [say("create")],
            VM_START: [say("start")],
            CONFIGURE: [say("configure")],
            REQUEST: [say("asked")],
            LOG: [say("log")],
            DONE: [say("done")],
            DELETE: [say("delete")],
        },
    ),
    "lines below info are not seen": Rule(
        """request_headers { result { log { exact: "quiet" invert: true } log { exact: "loud" } } }""",
        calls={REQUEST: [say("quiet", 1), say("loud", 2)]},
    ),
    "the file says how loud a line has to be": Rule(
        """request_headers { result { log { exact: "quiet" } log { exact: "loud" invert: true }
             log { exact: "\\004\\0\\0\\0" } } }""",
        ["request_headers: log: expected one that is `quiet`"],
        calls={
            REQUEST: [
                say("quiet", 2),
                say("loud", 3),
                ("proxy_get_log_level", OUT),
                ("proxy_log", 4, PLACES, 4),
            ]
        },
        env="env { log_level: ERROR }",
    ),
    "what a root says in a stream's callback is not the stream's": Rule(
        """request_headers { result { log { exact: "mine" } log { exact: "the root's" invert: true } } }""",
        calls={REQUEST: [say("mine"), ("proxy_set_effective_context", 1), say("the root's")]},
    ),
    "standard output is info and standard error is error": Rule(
        """request_headers { result { log { exact: "out" } } }""",
        calls={REQUEST: [("fd_write", 1, 4096, 1, OUT)]},
        data='(data (i32.const 4096) "\\08\\10\\00\\00\\03\\00\\00\\00out")',
    ),
}

LIFE = {
    "a configuration is there in every callback": Rule(
        """request_headers { result { log { exact: "configured" } } }""",
        calls={REQUEST: seen(7)},
        env='env { config_path: "config" }',
    ),
    "a stream has the properties of the test": Rule(
        """properties { path: "source.address" value: "10.0.0.1" } properties { path: "source.address" value: "2" }
           request_headers { result { log { exact: "10.0.0.1" } } } stream_destroy { log { exact: "10.0.0.1" } }""",
        calls={REQUEST: property_("source\0address"), LOG: property_("source\0address")},
    ),
    "a stream has no others": Rule(
        """request_headers { input { header { key: ":path" value: "/" } } }""",
        calls={REQUEST: [("trap if OK", *property_("request\0path")[0])]},
    ),
    "a root has the name of itself": Rule(
        """properties { path: "a" value: "1" } request_headers {}""",
        calls={
            CONFIGURE: [("trap if OK", *property_("a")[0]), *property_("plugin_root_id")],
        },
    ),
    "the time stands still": Rule(
        """request_headers { result { log { exact: "\\000\\312\\232\\073\\0\\0\\0\\0" }
             log { exact: "@B\\017\\0\\0\\0\\0\\0" invert: true } } }""",
        calls={REQUEST: [("proxy_get_current_time_nanoseconds", OUT), ("proxy_log", 2, PLACES, 8)]},
        env="env { time_secs: 1 }",
    ),
    "the time is a millisecond after the epoch": Rule(
        """request_headers { result { log { exact: "@B\\017\\0\\0\\0\\0\\0" } } }""",
        calls={REQUEST: [("proxy_get_current_time_nanoseconds", OUT), ("proxy_log", 2, PLACES, 8)]},
    ),
    "plugins of ABI 0.1.0 are not told of the end with headers": Rule(
        """request_headers { input { header { key: "x" value: "1" } } result { log { exact: "1" } immediate {} } }
           response_headers { input { header { key: "x" value: "1" } } }""",
        ["request_headers: immediate: expected a local reply, the plugin sent none"],
        calls={REQUEST: header(0, "x")},
        abi=Abi.V0_1_0,
    ),
    "a stream cannot be continued": Rule(
        "request_headers {}", calls={REQUEST: [("trap if OK", "proxy_continue_stream", 0)]}
    ),
    "headers are never the end of the stream": Rule(
        """request_headers { result { log { exact: "" } } } response_headers { result { log { exact: "" } } }""",
        calls={REQUEST: [END], ANSWER: [END]},
    ),
    "a plugin that does not start has failed": Rule(
        "request_headers { result { immediate {} } }",
        ["plugin_init: the plugin failed: guest: Failed to configure base Wasm plugin"],
        results={CONFIGURE: 0},
    ),
    "a trap ends the test": Rule(
        "request_headers {} response_headers { result { immediate {} } }",
        ["request_headers: the plugin failed: "],
        calls={REQUEST: [say("before"), TRAP]},
    ),
    "a trap at the end of a stream is one": Rule(
        "request_headers {}", ["stream_destroy: the plugin failed: "], calls={DELETE: [("from", 1), TRAP]}
    ),
    "a trap at the end of the plugin is one": Rule(
        "request_headers {}", ["plugin_destroy: the plugin failed: "], calls={DELETE: [("from", 2), TRAP]}
    ),
    "a test of nothing plays the stream's life": Rule(
        'stream_init { log { exact: "a" } }', ["stream_init: log: expected one that is `a`"]
    ),
}

RULES = {**HEADERS, **BODIES, **REPLIES, **LOGS, **LIFE}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rule(rule: Rule, tmp_path: Path) -> None:
    (tmp_path / "guest.wasm").write_bytes(
        scripted(rule.calls, rule.results, *filter(None, [rule.data]), abi=rule.abi)
    )
    (tmp_path / "config").write_text("configured")
    env = rule.env or "env {}"
    path = tmp_path / "tests.textpb"
    path.write_text(f'{env} test {{ name: "a rule" {rule.test} }}')
    (case,) = cases(path)
    bench = Bench(Options("wasmtime", str(tmp_path / "guest.wasm")))
    found = [miss.message for miss in case.play(bench)]
    bench.close()
    assert len(found) == len(rule.wrong), found
    for message, expected in zip(found, rule.wrong, strict=True):
        assert message.startswith(expected)
