"""What a test reads of a message: headers that compare without case, bodies as bytes, text or JSON.

Rule: everything here is a value that stays as it was, whatever the plugin does later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from simwasm.errors import InputError
from simwasm.exchange import Header, Message, decimal, lower
from simwasm.trace.text import printable

_SHOWN = 60


class Headers(Mapping[str, str]):
    """Headers by name, in any case; those that are there several times have their values joined by a comma.

    Example:
        >>> found = Headers([("content-type", "text/plain"), ("set-cookie", "a=1"), ("set-cookie", "b=2")])
        >>> found["Content-Type"]
        'text/plain'
        >>> found.all("set-cookie")
        ('a=1', 'b=2')
        >>> "x-missing" in found
        False
    """

    def __init__(self, pairs: Iterable[Header] = ()) -> None:
        self.pairs = lower(pairs)
        """All of them, in their order."""

    @cached_property
    def _joined(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self.pairs:
            found[name] = f"{found[name]},{value}" if name in found else value
        return found

    def __getitem__(self, name: str) -> str:
        try:
            return self._joined[name.lower()]
        except KeyError:
            there = ", ".join(self._joined) or "none at all"
            raise KeyError(f"no header `{name}`; there are: {printable(there)}") from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._joined

    def __iter__(self) -> Iterator[str]:
        return iter(self._joined)

    def __len__(self) -> int:
        return len(self._joined)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self.pairs == other.pairs
        if isinstance(other, Mapping):
            return self._joined == {str(name).lower(): value for name, value in other.items()}
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in their order."""
        return tuple(value for key, value in self.pairs if key == name.lower())


class Told(int):
    """A number that knows the result it was read from, so that a failed assertion can tell of it."""

    of: object
    what: str

    @classmethod
    def by(cls, number: int, of: object, what: str) -> Told:
        """A number, and where it is from."""
        told = cls(number)
        told.of, told.what = of, what
        return told

    def __eq__(self, other: object) -> bool:
        return int(self) == self._number(other)

    def __ne__(self, other: object) -> bool:
        return int(self) != self._number(other)

    __hash__ = int.__hash__

    def _number(self, other: object) -> object:
        """What it is compared with; a text would differ from every number, so that a test of it could never fail."""
        if isinstance(other, (str, bytes)):
            raise InputError(
                f"{self.what}: {int(self)} is a number; compare it with a number, not with {other!r}"
            )
        return other


class _Told:
    """What requests and responses have in common."""

    def __init__(self, message: Message) -> None:
        self.message = message

    @cached_property
    def headers(self) -> Headers:
        """The headers, pseudo headers left out."""
        return Headers(pair for pair in self.message.headers if pair[0][:1] != ":")

    @cached_property
    def trailers(self) -> Headers:
        """The trailers."""
        return Headers(self.message.trailers)

    @cached_property
    def body(self) -> bytes:
        """The whole body."""
        return self.message.data

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """The body in the pieces in which it went."""
        return tuple(chunk.data for chunk in self.message.body)

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are escaped."""
        return self.body.decode("utf-8", "backslashreplace")

    def json(self) -> Any:
        """The body read as JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            begin = printable(self.text[:_SHOWN])
            raise InputError(f"the body is not JSON ({error}): {begin!r}") from None

    def _pseudo(self, name: str) -> str:
        return self.message.header(name) or ""


class Request(_Told):
    """A request, as somebody received it.

    Example:
        >>> request = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/a?b=1").request
        >>> request.method, request.path, request.host
        ('GET', '/a?b=1', 'localhost')
    """

    @property
    def method(self) -> str:
        """`:method`"""
        return self._pseudo(":method")

    @property
    def path(self) -> str:
        """`:path`, with its query."""
        return self._pseudo(":path")

    @property
    def host(self) -> str:
        """`:authority`"""
        return self._pseudo(":authority")

    def __repr__(self) -> str:
        return f"<Request {printable(f'{self.method} {self.path}')}>"


class Response(_Told):
    """A response, as somebody received it.

    Example:
        >>> response = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").response
        >>> response.status, response.headers["content-type"]
        (403, 'text/plain')
    """

    def __init__(self, message: Message, tell: Callable[[int], int] = int) -> None:
        super().__init__(message)
        self._tell = tell

    @property
    def status(self) -> int:
        """The status; 0 where it is no number."""
        return self._tell(decimal(self.message.header(":status")) or 0)

    def __repr__(self) -> str:
        return f"<Response {int(self.status)}, {len(self.body)} bytes>"
