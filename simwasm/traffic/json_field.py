"""JSON from somebody else's program, read so that every mistake in it is told with its place.

`parse` turns text into a `Field`: a value that knows where it stands. Rules that live here: what is missing,
of the wrong type or ambiguous (a key given twice) is a `TrafficError` that names the file, the entry or line,
and the path to the value; nothing that a file may hold raises anything else.
"""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, TypeVar

from simwasm.errors import TrafficError

T = TypeVar("T")
_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_SHOWN = 40
_UNFINISHED = re.compile(r"[\\\w.+-]*")
"""What may be left of a text that is cut: the beginning of a word, of a number or of an escape."""


class Field:
    """A JSON value, the file and entry that hold it, what to do if it is wrong, and its path in there.

    Where it stands is put together when somebody asks: there are many fields, and few mistakes.
    """

    __slots__ = ("_above", "_step", "remedy", "value", "where")

    def __init__(
        self, value: object, where: str, remedy: str, above: Field | None = None, step: str | int = ""
    ) -> None:
        self.value = value
        self.where = where
        self.remedy = remedy
        self._above = above
        self._step = step

    @property
    def path(self) -> str:
        """Where it is in its entry: request.headers[0].name."""
        above = self._above.path if self._above else ""
        if isinstance(self._step, int):
            return f"{above}[{self._step}]"
        return f"{above}.{self._step}" if above else self._step

    def wrong(self, what: str) -> TrafficError:
        """Return the error that says what is wrong with this value."""
        return TrafficError(f"{self.where}: {f'{self.path} ' if self.path else ''}{what}; {self.remedy}")

    def within(self, place: str) -> Field:
        """Return the same value with its path counted from this entry or line of the file."""
        return Field(self.value, f"{self.where}, {place}", self.remedy)

    def find(self, key: str) -> Field | None:
        """Return a member of this object, None when it is absent or null."""
        value = self.value.get(key) if type(self.value) is dict else self._as(dict).get(key)
        return None if value is None else Field(value, self.where, self.remedy, self, key)

    def get(self, key: str) -> Field:
        """Return a member that must be there."""
        found = self.find(key)
        if found is None:
            raise self.wrong(f"has no {json.dumps(key)}")
        return found

    def below(self, key: str) -> Field:
        """Return a member of which only the place is of interest."""
        return Field(None, self.where, self.remedy, self, key)

    def holding(self, value: object) -> Field:
        """Return another value at the same place."""
        return Field(value, self.where, self.remedy, self._above, self._step)

    def keys(self) -> frozenset[str]:
        """Return the names of this object's members."""
        return frozenset(self._as(dict))

    def items(self) -> Iterator[Field]:
        """Go through this list."""
        return (
            Field(value, self.where, self.remedy, self, index) for index, value in enumerate(self._as(list))
        )

    def members(self) -> Iterable[tuple[str, object]]:
        """Go through the members of this object."""
        return self._as(dict).items()

    def list(self) -> list[Any]:
        """Return this list as it is."""
        return self._as(list)

    def at(self, index: int) -> Field:
        """Return an element of this list."""
        return Field(self._as(list)[index], self.where, self.remedy, self, index)

    def text(self) -> str:
        """Return this text."""
        return self._as(str)

    def flag(self) -> bool:
        """Return this true or false."""
        return self._as(bool)

    def integer(self) -> int:
        """Return this whole number."""
        if type(self.value) is not int:
            raise self.wrong(f"must be a whole number, but is {self._seen()}")
        return self.value

    def number(self) -> float:
        """Return this number; one that no double can hold is wrong."""
        if type(self.value) is not int and type(self.value) is not float:
            raise self.wrong(f"must be a number, but is {self._seen()}")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise self.wrong("is too large a number")
        return number

    def each(self, key: str) -> Iterator[Field]:
        """Go through a member that is a list, if it is there."""
        found = self.find(key)
        return iter(()) if found is None else found.items()

    def text_of(self, key: str, default: str = "") -> str:
        """Return the text of a member, the default when it is absent or null."""
        value = self._as(dict).get(key)
        if type(value) is str:
            return value
        return default if value is None else self.get(key).text()

    def integer_of(self, key: str, default: int = 0) -> int:
        """Return the whole number of a member, the default when it is absent or null."""
        found = self.find(key)
        return default if found is None else found.integer()

    def _as(self, kind: type[T]) -> T:
        if not isinstance(self.value, kind):
            raise self.wrong(f"must be {_KINDS[kind]}, but is {self._seen()}")
        return self.value

    def _seen(self) -> str:
        kind = _KINDS[type(self.value)]
        if isinstance(self.value, (dict, list, type(None))):
            return kind
        shown = json.dumps(self.value)
        return f"{kind}: {shown[:_SHOWN]}{'…' * (len(shown) > _SHOWN)}"


def parse(data: bytes, where: str, remedy: str) -> Field:
    """Read one JSON text, with or without a byte order mark."""
    try:
        value = _whole(data.removeprefix(BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        raise TrafficError(f"{where}: not UTF-8 text at byte {error.start}; {remedy}") from None
    except json.JSONDecodeError as error:
        if is_cut(error.msg, error.doc, error.pos):
            raise TrafficError(f"{where}: is cut after {len(data)} bytes; {remedy}") from None
        place = f"line {error.lineno}, column {error.colno}"
        raise TrafficError(f"{where}: not JSON at {place}: {error.msg}; {remedy}") from None
    except ValueError as error:
        raise TrafficError(f"{where}: not JSON that can be used: {error}; {remedy}") from None
    except RecursionError:
        raise TrafficError(f"{where}: nested too deeply to be recorded traffic; {remedy}") from None
    return Field(value, where, remedy)


def is_cut(message: str, text: str, at: int) -> bool:
    """Whether the scanner failed because the text ends too early."""
    return message.startswith("Unterminated") or _UNFINISHED.fullmatch(text, at) is not None


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of an object, as a hook of `json`; a `ValueError` if one is given twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} is given twice in one object")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_STRICT: dict[str, Any] = {
    "object_pairs_hook": unique,
    "parse_constant": _constant,
}
_DECODER = json.JSONDecoder(**_STRICT)
_whole: Callable[[str], object] = _DECODER.decode
SCAN: Callable[[str, int], tuple[object, int]] = _DECODER.raw_decode
"""Reads the value that begins somewhere in a text, and tells where it ends."""
