"""What bodies are expected to be: text, bytes, JSON, the content of a file."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simwasm.exchange import to_bytes
from simwasm.plugin import read_bytes
from simwasm.suites.rules import FILE, NUMBER_RULE, NumberRule, Said, TextRule, differs, shown
from simwasm.suites.section import Of, key
from simwasm.suites.shape import (
    FLAG,
    TEXT,
    Anything,
    As,
    Either,
    Scalar,
    Shape,
    wrong,
)
from simwasm.trace.text import printable


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
