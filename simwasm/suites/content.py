"""Bytes and headers as suites write them: a text, or bytes in base64, JSON, a file; headers by name."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simwasm.config.tree import Node
from simwasm.exchange import Header, to_bytes
from simwasm.plugin import read_bytes
from simwasm.suites.body_rule import BASE64
from simwasm.suites.header_rule import header_name
from simwasm.suites.rules import FILE, file_there
from simwasm.suites.section import Of, Section, key
from simwasm.suites.shape import TEXT, Anything, As, Either, Many, Named, OneOrMany, Shape, Whole, wrong

MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Content(Section):
    """Bytes that are written otherwise than as text; one of these."""

    text: str | None = key(TEXT, "A text.")
    base64: bytes | None = key(BASE64, "Bytes in base64.")
    json: Any = key(Anything(), "A value, written as JSON.")
    file: Path | None = key(FILE, "The content of a file.")
    times: int | None = key(Whole(1, MOST_BYTES), "How many times that, one after the other.")

    def check(self) -> None:
        """Refuse what is no content."""
        said = [name for name in ("text", "base64", "json", "file") if self.wrote(name)]
        if len(said) != 1:
            wrong(self.at(said[1] if said else ""), "has one of `text`, `base64`, `json` and `file`")
        if self.times is not None and len(self.once) * self.times > MOST_BYTES:
            wrong(self.at("times"), f"makes more than {MOST_BYTES >> 20} MiB")

    @property
    def once(self) -> bytes:
        """What is there `times` times."""
        if self.base64 is not None:
            return self.base64
        if self.file is not None:
            return read_bytes(self.file)
        return to_bytes(self.text if self.text is not None else to_json(self.json))

    @property
    def data(self) -> bytes:
        """The bytes."""
        return self.once * (self.times or 1)


def to_json(value: Any) -> str:
    """A value as JSON, in the order in which it is written."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


CONTENT: Shape[bytes] = Either(
    (As(TEXT, lambda text, node: to_bytes(text)), As(Of(Content), lambda content, node: content.data))
)

HEADERS = Named(OneOrMany(TEXT), "HEADER", header_name)


def pairs(headers: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Header, ...]:
    """Headers one by one."""
    return tuple((name, value) for name, values in headers for value in values)


def _configuration(text: str, node: Node) -> bytes:
    return read_bytes(file_there(text[1:], node)) if text.startswith("@") else to_bytes(text)


CONFIGURATION: Shape[bytes] = Either(
    (
        As(TEXT, _configuration, "a text (`@FILE` reads a file)"),
        As(
            Named(Anything()),
            lambda value, node: to_bytes(to_json(node.plain())),
            "a mapping that is written as JSON",
        ),
        As(
            Many(Anything()),
            lambda value, node: to_bytes(to_json(node.plain())),
            "a list that is written as JSON",
        ),
    )
)
