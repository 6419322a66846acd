"""What happened, as a test that asserts it: a whole file, to be run by pytest as it is.

    @pytest.mark.simwasm("plugin.wasm")
    def test_get_is_answered_with_403(plugin: PluginUnderTest) -> None:
        result = plugin.replay("traffic.har")[1]
        assert result.response.status == 403

Of the exchange itself its status is asserted; of a row what it stands for. Rule: the test plays the run anew from the
files that it was read from, so it tells what a later build of the plugin does. What was answered in somebody's place
on the way is answered there again.
"""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.conversation import Conversation
from simwasm.debug.branch import Override
from simwasm.debug.export_facts import Fact, Place, row_fact
from simwasm.debug.export_place import Places
from simwasm.debug.export_recipe import marked, replayed
from simwasm.debug.export_source import Imports, call, equal, imported, literal, quoted
from simwasm.debug.export_subject import Subject, slug
from simwasm.debug.tape import Span
from simwasm.errors import InputError
from simwasm.exchange import Message
from simwasm.host.outcome import Outcome
from simwasm.trace.event import Entered
from simwasm.trace.rows import Row
from simwasm.trace.text import printable

_FILE = '''\
"""{title}."""

import pytest
{imports}


@{mark}
def {name}(plugin: PluginUnderTest) -> None:
{body}
'''
_PLUGIN = ("simwasm.testing", "PluginUnderTest")
_SIDES = {
    "request": ("upstream.request", "upstream received"),
    "response": ("response", "client received"),
}
_PSEUDO = {":status": "status", ":method": "method", ":path": "path", ":authority": "host"}


def pytest_file(subject: Subject) -> str:
    """A test that asserts what the row stands for, or how the exchange ended where there is none."""
    if subject.row is None:
        return test_file(subject, status_fact(subject))
    return _of_row(subject, subject.row)


def _of_row(subject: Subject, row: Row) -> str:
    """A test of a row, in the exchange that has it."""
    here, places = subject.exchange_span(), Places(subject.tape)
    owners = places.owners(row.position)
    if not owners:
        raise InputError("this happens for no exchange, so there is no result that has it: export the trace")
    number = here.index if here.index in owners else owners[0]
    fact = row_fact(Place(subject.tape, places, number, row))
    return test_file(subject, fact, subject.tape.spans[number])


def test_file(subject: Subject, fact: Fact, span: Span | None = None) -> str:
    """A test that asserts a fact of an exchange, or of the one that the subject has."""
    span = span or subject.exchange_span()
    imports: Imports = {_PLUGIN, *fact.imports}
    said = list(_said(subject, max(span.last, subject.row.position if subject.row else 0), imports))
    body = [
        *(line for line, _ in said),
        f"result = {replayed(subject)}[{span.index}]",
        *(check for _, check in said),
        *fact.lines,
    ]
    return _FILE.format(
        title=_quiet(f"{span.exchange.label}: {fact.title}"),
        imports="\n".join(imported(imports)),
        mark=marked(subject, imports),
        name=f"test_{slug(span.exchange.label)}_{fact.name}",
        body="\n".join(f"    {line}" for text in body for line in text.split("\n")),
    )


test_file.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test of its own


def status_fact(subject: Subject) -> Fact:
    """The status that the client received, or that the exchange was cut off."""
    outcome = subject.exchange_span().outcome
    if outcome is None:
        raise InputError("the exchange has not ended, so there is nothing to assert: go on first")
    if isinstance(outcome.exchange, Conversation):
        return _bytes_fact(outcome)
    if outcome.status is None:
        lines = ("assert result.answer is None", equal("result.reset", outcome.reset, set()))
        return Fact("is_reset", "the client got no answer", lines)
    status = outcome.status
    who = "result.local_reply is not None" if outcome.local_reply else "result.local_reply is None"
    lines = (f"assert result.response.status == {status}", f"assert {who}")
    return Fact(f"is_answered_with_{status}", f"the client receives {status}", lines)


def _bytes_fact(outcome: Outcome) -> Fact:
    """What the client of a TCP connection received."""
    received = b"" if outcome.response is None else outcome.response.data
    title = f"the client receives {len(received):,} bytes"
    lines = (equal("result.received", received, set()), equal("result.reset", outcome.reset, set()))
    return Fact(f"receives_{len(received)}_bytes", title, lines)


def header_fact(subject: Subject, side: str, header: str) -> Fact:
    """A header of what the upstream received (`request`) or of what the client did (`response`)."""
    outcome = subject.exchange_span().outcome
    message: Message | None = getattr(outcome, side) if side in _SIDES and outcome else None
    if message is None:
        raise InputError(f"there is no {side} to assert a header of; known are {', '.join(_SIDES)}")
    of, who = _SIDES[side]
    values = tuple(value for name, value in message.headers if name == header)
    told = f"is {', '.join(values)}" if values else "is missing"
    line = _header_line(f"result.{of}", header, values)
    return Fact(f"{side}_{slug(header)}", f"{header} in what the {who} {told}", (line,))


def _header_line(of: str, header: str, values: tuple[str, ...]) -> str:
    """That a header has these values."""
    if header in _PSEUDO and len(values) == 1:
        value = literal(int(values[0]) if header == ":status" else values[0], set())
        return f"assert {of}.{_PSEUDO[header]} == {value}"
    if header.startswith(":"):
        return equal(f"{of}.message.header({header!r})", values[0] if values else None, set())
    if not values:
        return f"assert {quoted(header)} not in {of}.headers"
    if len(values) == 1:
        return equal(f"{of}.headers[{quoted(header)}]", values[0], set())
    return equal(f"{of}.headers.all({quoted(header)})", values, set())


def _said(subject: Subject, last: int, imports: Imports) -> Iterator[tuple[str, str]]:
    """What was said in somebody's place up to a position, as the test says it again; and that it was asked for."""
    for position, override in sorted(subject.overrides.items()):
        if position > last:
            return
        name = subject.tape.entered(position).function.name
        before = sum(
            isinstance(event, Entered) and event.function.name == name
            for event in subject.tape.events[: position - 1]
        )
        nth = (f"nth={before}",) if before else ()
        line = call("plugin.instead", (quoted(name), *_answer(override, imports), *nth))
        yield line, f"assert plugin.trace.count({quoted(name)}) > {before}"


def _answer(override: Override, imports: Imports) -> tuple[str, ...]:
    """What was said: what a callback returns, or a status and what comes out."""
    if override.callback:
        return (literal(override.result, imports),)
    return tuple(literal(value, imports) for value in (override.status, *override.values))


def _quiet(text: str) -> str:
    """Text that may stand in a docstring."""
    return printable(text).replace("\\", "/").replace('"', "'").replace("\n", " ").replace("\t", " ")
