"""What happened, as a test that asserts it: a whole file, to be run by pytest as it is.

Of the exchange itself its status is asserted; of a row what it stands for: that a callback was called so, what it
returned, that it trapped, that a host call was made with these arguments and answered like this. Rule: the test
plays the run anew from the files that it was read from, so it tells what a later build of the plugin does. What was
answered in somebody's place on the way is answered there again.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from simwasm.debug.branch import Override
from simwasm.debug.export_recipe import recipe_source
from simwasm.debug.export_subject import Subject, slug
from simwasm.debug.tape import Tape
from simwasm.errors import InputError
from simwasm.exchange import Message
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import printable

_FILE = '''\
"""{title}."""

from __future__ import annotations

from pathlib import Path

{imports}

HERE = Path(__file__).parent
RECIPE = {recipe}
EXCHANGE = {number}
"""{label}"""
{instead}

def {name}() -> None:
    seen = play(RECIPE, EXCHANGE{given})
{body}
'''
_PLAY = ("simwasm.debug.play", "play")
_RECIPE = ("simwasm.recipe", "Recipe")
_INSTEAD = {("simwasm.debug.play", "Instead"), ("simwasm.debug.branch", "Override")}
_SIDES = {"request": "upstream received", "response": "client received"}

Imports = set[tuple[str, str]]


class Fact(NamedTuple):
    """Something that a test can assert."""

    name: str
    """What the test is called, behind `test_`."""
    title: str
    lines: tuple[str, ...]
    imports: tuple[tuple[str, str], ...] = ()


def pytest_file(subject: Subject) -> str:
    """A test that asserts what the row stands for, or how the exchange ended where there is none."""
    return test_file(subject, status_fact(subject) if subject.row is None else row_fact(subject, subject.row))


def test_file(subject: Subject, fact: Fact) -> str:
    """A test that asserts a fact."""
    span = subject.exchange_span()
    label = _quiet(span.exchange.label)
    imports: Imports = {_PLAY, _RECIPE, *fact.imports}
    instead = _overrides(subject, span.last, imports)
    return _FILE.format(
        title=_quiet(f"{span.exchange.label}: {fact.title}"),
        imports="\n".join(_imports(imports)),
        recipe=recipe_source(subject),
        number=span.index,
        label=label,
        instead=instead,
        given=", OVERRIDES" if instead else "",
        name=f"test_{slug(span.exchange.label)}_{fact.name}",
        body="\n".join(f"    {line}" for line in fact.lines),
    )


test_file.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test of its own


def status_fact(subject: Subject) -> Fact:
    """The status that the client received, or that the exchange was cut off."""
    outcome = subject.exchange_span().outcome
    if outcome is None:
        raise InputError("the exchange has not ended, so there is nothing to assert: go on first")
    if outcome.status is None:
        return Fact("is_reset", "the client got no answer", ("assert seen.outcome.response is None",))
    status = outcome.status
    title = f"the client receives {status}"
    lines = (
        f"assert seen.outcome.status == {status}",
        f"assert seen.outcome.local_reply is {outcome.local_reply}",
    )
    return Fact(f"is_answered_with_{status}", title, lines)


def header_fact(subject: Subject, side: str, header: str) -> Fact:
    """A header of what the upstream received (`request`) or of what the client did (`response`)."""
    outcome = subject.exchange_span().outcome
    message: Message | None = getattr(outcome, side) if side in _SIDES and outcome else None
    if message is None:
        raise InputError(f"there is no {side} to assert a header of; known are {', '.join(_SIDES)}")
    value = message.header(header)
    told = "is missing" if value is None else f"is {value}"
    test = "is None" if value is None else f"== {value!r}"
    lines = (
        f"assert seen.outcome.{side} is not None",
        f"assert seen.outcome.{side}.header({header!r}) {test}",
    )
    return Fact(f"{side}_{slug(header)}", f"{header} in what the {_SIDES[side]} {told}", lines)


def row_fact(subject: Subject, row: Row) -> Fact:
    """What a row stands for."""
    imports: Imports = set()
    name, lines = row.entered.function.name, [*_FACTS[row.kind](subject, row, imports)]
    what = {Kind.RETURN: "returns", Kind.TRAP: "traps"}.get(row.kind, "is called")
    return Fact(f"{slug(name)}_{slug(what)}", f"{name} {what}", tuple(lines), tuple(sorted(imports)))


def _called(subject: Subject, row: Row, imports: Imports) -> Iterator[str]:
    """A callback with its arguments, in its place among those of its name."""
    yield from _nth(subject, row)
    yield f"assert call.args == {literal(row.entered.args, imports)}"


def _returned(subject: Subject, row: Row, imports: Imports) -> Iterator[str]:
    assert isinstance(row.ended, Left)
    yield from _nth(subject, row)
    yield _equal("call.result", row.ended.result, imports)


def _trapped(subject: Subject, row: Row, imports: Imports) -> Iterator[str]:
    assert isinstance(row.ended, Trapped)
    yield from _nth(subject, row)
    imports.add(("simwasm.errors", "TrapKind"))
    yield "assert call.trap is not None"
    yield f"assert call.trap.kind is TrapKind.{row.ended.trap.kind.name}"


def _made(subject: Subject, row: Row, imports: Imports) -> Iterator[str]:
    """A host call with these arguments, wherever it is, and what it was answered."""
    name, ended = row.entered.function.name, row.ended
    yield f"args = {literal(row.entered.args, imports)}"
    yield f"made = [call for call in seen.calls({name!r}) if call.args == args]"
    yield 'assert made, "it is not called with these arguments"'
    if isinstance(ended, Left):
        place = _place(subject, row, same_args=True)
        yield _equal(f"made[{place}].result", ended.result, imports)
        if ended.values:
            yield f"assert made[{place}].values == {literal(ended.values, imports)}"


_FACTS = {Kind.CALLBACK: _called, Kind.HOST_CALL: _made, Kind.RETURN: _returned, Kind.TRAP: _trapped}


def _nth(subject: Subject, row: Row) -> Iterator[str]:
    yield f"call = seen.calls({row.entered.function.name!r})[{_place(subject, row)}]"


def _place(subject: Subject, row: Row, *, same_args: bool = False) -> int:
    """How many calls of the same function come before this one in what a test will see of the exchange."""
    exchange = 0 if subject.inputs.together else subject.exchange_span().index
    begin = _begin(subject.tape, exchange)
    return _before(subject.tape, begin, row.entered, same_args=same_args)


def _before(tape: Tape, begin: int, entered: Entered, *, same_args: bool = False) -> int:
    """How many calls of the same function begin after a position and before this one."""
    return sum(
        isinstance(event, Entered)
        and event.function.name == entered.function.name
        and (not same_args or event.args == entered.args)
        for event in tape.events[begin : entered.seq - 1]
    )


def _begin(tape: Tape, exchange: int) -> int:
    """The position after which a test sees events: where the exchange before has ended, or the start-up."""
    return tape.spans[exchange - 1].last if exchange else tape.spans[0].first - 1


def _overrides(subject: Subject, last: int, imports: Imports) -> str:
    """What was said in somebody's place up to the end of the exchange, as the test says it again."""
    lines = [
        f"    {_instead(subject, position, override, imports)},\n"
        for position, override in sorted(subject.overrides.items())
        if position <= last
    ]
    if not lines:
        return ""
    imports |= _INSTEAD
    return f"OVERRIDES = (\n{''.join(lines)})\n"


