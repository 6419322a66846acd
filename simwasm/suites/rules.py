"""What texts, numbers, headers, bodies and log lines are expected to be, and how a miss is told.

Rules: what is written without a key is exact (`server: envoy`); the parts of a rule all have to hold; a rule that can
never hold is refused when it is read; what was expected and what came is told in one line where that is short enough,
otherwise in details.
"""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.abi.enums import LogLevel
from simwasm.exchange import to_bytes
from simwasm.plugin import read_bytes
from simwasm.suites.section import Of, Section, key
from simwasm.suites.shape import (
    FLAG,
    REGEX,
    TEXT,
    Anything,
    As,
    Choice,
    Either,
    Many,
    Named,
    OneOrMany,
    Scalar,
    Schema,
    Shape,
    Whole,
    wrong,
)
from simwasm.suites.tree import Node
from simwasm.trace.text import printable, value_text

_SHORT = 100
_MOST_LINES = 60


class Said(NamedTuple):
    """Why something is not as expected: in a line, and in more lines if that is not enough."""

    message: str
    details: str = ""


def differs(what: str, expected: str, found: str) -> Said:
    """Two texts that should be equal, side by side or one below the other."""
    if len(expected) <= _SHORT and len(found) <= _SHORT:
        return Said(f"{what}: expected {shown(expected)}, came {shown(found)}")
    lines = [*unified_diff(expected.splitlines(), found.splitlines(), "expected", "came", lineterm="", n=2)]
    more = [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    shown_lines = (line[:400] for line in (*lines[:_MOST_LINES], *more))
    return Said(f"{what}: is not what was expected", printable("\n".join(shown_lines)))


def shown(text: str) -> str:
    """A text in quotes, cut if it is long."""
    return value_text(text, _SHORT)


@dataclass(frozen=True)
class Word:
    """One word that stands for a value."""

    word: str
    value: Any

    @property
    def words(self) -> str:
        return f"`{self.word}`"

    def takes(self, node: Node) -> bool:
        return node.is_scalar and node.text == self.word

    def read(self, node: Node) -> Any:
        return self.value

    def schema(self) -> Schema:
        return {"const": self.word}


def path_of(text: str, node: Node) -> Path:
    """A path as it is meant: from the folder of the file that names it."""
    return Path(node.place.file).parent / text


def file_there(text: str, node: Node) -> Path:
    """A file that has to be there."""
    path = path_of(text, node)
    if not path.is_file():
        wrong(node, f"there is no file {path}; paths are seen from the folder of this file")
    return path


FILE: Shape[Path] = As(TEXT, file_there, "a file, seen from the suite's folder")


# Texts.


@dataclass(frozen=True)
class TextRule(Section):
    """What a text is."""

    is_: str | None = key(TEXT, "Exactly this.")
    contains: tuple[str, ...] = key(OneOrMany(TEXT), "Has this in it, or all of these.", default=())
    lacks: tuple[str, ...] = key(OneOrMany(TEXT), "Has this nowhere in it, nor any of these.", default=())
    matches: tuple[re.Pattern[str], ...] = key(
        OneOrMany(REGEX),
        "A regular expression finds something in it; `^` and `$` tie it to its ends.",
        default=(),
    )

    def check(self) -> None:
        """Refuse what cannot hold."""
        both = next((each for each in self.contains if any(no in each for no in self.lacks)), None)
        if both is not None:
            wrong(self.at("lacks"), f"can never hold: {shown(both)} has to be in it, and it must not")
        if self.is_ is not None:
            said = next(self._parts("it", self.is_), None)
            if said is not None:
                wrong(self.at(), f"can never hold: `is` is {shown(self.is_)}, but then {said.message}")

    def misses(self, what: str, found: str) -> Iterator[Said]:
        """What is not as expected of a text."""
        if self.is_ is not None and found != self.is_:
            yield differs(what, self.is_, found)
            return
        yield from self._parts(what, found)

    def _parts(self, what: str, found: str) -> Iterator[Said]:
        for text in self.contains:
            if text not in found:
                yield Said(f"{what}: {shown(text)} is not in {shown(found)}")
        for text in self.lacks:
            if text in found:
                yield Said(f"{what}: {shown(text)} is in {shown(found)}")
        for pattern in self.matches:
            if not pattern.search(found):
                yield Said(f"{what}: /{printable(pattern.pattern)}/ finds nothing in {shown(found)}")


TEXT_RULE: Shape[TextRule] = Either(
    (As(TEXT, lambda text, node: TextRule(is_=text, places={"": node.place})), Of(TextRule))
)
WORDS_RULE: Shape[TextRule] = Either(
    (
        As(
            TEXT,
            lambda text, node: TextRule(contains=(text,), places={"": node.place}),
            "a text that is in it",
        ),
        Of(TextRule),
    )
)


# Numbers.


@dataclass(frozen=True)
class NumberRule(Section):
    """What a number is."""

    is_: int | None = key(Whole(-(2**63)), "Exactly this.")
    at_least: int | None = key(Whole(-(2**63)), "This or more.")
    at_most: int | None = key(Whole(-(2**63)), "This or less.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        low = -(2**63) if self.at_least is None else self.at_least
        high = 2**63 if self.at_most is None else self.at_most
        if low > high or (self.is_ is not None and not low <= self.is_ <= high):
            wrong(self.at(), f"can never hold: no number is {self}")

    def __str__(self) -> str:
        parts = ("" if self.is_ is None else f"{self.is_:,}",
                 "" if self.at_least is None else f"{self.at_least:,} or more",
                 "" if self.at_most is None else f"{self.at_most:,} or less")  # fmt: skip
        return " and ".join(filter(None, parts))

    def misses(self, what: str, found: int) -> Iterator[Said]:
        """What is not as expected of a number."""
        low, high = self.at_least, self.at_most
        if (
            self.is_ not in (None, found)
            or (low is not None and found < low)
            or (high is not None and found > high)
        ):
            yield Said(f"{what}: expected {self}, came {found:,}")


_BOUND = re.compile(r"(<=|>=|<|>|=)?\s*([0-9][0-9_,]{0,25})")


def _bound(text: str) -> tuple[int | None, int | None, int | None]:
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{text[:40]}` is no number: write 3, or '< 50_000', '<= 3', '> 0', '>= 1'")
    number = int(re.sub("[_,]", "", match[2]))
    bounds = {
        "<": (None, None, number - 1), "<=": (None, None, number), ">": (None, number + 1, None),
        ">=": (None, number, None),
    }  # fmt: skip
    return bounds.get(match[1], (number, None, None))


def _number_rule(bounds: tuple[int | None, int | None, int | None], node: Node) -> NumberRule:
    is_, low, high = bounds
    return NumberRule(is_=is_, at_least=low, at_most=high, places={"": node.place})


NUMBER_RULE: Shape[NumberRule] = Either(
    (
        As(Scalar("a number, or a bound ('< 50_000')", _bound, ["integer", "string"],
                  (("pattern", r"^\s*(<=|>=|<|>|=)?\s*[0-9][0-9_,]*\s*$|^\$\{"),)), _number_rule),
        Of(NumberRule),
    )
)  # fmt: skip


# Headers.


@dataclass(frozen=True)
class HeaderRule(TextRule):
    """What a header is; several values of one name are joined by a comma."""

    values: tuple[str, ...] | None = key(
        OneOrMany(TEXT), "Its values, where it is there several times, in their order."
    )
    count: NumberRule | None = key(NUMBER_RULE, "How often it is there.")
    absent: bool | None = key(FLAG, "It is not there.")
    present: bool | None = key(FLAG, "It is there, with any value.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        super().check()
        no = self.absent is True or self.present is False
        others = [name for name in self.places if name not in ("", "absent", "present")]
        if no and (others or self.present is True or self.absent is False):
            also = others[0] if others else "present"
            wrong(
                self.at("absent"),
                f"can never hold: a header that is absent has no `{also}`; leave one of them out",
            )

    def header_misses(self, what: str, values: Sequence[str]) -> Iterator[Said]:
        """What is not as expected of the values of a header."""
        if self.absent is True or self.present is False:
            if values:
                yield Said(f"{what}: expected to be absent, came {shown(','.join(values))}")
            return
        if not values and self.count is None:
            yield Said(f"{what}: is not there{self._wanted()}")
            return
        if self.values is not None and tuple(values) != self.values:
            yield differs(what, ", ".join(self.values), ", ".join(values))
        if self.count is not None:
            yield from self.count.misses(f"{what}: how often", len(values))
        if values:
            yield from self.misses(what, ",".join(values))

    def _wanted(self) -> str:
        return "" if self.is_ is None else f", expected {shown(self.is_)}"


HEADER_RULE: Shape[HeaderRule] = Either(
    (
        As(TEXT, lambda text, node: HeaderRule(is_=text, places={"": node.place, "is": node.place})),
        As(Many(TEXT, 1), lambda texts, node: HeaderRule(values=texts, places={"": node.place, "values": node.place})),
        Of(HeaderRule),
    )
)  # fmt: skip


def header_name(text: str) -> str:
    """A header's name, as it is compared."""
    if not text.strip() or any(char in text for char in " \t\r\n"):
        raise ValueError(f"{shown(text)} is no name of a header")
    return text.lower()


HEADER_RULES = Named(HEADER_RULE, "HEADER", header_name)


# Bodies.


def _base64(text: str) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"`{text[:40]}` is not base64: {error}") from None


BASE64 = Scalar("bytes in base64", _base64, "string")


@dataclass(frozen=True)
class BodyRule(TextRule):
    """What a body is."""

    base64: bytes | None = key(BASE64, "Exactly these bytes.")
    file: Path | None = key(FILE, "Exactly the content of this file.")
    json: tuple[Any] | None = key(
        As(Anything(), lambda value, node: (value,)), "Read as JSON it is equal to this."
    )
    json_contains: tuple[Any] | None = key(
        As(Anything(), lambda value, node: (value,)),
        "Read as JSON it has this: of objects these members, of lists these elements in this order, at least.",
    )
    size: NumberRule | None = key(NUMBER_RULE, "How many bytes it has.")
    empty: bool | None = key(FLAG, "Whether it has none.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        super().check()
        exact = [name for name in ("is", "base64", "file", "json") if self.wrote(name)]
        if self.empty and exact:
            wrong(
                self.at("empty"), f"can never hold: an empty body has no `{exact[0]}`; leave one of them out"
            )
        if self.is_ is not None:
            said = next(self._bytes_misses("it", to_bytes(self.is_)), None)
            if said is not None:
                wrong(self.at(), f"can never hold: `is` is {shown(self.is_)}, but then {said.message}")

    def body_misses(self, what: str, body: bytes) -> Iterator[Said]:
        """What is not as expected of a body."""
        text = body.decode("utf-8", "surrogateescape")
        yield from self.misses(what, text)
        yield from self._bytes_misses(what, body)
        if self.file is not None:
            content = read_bytes(self.file)
            if content != body:
                yield differs(f"{what} ({self.file.name})", content.decode("utf-8", "surrogateescape"), text)

    def _bytes_misses(self, what: str, body: bytes) -> Iterator[Said]:
        if self.base64 is not None and body != self.base64:
            yield Said(f"{what}: expected {_hex(self.base64)}, came {_hex(body)}")
        if self.size is not None:
            yield from self.size.misses(f"{what}: its size", len(body))
        if self.empty is not None and self.empty is bool(body):
            yield Said(f"{what}: expected to be empty, came {shown(body.decode('utf-8', 'surrogateescape'))}"
                       if body else f"{what}: expected not to be empty")  # fmt: skip
        if self.json is not None or self.json_contains is not None:
            yield from self._json_misses(what, body)

    def _json_misses(self, what: str, body: bytes) -> Iterator[Said]:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            yield Said(f"{what}: is not JSON: {shown(body.decode('utf-8', 'backslashreplace'))}")
            return
        if self.json is not None and not equal(self.json[0], found):
            yield differs(what, _pretty(self.json[0]), _pretty(found))
        if self.json_contains is not None:
            yield from (Said(f"{what}: {said}") for said in lacking(self.json_contains[0], found))


BODY_RULE: Shape[BodyRule] = Either(
    (As(TEXT, lambda text, node: BodyRule(is_=text, places={"": node.place})), Of(BodyRule))
)


def _hex(data: bytes) -> str:
    return f"{data[:32].hex(' ')}{' …' if len(data) > 32 else ''} ({len(data):,} bytes)"


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def equal(expected: Any, found: Any) -> bool:
    """Whether two values are the same JSON: true is not 1."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            equal(each, found[name]) for name, each in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(equal, expected, found))
    return bool(expected == found)


def lacking(expected: Any, found: Any, where: str = "$") -> Iterator[str]:
    """What a JSON value does not have of another."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            if name not in found:
                yield f"{where}.{printable(name)} is not there"
            else:
                yield from lacking(value, found[name], f"{where}.{printable(name)}")
    elif isinstance(expected, list) and isinstance(found, list):
        left = iter(found)
        for number, value in enumerate(expected):
            if not any(not [*lacking(value, each)] for each in left):
                yield f"{where}[{number}]: {shown(_short(value))} is not there, or not in this order"
                return
    elif not equal(expected, found):
        yield f"{where}: expected {shown(_short(expected))}, came {shown(_short(found))}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# Log lines.

LEVELS = {level.name.lower(): level for level in LogLevel}
LEVEL = Choice(LEVELS)


@dataclass(frozen=True)
class LogRule(TextRule):
    """A log line that is expected."""

    level: LogLevel | None = key(LEVEL, "It has this level.")
    at_least: LogLevel | None = key(LEVEL, "It has this level, or a worse one.")
    count: NumberRule | None = key(NUMBER_RULE, "How many lines are like that; without it, one or more.")
    never: bool | None = key(FLAG, "No line is like that.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        super().check()
        if self.level is not None and self.at_least is not None and self.level < self.at_least:
            wrong(self.at("level"), "can never hold: the level is below `at_least`")
        if self.never and self.count is not None:
            wrong(self.at("never"), "can never hold with `count`: leave one of them out")

    def __str__(self) -> str:
        parts = [
            *([] if self.is_ is None else [f"is {shown(self.is_)}"]),
            *(f"has {shown(text)}" for text in self.contains),
            *(f"lacks {shown(text)}" for text in self.lacks),
            *(f"matches /{printable(each.pattern)}/" for each in self.matches),
            *([] if self.level is None else [f"has level {self.level.name.lower()}"]),
            *([] if self.at_least is None else [f"has level {self.at_least.name.lower()} or worse"]),
        ]
        return " and ".join(parts) or "is there"

    def fits(self, level: LogLevel, text: str, whole: str) -> bool:
        """Whether a line is like that: what the plugin wrote, or all that the proxy wrote."""
        if self.level not in (None, level) or (self.at_least is not None and level < self.at_least):
            return False
        return any(next(self.misses("", each), None) is None for each in (text, whole))


LOG_RULE: Shape[LogRule] = Either(
    (As(TEXT, lambda text, node: LogRule(contains=(text,), places={"": node.place})), Of(LogRule))
)
LOG_RULES: Shape[tuple[LogRule, ...]] = Either((Word("none", ()), OneOrMany(LOG_RULE)))
