"""What can be taken out of the debugger, and how: one table of formats.

    text = export("curl", Subject(inputs, tape, span))

Rule: an export is text in UTF-8, for a file or the clipboard; what cannot be exported is an `InputError`.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

from simwasm.conversation import Conversation
from simwasm.debug.export_curl import curl
from simwasm.debug.export_har import har, har_seen
from simwasm.debug.export_pytest import pytest_file
from simwasm.debug.export_recipe import case
from simwasm.debug.export_subject import Subject, slug
from simwasm.debug.export_trace import trace, trace_exchange
from simwasm.errors import InputError
from simwasm.traffic import jsonl


class Format(NamedTuple):
    """One row of the table."""

    name: str
    title: str
    suffix: str
    """What a file's name ends with."""
    make: Callable[[Subject], str]


def traffic(subject: Subject) -> str:
    """The exchange in simwasm's own format, which loses nothing."""
    stream = BytesIO()
    jsonl.write([subject.exchange()], stream)
    return stream.getvalue().decode()


FORMATS = (
    Format("curl", "the request as a curl command", ".sh", curl),
    Format("har", "the exchange as it was recorded, as HAR", ".har", har),
    Format("har-seen", "the exchange as the client saw it, as HAR", ".har", har_seen),
    Format("traffic", "the exchange as simwasm's own JSON Lines", ".jsonl", traffic),
    Format("trace", "the whole run as a trace", ".trace.jsonl", trace),
    Format("trace-exchange", "the exchange as a trace", ".trace.jsonl", trace_exchange),
    Format("test", "what happened here as a pytest test", ".py", pytest_file),
    Format("case", "the entry for a suite's cases.json", ".json", case),
)


_OF_HTTP = ("curl", "har", "har-seen", "case")
_OF_ALL = tuple(each.name for each in FORMATS if each.name not in _OF_HTTP)


def export(name: str, subject: Subject) -> str:
    """Write a subject in the format of that name."""
    format = format_of(name)
    if name in _OF_HTTP and subject.span is not None and isinstance(subject.exchange(), Conversation):
        raise InputError(f"a TCP connection cannot be written as {name}; there are {', '.join(_OF_ALL)}")
    return format.make(subject)


def format_of(name: str) -> Format:
    """The format of that name."""
    for each in FORMATS:
        if each.name == name:
            return each
    raise InputError(
        f"there is no export called {name}; there are {', '.join(each.name for each in FORMATS)}"
    )


def file_name(name: str, subject: Subject) -> str:
    """A name for the file of an export."""
    span = subject.span
    about = slug(span.exchange.label) if span is not None and name != "trace" else "run"
    return f"{'test_' if name == 'test' else ''}{about}{format_of(name).suffix}"
