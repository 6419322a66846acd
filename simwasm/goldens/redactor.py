"""Takes out of a run what a golden must not tell: values in, values out, call by call.

Rule: what has to be looked at is found out once for each function, from its row in the table of the ABI; a function
without texts costs nothing.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import Function
from simwasm.exchange import Chunk, Headers, Message, to_bytes, to_text
from simwasm.goldens.redactions import LONGEST, SHOWN, Redaction, What

_MOST_FOLLOWED = 16
"""So many values are looked for in other texts: those that were hidden last."""
_SHORTEST = 8
"""A shorter value is found in texts by chance."""
_TEXTS = (Form.TEXT, Form.DATA, Form.IOVECS, Form.BLOB, Form.SPAN)

Change = Callable[[Any], Any]


class Call(NamedTuple):
    """How the values of one call are told."""

    args: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    values: Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...]] | None
    """Of what it gave, knowing what it was given. None where there is nothing to look at."""


class Redactor:
    """Redactions at work in one run."""

    def __init__(self, wanted: tuple[Redaction, ...], started_ns: int) -> None:
        self.used: set[str] = set()
        """The names of those that hid something."""
        self._started = started_ns
        self._headers = {
            each.about: (each, re.compile(each.shape, re.S) if each.shape else None)
            for each in wanted
            if each.what is What.HEADER
        }
        self._properties = {each.about: each.name for each in wanted if each.what is What.PROPERTY}
        self._calls = {each.about: each for each in wanted if each.what in (What.CALL, What.TIME)}
        self._patterns = [(each.name, re.compile(each.about)) for each in wanted if each.what is What.TEXT]
        self._long = any(each.what is What.LONG for each in wanted)
        self._followed: OrderedDict[str, str] = OrderedDict()
        self._shortest = LONGEST + 1
        """A shorter text can have nothing in it that is hidden, but by a pattern."""
        self._known: dict[Function, Call] = {}

    # Calls.

    def call(self, function: Function) -> Call:
        """How the values of a function's calls are told."""
        if function not in self._known:
            self._known[function] = Call(self._args(function), self._values(function))
        return self._known[function]

    def _args(self, function: Function) -> Callable[[tuple[Any, ...]], tuple[Any, ...]] | None:
        key = _place(function.inputs, "key")
        changes = [(at, self._change(param)) for at, param in enumerate(function.inputs)]
        wanted = [(at, change) for at, change in changes if change is not None]
        if not wanted:
            return None
        of_header = _names_headers(function)

        def told(args: tuple[Any, ...]) -> tuple[Any, ...]:
            found = list(args)
            for at, change in wanted:
                found[at] = self._value(args[key], args[at]) if of_header and at > key else change(args[at])
            return tuple(found)

        return told

    def _values(
        self, function: Function
    ) -> Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...]] | None:
        if function.name in self._calls:
            return partial(self._given, self._calls[function.name])
        changes = [self._change(param) for param in function.outputs]
        if not any(changes):
            return None
        key = _place(function.inputs, "key") if _names_headers(function) else -1
        path = next((at for at, param in enumerate(function.inputs) if param.form is Form.PATH), -1)

        def told(args: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
            if key >= 0:
                return tuple(self._value(args[key], value) for value in values)
            if path >= 0 and args[path] is not None and (name := self._properties.get(".".join(args[path]))):
                self.used.add(name)
                return tuple(f"<{name}>" for _ in values)
            return tuple(
                change(value) if change else value for change, value in zip(changes, values, strict=False)
            )

        return told

    def _given(self, by: Redaction, args: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a call gave that is hidden whatever it is: times from the start, bytes not at all."""
        self.used.add(by.name)
        if by.what is What.TIME:
            return tuple(time - self._started if time >= self._started else time for time in values)
        return tuple(f"<{by.name}>" for _ in values)

    def _change(self, param: Param) -> Change | None:
        if param.form is Form.PAIRS:
            return lambda headers: headers if headers is None else self.pairs(headers)
        if param.form in _TEXTS:
            return self.text
        if param.form is Form.STRINGS:
            return lambda values: values if values is None else tuple(map(self.text, values))
        return None

    # Values.

    def message(self, message: Message | None) -> Message | None:
        """A message as a golden tells it."""
        if message is None:
            return None
        body = self.text(message.data)
        return Message(
            self.pairs(message.headers), (Chunk(body),) if body else (), self.pairs(message.trailers)
        )

    def pairs(self, headers: Headers) -> Headers:
        """Headers with the values hidden that change."""
        return tuple([(name, self._value(name, value)) for name, value in headers])

    def _value(self, name: Any, value: Any) -> Any:
        """The value of a header."""
        known = self._headers.get(name.lower()) if isinstance(name, str) else None
        if known is None or not isinstance(value, (str, bytes)):
            return self.text(value)
        by, shape = known
        text = value if isinstance(value, str) else to_text(value)
        if shape is not None and not shape.fullmatch(text):
            return self.text(value)
        self.used.add(by.name)
        if by.followed and len(text) >= _SHORTEST:
            self._followed[text] = by.about
            self._shortest = min(self._shortest, len(text))
            if len(self._followed) > _MOST_FOLLOWED:
                self._followed.popitem(last=False)
        return f"<{by.about}>"

    def text(self, value: Any) -> Any:
        """Any text or bytes."""
        if not isinstance(value, (str, bytes)) or not value:
            return value
        if len(value) < self._shortest and not self._patterns:
            return value
        text = value if isinstance(value, str) else to_text(value)
        found = text
        for hidden, name in self._followed.items():
            if hidden in found:
                found = found.replace(hidden, f"<{name}>")
        for name, pattern in self._patterns:
            found, count = pattern.subn("<redacted>", found)
            if count:
                self.used.add(name)
        if self._long and len(found) > LONGEST:
            self.used.add("long")
            found = _shortened(found)
        if found is text:
            return value
        return found if isinstance(value, str) else to_bytes(found)


def _shortened(text: str) -> str:
    data = to_bytes(text)
    begin = to_text(data[:SHOWN])
    if not begin.isprintable():
        begin = "".join(char if char.isprintable() or char in "\n\t" else "." for char in begin)
    return f"{begin}… <{len(data):,} bytes, digest {sha256(data).hexdigest()[:12]}>"


def _place(params: tuple[Param, ...], name: str) -> int:
    return next((at for at, param in enumerate(params) if param.name == name), -1)


def _names_headers(function: Function) -> bool:
    """Whether a function is about the one header that its key names."""
    names = [param.name for param in function.inputs]
    return "map_type" in names and "key" in names
