"""A mangled name being read: where one is in it, and how much may still be made of it.

A name of a few hundred bytes can stand for gigabytes, because parts of it may refer to earlier parts. Rule: whoever
reads one gives up with `NotMangled` at what he does not know, at the deepest of nestings, and when a part gets longer
than anybody would read; the name is then shown as it is.
"""

from __future__ import annotations

DEEPEST = 100
LONGEST = 8000
"""Characters of a part: the longest that compilers really make are about that long."""
_MOST = 20_000
"""Parts that are read for one name."""


class NotMangled(Exception):
    """The name is not what it looks like, or not worth the effort."""


class Symbol:
    """A position in a name."""

    __slots__ = ("at", "depth", "left", "text")

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.depth = 0
        self.left = _MOST

    def peek(self, count: int = 1) -> str:
        """The next characters."""
        return self.text[self.at : self.at + count]

    def skip(self, what: str) -> bool:
        """Go on if that is what comes next."""
        if self.text.startswith(what, self.at):
            self.at += len(what)
            return True
        return False

    def expect(self, what: str) -> None:
        """Insist on what comes next."""
        if not self.skip(what):
            raise NotMangled

    def next(self) -> str:
        """The next character, which is read."""
        if self.at >= len(self.text):
            raise NotMangled
        self.at += 1
        return self.text[self.at - 1]

    def take(self, count: int) -> str:
        """So many characters."""
        if not 0 <= count <= len(self.text) - self.at:
            raise NotMangled
        self.at += count
        return self.text[self.at - count : self.at]

    def digits(self) -> int:
        """A decimal number."""
        start = self.at
        while self.at < len(self.text) and self.at - start < 10 and self.text[self.at] in "0123456789":
            self.at += 1
        if self.at == start:
            raise NotMangled
        return int(self.text[start : self.at])

    def deeper(self) -> None:
        """Begin a part; `higher` ends it."""
        self.depth += 1
        self.left -= 1
        if self.depth > DEEPEST or self.left < 0:
            raise NotMangled

    def higher(self) -> None:
        """End a part."""
        self.depth -= 1


def short(text: str) -> str:
    """A part that is not too long."""
    if len(text) > LONGEST:
        raise NotMangled
    return text
