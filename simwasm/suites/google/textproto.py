"""Reading a test file in protobuf's text format.

Rules: a message stands in `{}` or `<>`, with or without a colon; `[…]` is several values of a field; `,` and `;` may
follow a value; strings that follow each other are one.
"""

from __future__ import annotations

from collections.abc import Iterator

from simwasm.config.tree import Place
from simwasm.suites.google.record import Builder, Record, Scalar, checked_number, checked_text, level
from simwasm.suites.google.schema import ENUMS, MESSAGES, RANGES, Field
from simwasm.suites.google.tokens import Token, tokens
from simwasm.suites.shape import wrong
from simwasm.trace.text import printable

_CLOSING = {"{": "}", "<": ">"}
_TRUTH = {
    "true": True,
    "True": True,
    "t": True,
    "1": True,
    "false": False,
    "False": False,
    "f": False,
    "0": False,
}


def read_text(text: str, file: str) -> Record:
    """The suite that a file holds."""
    builder = Builder(file)
    parser = _Parser(tokens(text.removeprefix("\ufeff"), builder), builder)
    suite = Record("TestSuite", builder.place(1, 1))
    parser.fields(suite, "end")
    return suite


class _Parser:
    def __init__(self, words: Iterator[Token], builder: Builder) -> None:
        self._words = words
        self._builder = builder
        self._next = next(words)

    def fields(self, record: Record, closing: str) -> None:
        """Everything up to the end of a message."""
        while not self._is_end(closing):
            name = self._next
            if name.kind != "name":
                wrong(
                    name.place,
                    f"here a field's name is expected, or the end of {record.kind}, not {_shown(name)}",
                )
            self._step()
            self._field(record, name)
            if self._next.text in (",", ";") and self._next.kind == "sign":
                self._step()

    def _is_end(self, closing: str) -> bool:
        word = self._next
        if word.kind == "end":
            if closing != "end":
                wrong(word.place, f"the file ends, but a `{closing}` is missing")
            return True
        return word.kind == "sign" and word.text == closing

    def _field(self, record: Record, name: Token) -> None:
        field, wanted = self._builder.field(record, name.text, name.place)
        self._builder.open(record, field, name.place)
        is_message = wanted.kind in MESSAGES
        if not self._took(":") and not is_message:
            wrong(self._next.place, f"here a `:` is expected behind `{name.text}`, not {_shown(self._next)}")
        if not self._is_sign("["):
            self._value(record, field, wanted, name.place)
            return
        if not wanted.many:
            wrong(self._next.place, f"`{name.text}` has one value, so a list cannot stand here")
        self._step()
        while not self._took("]"):
            self._value(record, field, wanted, self._next.place)
            if not self._took(",") and not self._is_sign("]"):
                wrong(self._next.place, f"here a `,` or a `]` is expected, not {_shown(self._next)}")

    def _value(self, record: Record, name: str, wanted: Field, place: Place) -> None:
        if wanted.kind not in MESSAGES:
            self._builder.add(record, name, self._scalar(name, wanted.kind), place)
            return
        opening = self._next
        closing = _CLOSING.get(opening.text) if opening.kind == "sign" else None
        if closing is None:
            wrong(opening.place, f"`{name}` is a message: here a `{{` is expected, not {_shown(opening)}")
        self._step()
        made = Record(wanted.kind, place)
        self.fields(made, closing)
        self._step()
        self._builder.add(record, name, made, place)

    def _scalar(self, name: str, kind: str) -> Scalar:
        place = self._next.place
        if kind in ("string", "bytes"):
            parts = []
            while self._next.kind == "string":
                parts.append(self._step().text)
            if not parts:
                wrong(place, f"`{name}` is a text: here quotes are expected, not {_shown(self._next)}")
            return checked_text(kind, "".join(parts), place)
        minus = kind != "bool" and self._took("-")
        word = self._step()
        if kind == "bool" and word.kind in ("name", "number") and word.text in _TRUTH:
            return _TRUTH[word.text]
        if kind in ENUMS and word.kind == "name" and not minus:
            return level(word.text, kind, word.place)
        number = _number(word)
        if number is None or kind == "bool":
            wrong(word.place, f"`{name}` is {_NAMES.get(kind, 'a whole number')}, not {_shown(word)}")
        if kind in ENUMS:
            return level(-number if minus else number, kind, place)
        assert kind in RANGES
        return checked_number(kind, -number if minus else number, place)

    def _is_sign(self, sign: str) -> bool:
        return self._next.kind == "sign" and self._next.text == sign

    def _took(self, sign: str) -> bool:
        """Take this sign if it comes next."""
        found = self._is_sign(sign)
        if found:
            self._step()
        return found

    def _step(self) -> Token:
        word = self._next
        if word.kind != "end":
            self._next = next(self._words)
        return word


_NAMES = {"bool": "true or false", "LogLevel": "a level's name"}


def _number(word: Token) -> int | None:
    """A whole number, decimal, hexadecimal or octal."""
    if word.kind != "number" or len(word.text) > 40:
        return None
    text = word.text.lower()
    base = 16 if text.startswith("0x") else 8 if text.startswith("0") and len(text) > 1 else 10
    try:
        return int(text, base)
    except ValueError:
        return None


def _shown(word: Token) -> str:
    if word.kind == "end":
        return "the end of the file"
    text = word.text if len(word.text) <= 40 else f"{word.text[:40]}…"
    return f'"{printable(text)}"' if word.kind == "string" else f"`{printable(text)}`"
