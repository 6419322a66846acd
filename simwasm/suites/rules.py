"""What texts and numbers are expected to be, and how a miss is told.

Rules: what is written without a key is exact (`server: envoy`); the parts of a rule all have to hold; a rule that can
never hold is refused when it is read; what was expected and what came is told in one line where that is short enough,
otherwise in details.
"""

# `key` makes fields
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.config.tree import Node
from simwasm.errors import ConfigError
from simwasm.suites.patience import patiently
from simwasm.suites.section import Of, Section, key
from simwasm.suites.shape import (
    REGEX,
    TEXT,
    As,
    Either,
    OneOrMany,
    Scalar,
    Schema,
    Shape,
    Whole,
    wrong,
)
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


def module_there(text: str, node: Node) -> str:
    """A file or folder that has to be there, or an address."""
    path = path_of(text, node)
    if "://" in text or path.is_dir():
        return text if "://" in text else str(path)
    return str(file_there(text, node))


MODULE: Shape[str] = As(TEXT, module_there, "a file, seen from the suite's folder, or an address")


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
            if not self._finds(pattern, found):
                yield Said(f"{what}: /{printable(pattern.pattern)}/ finds nothing in {shown(found)}")

    def _finds(self, pattern: re.Pattern[str], found: str) -> bool:
        try:
            return patiently(pattern.search, found, printable(pattern.pattern))
        except ConfigError as error:
            wrong(self.at("matches"), str(error))


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
