"""The messages of a test file, as tables: which fields there are, of what kind, and under which earlier names.

Facts of Google's service-extensions plugin tester (`plugins/test/runner.proto`). Whoever reads a form of the file asks
here, so that both forms have the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """A field: its kind is a message's name, or one of `SCALARS` or `ENUMS`."""

    kind: str
    many: bool = False
    one_of: str = ""
    """Of the fields with the same name here a message has one at most."""


ENUMS = {"LogLevel": ("UNDEFINED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")}
RANGES = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "uint32": (0, (1 << 32) - 1),
    "uint64": (0, (1 << 64) - 1),
}

_HEADERS, _MATCHERS = Field("Header", many=True), Field("StringMatcher", many=True)
MESSAGES: Mapping[str, Mapping[str, Field]] = {
    "TestSuite": {"env": Field("Env"), "test": Field("Test", many=True)},
    "Env": {
        "test_path": Field("string"),
        "wasm_path": Field("string"),
        "config_path": Field("string"),
        "log_level": Field("LogLevel"),
        "log_path": Field("string"),
        "time_secs": Field("uint64"),
        "num_additional_streams": Field("uint64"),
        "additional_stream_advance_rate": Field("uint64"),
    },
    "Test": {
        "name": Field("string"),
        "benchmark": Field("bool"),
        "num_chunks": Field("int32", one_of="body_chunking_plan"),
        "chunk_size": Field("int64", one_of="body_chunking_plan"),
        "properties": Field("Property", many=True),
        "request_headers": Field("Invocation"),
        "request_body": Field("Invocation", many=True),
        "response_headers": Field("Invocation"),
        "response_body": Field("Invocation", many=True),
        "plugin_init": Field("Expectation"),
        "stream_init": Field("Expectation"),
        "stream_destroy": Field("Expectation"),
    },
    "Property": {"path": Field("string"), "value": Field("bytes")},
    "Invocation": {"input": Field("Input"), "result": Field("Expectation")},
    "Input": {"header": _HEADERS, "content": Field("bytes"), "file": Field("string")},
    "Header": {"key": Field("string"), "value": Field("bytes")},
    "Expectation": {
        "has_header": _HEADERS,
        "no_header": _HEADERS,
        "headers": _MATCHERS,
        "body": _MATCHERS,
        "immediate": Field("Immediate"),
        "log": _MATCHERS,
    },
    "Immediate": {
        "http_status": Field("uint32"),
        "grpc_status": Field("uint32"),
        "details": Field("string"),
    },
    "StringMatcher": {
        "invert": Field("bool"),
        "exact": Field("bytes", one_of="matcher"),
        "regex": Field("string", one_of="matcher"),
        "file": Field("string", one_of="matcher"),
    },
}
EARLIER = {("TestSuite", "runtime"): "env", ("Env", "min_log_level"): "log_level"}
"""What fields were called in the first files of this kind."""
EARLIER_IN_YAML = {("TestSuite", "tests"): "test", ("Input", "headers"): "header"}
"""What the first reader of YAML called them."""
