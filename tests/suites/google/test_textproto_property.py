"""What protobuf's own printer writes is read as it was meant, and what its own reader refuses is refused."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.errors import ConfigError
from simwasm.exchange import to_bytes
from simwasm.suites.google.record import Record
from simwasm.suites.google.schema import ENUMS, MESSAGES, Field
from simwasm.suites.google.textproto import read_text

pytest.importorskip("google.protobuf")

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

_TYPES = {"string": 9, "bytes": 12, "bool": 8, "int32": 5, "int64": 3, "uint32": 13, "uint64": 4}
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXTS,
    "bytes": st.binary(max_size=12),
    "bool": st.booleans(),
    "int32": st.integers(-(1 << 31), (1 << 31) - 1),
    "int64": st.integers(-(1 << 63), (1 << 63) - 1),
    "uint32": st.integers(0, (1 << 32) - 1),
    "uint64": st.integers(0, (1 << 64) - 1),
    "LogLevel": st.integers(0, len(ENUMS["LogLevel"]) - 1),
}


def _suite_class() -> Any:
    """protobuf's own class for our table of messages."""
    file = descriptor_pb2.FileDescriptorProto(name="runner.proto", package="p", syntax="proto2")
    for name, values in ENUMS.items():
        made = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            made.value.add(name=value, number=number)
    for kind, fields in MESSAGES.items():
        message = file.message_type.add(name=kind)
        for number, (name, wanted) in enumerate(fields.items(), 1):
            field = message.field.add(name=name, number=number, label=3 if wanted.many else 1)
            if wanted.kind in _TYPES:
                field.type = cast(Any, _TYPES[wanted.kind])
            else:
                field.type = cast(Any, 11 if wanted.kind in MESSAGES else 14)
                field.type_name = f".p.{wanted.kind}"
            if wanted.one_of:
                if not message.oneof_decl:
                    message.oneof_decl.add(name=wanted.one_of)
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.TestSuite"))


SUITE = _suite_class()


def _plain(kind: str) -> st.SearchStrategy[Any]:
    """A message as a dictionary, or a value."""
    if kind not in MESSAGES:
        return _VALUES[kind]
    fields = MESSAGES[kind]
    each = {name: _field(wanted) for name, wanted in fields.items()}
    return st.fixed_dictionaries({}, optional=each).map(lambda found: _one_of_each(fields, found))


def _field(wanted: Field) -> st.SearchStrategy[Any]:
    value = st.deferred(lambda: _plain(wanted.kind))
    return st.lists(value, max_size=2) if wanted.many else value


def _one_of_each(fields: Any, found: dict[str, Any]) -> dict[str, Any]:
    seen: set[str] = set()
    return {
        name: value
        for name, value in found.items()
        if not (fields[name].one_of and (fields[name].one_of in seen or seen.add(fields[name].one_of)))  # type: ignore[func-returns-value]  # it is None
    }


def _message(value: dict[str, Any], message: Any) -> Any:
    message.SetInParent()
    for name, each in value.items():
        if isinstance(each, dict):
            _message(each, getattr(message, name))
        elif isinstance(each, list):
            for one in each:
                _message(one, getattr(message, name).add())
        else:
            setattr(message, name, each)
    return message


def _record(record: Record) -> dict[str, Any]:
    """A record as a dictionary."""
    made: dict[str, Any] = {}
    for name, entries in record.fields.items():
        wanted = MESSAGES[record.kind][name]
        values = [
            _record(value) if isinstance(value, Record)
            else to_bytes(value) if wanted.kind == "bytes" and isinstance(value, str) else value
            for value, _ in entries
        ]  # fmt: skip
        made[name] = values if wanted.many else values[0]
    return made


def _without_empty_lists(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [_without_empty_lists(each) for each in found] if isinstance(found, list)
        else _without_empty_lists(found) if isinstance(found, dict) else found
        for name, found in value.items()
        if found != []
    }  # fmt: skip


@settings(max_examples=20)
@given(_plain("TestSuite"), st.booleans(), st.booleans(), st.booleans())
def test_what_protobuf_prints_is_read_as_it_was_meant(
    value: dict[str, Any], as_utf8: bool, one_line: bool, pointed: bool
) -> None:
    text = text_format.MessageToString(
        _message(value, SUITE()), as_utf8=as_utf8, as_one_line=one_line, pointy_brackets=pointed
    )
    assert _record(read_text(text, "")) == _without_empty_lists(value)


_WORDS = st.sampled_from(
    ["test", "env", "name", "log", "result", "request_headers", "{", "}", "<", ">", "[", "]", ":", ",", ";", '"a"', "'",
     "5", "true", "-", "body", "exact", "# c\n", "\n", "\\", "WARN", "0x", "1.5", "immediate"]
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(_WORDS, max_size=12).map(" ".join))
def test_what_is_read_is_read_by_protobuf_too_and_alike(text: str) -> None:
    try:
        found = _record(read_text(text, ""))
    except ConfigError:
        return
    message = text_format.Parse(text, SUITE())
    again = read_text(text_format.MessageToString(message), "")
    assert _record(again) == _without_empty_lists(found)


@settings(max_examples=60)
@given(st.text(st.sampled_from("abtes{}<>[]:,;\"'\\x07#\n -_ä\x00"), max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_text(text, "x")
    except ConfigError as error:
        assert str(error).startswith("x:")
