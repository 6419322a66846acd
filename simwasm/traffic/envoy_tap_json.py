"""A tap's messages that stand one after the other as JSON: pretty over many lines or one a line, or in a list.

Rules that live here: a message is parsed once all of it is there, at the speed of C; a message that is broken is told
with its number and its byte, and reading goes on where the next one begins.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.traffic.envoy_tap_blocks import least, read_some
from simwasm.traffic.envoy_tap_fields import WRAPPED, traced
from simwasm.traffic.envoy_tap_pieces import MOST_BYTES, Traced, Unusable
from simwasm.traffic.json_field import unique
from simwasm.traffic.notes import Notes

_NEAR = 16
"""Characters: what is cut there may be a word, a number or an escape that is whole in the next block."""
_BETWEEN = re.compile(r"[\s,\[\]\x1e\ufeff]*")
_CAMEL = (re.sub("_(.)", lambda hump: hump[1].upper(), name) for name in WRAPPED)
_NAMES = "|".join((*WRAPPED, *_CAMEL, "configured_sample_rate", "configuredSampleRate"))
_START = re.compile(rf'\{{\s*"(?:{_NAMES})"\s*:')
_BEGINS = re.compile(rf'[\s\[\x1e]*\{{\s*"(?:{_NAMES})"\s*:'.encode())
_LONGEST_START = 200


def is_json(head: bytes) -> bool:
    """Whether a file that begins so is a tap's JSON."""
    return _BEGINS.match(head) is not None


def read_json(begun: bytes, stream: BinaryIO, where: str, notes: Notes) -> Iterator[tuple[int, Traced]]:
    """Go through the messages; each comes with its number in the file."""
    text = _Text(begun, stream)
    decode = json.JSONDecoder(object_pairs_hook=unique).raw_decode
    number = 0
    while text.skip_between():
        number += 1
        try:
            value, end = decode(text.text, text.at)
            found = traced(value) if value.__class__ is dict else None
        except json.JSONDecodeError as error:
            if text.may_go_on(error) and text.more():
                number -= 1
                continue
            cut = text.ended and text.is_cut(error)
            why = "the file ends in the middle of it" if cut else f"not JSON: {error.msg}"
            notes.broken(text.wrong(where, number, error.pos, why))
        except Unusable as error:
            notes.broken(text.wrong(where, number, text.at, str(error)))
            text.at = end
            continue
        except ValueError as error:
            notes.broken(text.wrong(where, number, text.at, f"JSON that cannot be used: {error}"))
        except RecursionError:
            notes.broken(text.wrong(where, number, text.at, "nested too deeply to be a trace"))
        else:
            text.at = end
            if found is not None:
                yield number, found
            else:
                notes.broken(text.wrong(where, number, end, "an object that is no trace"))
            continue
        text.skip_to_next()


class _Text:
    """The part of a file that is looked at; `at` is where reading goes on."""

    def __init__(self, begun: bytes, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._before = 0
        self.text = self._decoder.decode(begun)
        self.at = 0
        self.ended = False

    def more(self) -> bool:
        """Drop what was read and take as much as is there already, a block at least."""
        left = self.text[self.at :]
        if self.ended or len(left) > MOST_BYTES:
            return False
        self._before = self._bytes(self.at)
        block = read_some(self._stream, least(len(left)))
        self.ended = not block
        self.text, self.at = left + self._decoder.decode(block, final=not block), 0
        return True

    def skip_between(self) -> bool:
        """Go to the next message; False behind the last one."""
        while True:
            between = _BETWEEN.match(self.text, self.at)
            self.at = between.end() if between else self.at
            if self.at < len(self.text):
                return True
            if not self.more():
                return False

    def skip_to_next(self) -> None:
        """Go to where the next message begins, or to the end."""
        self.at += 1
        while True:
            found = _START.search(self.text, self.at)
            if found is not None:
                self.at = found.start()
                return
            self.at = max(self.at, len(self.text) - _LONGEST_START)
            if self.ended or not self.more():
                self.at = len(self.text)
                return

    def is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether a message is wrong only because the text ends."""
        return error.pos >= len(self.text.rstrip()) - _NEAR or error.msg.startswith("Unterminated string")

    def may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether a message may be whole in the next block."""
        return not self.ended and self.is_cut(error)

    def wrong(self, where: str, number: int, at: int, what: str) -> TrafficError:
        """The error of a message."""
        place = f"entry {number} (which begins at byte {self._bytes(self.at)})"
        return TrafficError(
            f"{where}, {place}: {what}, at byte {self._bytes(at)}; what stands around it is read"
        )

    def _bytes(self, at: int) -> int:
        """Where a place of the text is in the file."""
        read = self.text[:at]
        return self._before + (at if read.isascii() else len(read.encode("utf-8", "surrogateescape")))
