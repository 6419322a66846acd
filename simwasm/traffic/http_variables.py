"""Variables of editors' request files: `@host = …`, `{{host}}`, and those that editors make up, like `{{$uuid}}`.

Rules that live here: a variable is known behind its definition; what is made up is the same in every run, its clock
stands at 1970 as the replay's does; what only an editor knows (environments, other requests' responses, prompts) is a
`Wrong` that says so.
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from simwasm.traffic.request_text import Wrong, shortened

_USE = re.compile(r"\{\{([^{}]*)\}\}")
_LONGEST = 1 << 20
_MOST_RANDOM = 100_000
_MOST_VARIABLES = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_CALL = re.compile(r"random\.(\w+)(?:\(\s*([-\d.]*)\s*(?:,\s*([-\d.]+)\s*)?\))?")
_LETTERS = {
    "alphabetic": string.ascii_letters,
    "alphanumeric": string.ascii_letters + string.digits + "_",
    "hexadecimal": "0123456789abcdef",
}


class Variables:
    """What the variables of one file are, as far as it has been read."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._random = random.Random(0)

    def define(self, name: str, text: str) -> None:
        """Give a variable its value."""
        if len(self._values) >= _MOST_VARIABLES and name not in self._values:
            raise Wrong(f"there are more than {_MOST_VARIABLES:,} variables")
        self._values[name] = self.expand(text)

    def expand(self, text: str) -> str:
        """The text with its variables replaced."""
        if "{{" not in text:
            return text
        parts: list[str] = []
        length = at = 0
        for found in _USE.finditer(text):
            parts += [text[at : found.start()], self._value(found[1].strip(), found.start() + 1)]
            length += len(parts[-1])
            if length > _LONGEST:
                raise Wrong(f"its variables make a text of more than {_LONGEST:,} characters")
            at = found.end()
        return "".join([*parts, text[at:]])

    def _value(self, name: str, column: int) -> str:
        if name.startswith("$"):
            return self._made(name, column)
        if name in self._values:
            return self._values[name]
        if re.search(r"\.(request|response)\.", name):
            why = "is from another request's response, which is not known here: write its value"
        else:
            why = "is not defined above; environments of editors are not read: write `@name = value`"
        raise Wrong(f"`{{{{{shortened(name)}}}}}` at column {column} {why}")

    def _made(self, name: str, column: int) -> str:
        word, *more = name[1:].split() or [""]
        made = _MADE.get(word)
        wrong = Wrong(
            f"`{{{{{shortened(name)}}}}}` at column {column} is not known here (known: "
            f"{', '.join(f'${known}' for known in _MADE)}, $random.…): write its value"
        )
        try:
            if made is not None:
                return made(self._random, more)
            call = _CALL.fullmatch(name[1:])
            if call is None:
                raise wrong
            return _called(self._random, call[1], call[2] or "", call[3] or "")
        except (ValueError, OverflowError, IndexError, KeyError):
            raise wrong from None


def _uuid(chance: random.Random, more: list[str]) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _random_int(chance: random.Random, more: list[str]) -> str:
    low, high = (int(more[0]), int(more[1])) if more else (0, 1000)
    return str(chance.randrange(low, high))


def _moment(more: list[str]) -> datetime:
    if not more:
        return _EPOCH
    number, unit = more[0], more[1]
    if unit in ("M", "y"):
        return _EPOCH + timedelta(days=int(number) * (30 if unit == "M" else 365))
    return _EPOCH + timedelta(milliseconds=int(number) * _UNITS[unit])


def _timestamp(chance: random.Random, more: list[str]) -> str:
    return str((_moment(more) - _EPOCH) // timedelta(seconds=1))


def _iso(chance: random.Random, more: list[str]) -> str:
    return _moment(more).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _datetime(chance: random.Random, more: list[str]) -> str:
    form = {"rfc1123": lambda at: format_datetime(at, usegmt=True), "iso8601": None}[more[0]]
    return form(_moment(more[1:])) if form else _iso(chance, more[1:])


def _called(chance: random.Random, word: str, low: str, high: str) -> str:
    """What JetBrains' client writes like a function."""
    if word == "uuid":
        return _uuid(chance, [])
    if word == "email":
        return f"{_letters(chance, 'alphabetic', 8)}@example.com".lower()
    if word == "integer":
        return str(chance.randrange(int(low or 0), int(high or 1000)))
    if word == "float":
        return str(round(chance.uniform(float(low or 0), float(high or 1000)), 6))
    return _letters(chance, word, int(low or 10))


def _letters(chance: random.Random, word: str, number: int) -> str:
    letters = _LETTERS[word]
    if not 0 <= number <= _MOST_RANDOM:
        raise ValueError
    return "".join(chance.choices(letters, k=number))


_MADE: dict[str, Callable[[random.Random, list[str]], str]] = {
    "uuid": _uuid,
    "guid": _uuid,
    "randomInt": _random_int,
    "timestamp": _timestamp,
    "isoTimestamp": _iso,
    "datetime": _datetime,
    "localDatetime": _datetime,
}
