"""Whether a phase came out as a test expects it to: the rules of Google's plugin tester, in its order.

Rules:

- a header is found by its name without regard to case; its value has to be equal, the values of one name being joined;
- `headers` are looked for among lines `name: value`, `body` in the one whole body, `log` among the phase's lines;
- a regex has to match the whole of a text;
- Pause without a local reply is a failure, and so is a local reply that is not expected, or none that is;
- a body phase has no headers, and what it gives back and a local reply in it are not looked at: none can be expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from simwasm.abi.enums import HeadersAction
from simwasm.config.tree import LARGEST, Place
from simwasm.errors import ConfigError, InputError
from simwasm.exchange import to_text
from simwasm.plugin import read_bytes
from simwasm.suites.google.headers import CaselessMap
from simwasm.suites.google.host import Reply
from simwasm.suites.google.regex import compiled
from simwasm.suites.google.stage import Result
from simwasm.suites.google.suite import Expectation, Immediate, Matcher, Wanted
from simwasm.suites.shape import wrong
from simwasm.trace.text import printable

_MOST_SHOWN, _LONGEST_SHOWN = 20, 400
_NEVER = (
    "this can never hold, since that tester sees neither headers nor a local reply in a body phase; expect it of a "
    "headers phase, or in a suite of simwasm's own"
)


class Failure(NamedTuple):
    """Something that is not as it was expected."""

    message: str
    place: Place
    details: str = ""


def judge_headers(phase: str, expected: Expectation, found: Result) -> Iterator[Failure]:
    """What of a headers phase is wrong."""
    yield from _headers(phase, expected, found)
    yield from _matchers(
        phase, "headers", expected.headers, [f"{key}: {value}" for key, value in found.headers]
    )
    yield from _matchers(phase, "body", expected.body, [to_text(found.body)])
    yield from _steering(phase, expected, found)
    yield from judge_logs(phase, expected, found.logs)


def judge_body(phase: str, expected: Expectation, found: Result) -> Iterator[Failure]:
    """What of a body phase is wrong, which has a body and logs only."""
    never = [expected.immediate] if expected.immediate is not None else expected.has_header[:1]
    for each in never:
        field = "has_header" if isinstance(each, Wanted) else "immediate"
        yield Failure(f"{phase}: {field}: {_NEVER}", each.place)
        return
    yield from judge_headers(phase, expected, found)


def judge_logs(phase: str, expected: Expectation, logs: Sequence[str]) -> Iterator[Failure]:
    """What of the lines that were logged is wrong, which is all that is looked at where streams begin and end."""
    yield from _matchers(phase, "log", expected.log, logs)


def _headers(phase: str, expected: Expectation, found: Result) -> Iterator[Failure]:
    known = CaselessMap(found.headers)
    for key, value, place in expected.has_header:
        came = known.get(key)
        if came is None:
            there = ", ".join(name for name, _ in found.headers) or "none at all"
            yield Failure(f"{phase}: header `{_short(key)}`: expected `{_short(value)}`, missing", place,
                          f"headers there: {_short(there)}")  # fmt: skip
        elif came != value:
            yield Failure(
                f"{phase}: header `{_short(key)}`: expected `{_short(value)}`, came `{_short(came)}`", place
            )
    for key, _, place in expected.no_header:
        came = known.get(key)
        if came is not None:
            yield Failure(f"{phase}: header `{_short(key)}`: expected none, came `{_short(came)}`", place)


def _steering(phase: str, expected: Expectation, found: Result) -> Iterator[Failure]:
    wanted, reply = expected.immediate, found.reply
    status = reply.status if reply is not None else 0
    if wanted is None:
        if status:
            yield Failure(f"{phase}: immediate: expected none, the plugin replied {status}", expected.place)
        elif not found.goes_on:
            yield Failure(
                f"{phase}: expected to go on, the plugin answered {_action(found.action)} without a local reply",
                expected.place,
            )
        return
    if not status:
        yield Failure(f"{phase}: immediate: expected a local reply, the plugin sent none", wanted.place)
    elif reply is not None:
        yield from _reply(phase, wanted, reply)


def _reply(phase: str, wanted: Immediate, reply: Reply) -> Iterator[Failure]:
    for field, expected, came in (
        ("http_status", wanted.http_status, reply.status),
        ("grpc_status", wanted.grpc_status, reply.grpc_status),
        ("details", wanted.details, reply.details),
    ):
        if expected is not None and expected != came:
            yield Failure(f"{phase}: {field}: expected {_value(expected)}, came {_value(came)}", wanted.place)


def _matchers(phase: str, what: str, expected: Sequence[Matcher], texts: Sequence[str]) -> Iterator[Failure]:
    for matcher in expected:
        is_match = matching(matcher)
        if any(map(is_match, texts)) is not matcher.invert:
            continue
        sort = "matches" if matcher.kind == "regex" else "is"
        which = f"{phase}: {what}: expected {'none' if matcher.invert else 'one'} that {sort}"
        if what == "body":
            which = f"{phase}: body: expected {'not ' if matcher.invert else ''}{'' if sort == 'is' else 'to match'}"
        yield Failure(f"{which.rstrip()} `{_short(matcher.text)}`", matcher.place, _came(what, texts))


def matching(matcher: Matcher) -> Callable[[str], bool]:
    """Whether a text is what a matcher wants; one that can match nothing is an error."""
    if matcher.kind == "regex":
        try:
            return compiled(matcher.text)
        except ConfigError as error:
            wrong(matcher.place, str(error))
    text = beside(matcher.text, matcher.place) if matcher.kind == "file" else matcher.text
    return lambda found: found == text


def beside(name: str, place: Place) -> str:
    """The contents of a file that a test names; its path starts at the test's folder."""
    try:
        data = read_bytes(Path(place.file).parent / name)
    except (InputError, ValueError) as error:
        wrong(place, printable(str(error)))
    if len(data) > LARGEST:
        wrong(place, f"{name}: is larger than {LARGEST >> 20} MiB")
    return to_text(data)


def _action(action: int) -> str:
    return next((member.name for member in HeadersAction if member == action), str(action))


def _value(value: int | str) -> str:
    return f"`{_short(value)}`" if isinstance(value, str) else str(value)


def _came(what: str, texts: Sequence[str]) -> str:
    shown = [f"  {_short(text, _LONGEST_SHOWN)}" for text in texts[:_MOST_SHOWN]]
    if len(texts) > _MOST_SHOWN:
        shown.append(f"  … and {len(texts) - _MOST_SHOWN:,} more")
    return "\n".join([f"{what}:", *shown]) if shown else f"{what}: none"


def _short(text: str, longest: int = 120) -> str:
    """A text in one line."""
    text = text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"
    return printable(text).replace("\n", "\\n")
