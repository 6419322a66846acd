"""Bytes of a file in blocks: what is there already, so that a tap can be looked at while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

BLOCK = 1 << 20


def read_some(stream: BinaryIO, least: int = 1) -> bytes:
    """Take what is there, and wait for more until it is so much; nothing at the end of the file.

    Whoever waits for the rest of something large asks for as much as there is already, so that no byte is looked at
    more than a few times.
    """
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    blocks: list[bytes] = []
    while least > 0 and (block := read(BLOCK)):
        blocks.append(block)
        least -= len(block)
    return b"".join(blocks)


def least(held: int) -> int:
    """How much is worth waiting for behind so many bytes that are no whole message."""
    return held if held > BLOCK else 1
