"""The lines of one command, as a shell asks for more of them; no more than one command may have."""

from __future__ import annotations

from collections.abc import Callable

from simwasm.exchange import to_text
from simwasm.traffic.request_text import LARGEST_BODY, Wrong
from simwasm.traffic.text_stream import TextStream

More = Callable[[], str]


class Lines:
    """Gives the next line of a file, as long as one command may be."""

    def __init__(self, text: TextStream) -> None:
        self._text = text
        self._size = 0

    def __call__(self) -> str:
        line = self._text.raw_line(LARGEST_BODY)
        self._size += len(line)
        if self._size > LARGEST_BODY:
            raise Wrong(f"one command has more than {LARGEST_BODY:,} bytes")
        return to_text(line)


def following(more: More, mark: str) -> str:
    line = more()
    if not line:
        raise Wrong(f"a quotation mark {mark} is never closed")
    return line