def _instead(subject: Subject, position: int, override: Override, imports: Imports) -> str:
    """One of them; its call is told by its exchange, its name, and how many of that name come before."""
    tape, entered = subject.tape, subject.tape.entered(position)
    exchange = -1
    for span in tape.spans:
        if position > _begin(tape, span.index):
            exchange = 0 if subject.inputs.together else span.index
    begin = _begin(tape, exchange) if exchange >= 0 else 0
    if override.callback:
        said = f"result={literal(override.result, imports)}, callback=True"
    else:
        said = f"{literal(override.status, imports)}, {literal(override.values, imports)}"
    return (
        f"Instead({exchange}, {entered.function.name!r}, {_before(tape, begin, entered)}, Override({said}))"
    )


def _equal(what: str, value: Any, imports: Imports) -> str:
    is_name = value is None or isinstance(value, (bool, IntEnum))
    return f"assert {what} {'is' if is_name else '=='} {literal(value, imports)}"


def literal(value: Any, imports: Imports) -> str:
    """A value as Python; names that it needs are added to the imports."""
    if isinstance(value, IntEnum):
        imports.add((type(value).__module__, type(value).__name__))
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        items = [literal(item, imports) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return repr(value)


def _imports(wanted: Imports) -> Iterator[str]:
    for module in sorted({module for module, _ in wanted}):
        names = sorted(name for other, name in wanted if other == module)
        yield f"from {module} import {', '.join(names)}"


def _quiet(text: str) -> str:
    """Text that may stand in a docstring."""
    return printable(text).replace("\\", "/").replace('"', "'").replace("\n", " ").replace("\t", " ")
