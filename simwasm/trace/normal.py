"""The lines of a trace without what makes no difference, many of them at once and without reading them.

    {"at": 5, "context": 7, "call": "proxy_on_log", "args": {"context_id": 7}, "result": null, "took_ns": 12}
    "call": "proxy_on_log", "args": {"context_id": 0}, "result": null}

Left out are times, contexts and what else the host counts, where the guest's allocator puts things, reasons, and what
calls took. Rules: lines whose normal texts are equal are equal rows; that holds for the writer's own spelling
(`lines.py`) alone. A quotation mark inside of JSON's text has a backslash before it, so a plugin cannot write any of
what is looked for here. Each pattern begins with what is rare, which is how a pattern is fast.
"""

from __future__ import annotations

import re

_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_CALLBACKS = re.compile(rb'\{"at": \d+, (?:"plugin": ' + _TEXT + rb', )?"context": \d+, ')
_CALLS = re.compile(rb'\{"context": \d+, ')
_CHAINED = re.compile(rb'\{"plugin": ' + _TEXT + rb', "context": \d+, ')
_CONTEXTS = re.compile(rb'context_id": \d+')
_CALLOUTS = re.compile(rb'"call_id": \d+')
_ADDRESSES = re.compile(
    rb'("call": "(?:malloc|proxy_on_memory_allocate)", "args": \{"size": \d+\}, "result": )[1-9]\d*'
)
_REASONS = re.compile(rb', "reason": ' + _TEXT + rb"(?=[,}])")
_COSTS = re.compile(rb', "(?:took_ns|instructions)": \d+')
_OUTCOMES = re.compile(rb'\{"outcome": \{.*\n')
_NUMBER = re.compile(rb'\{"outcome": \{"exchange": ' + _TEXT)


def normal(lines: bytes) -> bytes:
    """Whole lines of calls, normal; lines with outcomes are left out."""
    if b'{"outcome": {' in lines:
        lines = _OUTCOMES.sub(b"", lines)
    if b'{"plugin": ' in lines:
        lines = _CHAINED.sub(b"", lines)
    lines = _CONTEXTS.sub(b'context_id": 0', _CALLS.sub(b"", _CALLBACKS.sub(b"", lines)))
    if b'"call_id": ' in lines:
        lines = _CALLOUTS.sub(b'"call_id": 0', lines)
    if b'"malloc"' in lines or b'"proxy_on_memory_allocate"' in lines:
        parts = _ADDRESSES.split(lines)  # several times as fast as a replacement with a group in it
        parts[1::2] = [allocated + b"1" for allocated in parts[1::2]]
        lines = b"".join(parts)
    if b', "reason": ' in lines:
        lines = _REASONS.sub(b"", lines)
    if b', "instructions": ' in lines or b', "took_ns": ' in lines:
        lines = _COSTS.sub(b"", lines)
    return lines


def normal_outcome(line: bytes) -> bytes:
    """A line with an outcome, without the number of its exchange and what that cost."""
    line = _NUMBER.sub(b"", line, 1)
    return _COSTS.sub(b"", line) if b', "instructions": ' in line or b', "took_ns": ' in line else line
