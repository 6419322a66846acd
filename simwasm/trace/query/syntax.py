"""The filter language's grammar: text to a tree and back. What the terms mean is not known here.

    or   := and ("or" and)*
    and  := not ("and"? not)*
    not  := ("not" | "!") not | "(" or ")" | name operator value | word | string

Rules: a tree printed and parsed again is the same tree; a value without quotes goes up to the next space, or to the
parenthesis that was opened before it; in quotes only a quote and a backslash are escaped, by a backslash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from simwasm.errors import InputError

DEPTH = 100
"""How many parentheses and negations may be around one another."""

OPERATORS = ("!=", "!~", ">=", "<=", ":", "=", "~", "<", ">")
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r""":?[^\s"'():=~<>!]+""")
_SIGN = re.compile(r":|\s*(?:!=|!~|>=|<=|=|~|<|>)")
_STRINGS = {quote: re.compile(rf"{quote}((?:[^\\{quote}]|\\.)*){quote}", re.S) for quote in "\"'"}
_ESCAPED = re.compile(r"""\\([\\"'])""")
_AND, _OR, _NOT = ("and", "&&"), ("or", "||"), "not"


class QueryError(InputError):
    """A filter cannot be understood; `position` is where in its text, from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


@dataclass(frozen=True, slots=True)
class Text:
    """A bare word, or a string."""

    text: str
    quoted: bool = False
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return _quoted(self.text) if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class Comparison:
    """A term, an operator, and what it is compared with."""

    name: str
    operator: str
    value: str
    position: int = field(default=0, compare=False)
    value_position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        plain = self.value and _value_end(self.value, 0) == len(self.value) and self.value[0] not in "\"'=~"
        return f"{self.name}{self.operator}{self.value if plain else _quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Not:
    """What is not so."""

    inner: Node

    def __str__(self) -> str:
        return f"not {_inside(self.inner)}"


@dataclass(frozen=True, slots=True)
class All:
    """Several things that are all so; none at all is always so."""

    parts: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(_inside, self.parts))


@dataclass(frozen=True, slots=True)
class Any:
    """Several things one of which is so."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, Any) else str(part) for part in self.parts)


Node = Text | Comparison | Not | All | Any


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, (All, Any)) else str(node)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _value_end(text: str, start: int) -> int:
    """Where a value ends that is not in quotes."""
    opened = 0
    for at in range(start, len(text)):
        char = text[at]
        if char.isspace() or (char == ")" and not opened):
            return at
        opened += (char == "(") - (char == ")")
    return len(text) if not opened else start


def parse(text: str) -> Node:
    """The tree of a text; a text that is none is a `QueryError`."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        self._skip()
        if self._at == len(self._text):
            return All()
        found = self._any()
        if self._at < len(self._text):
            raise QueryError(f"`{self._text[self._at]}` is not expected here", self._at)
        return found

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _any(self) -> Node:
        parts = [self._all()]
        while self._keyword(*_OR):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self) -> Node:
        parts = [self._not()]
        while self._keyword(*_AND) or not self._ends_all():
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _ends_all(self) -> bool:
        return self._at == len(self._text) or self._text[self._at] == ")" or self._peek() in _OR

    def _peek(self) -> str:
        """The keyword that stands here, in lower case; or some other word, or nothing."""
        found = _WORD.match(self._text, self._at)
        if found is None or _SIGN.match(self._text, found.end()):
            return ""
        return found.group().lower()

    def _keyword(self, *words: str) -> bool:
        word = self._peek()
        if word not in words:
            return False
        self._at += len(word)
        self._skip()
        return True

    def _not(self) -> Node:
        begin = self._at
        negated = self._text.startswith("!", begin)
        if negated:
            self._at += 1
            self._skip()
        elif not self._keyword(_NOT):
            return self._one()
        self._enter(begin)
        found = Not(self._not())
        self._depth -= 1
        return found

    def _enter(self, position: int) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise QueryError(f"more than {DEPTH} parentheses and negations are around one another", position)

    def _one(self) -> Node:
        text, begin = self._text, self._at
        if text.startswith("(", begin):
            return self._parenthesis(begin)
        if text[begin : begin + 1] in ('"', "'") and begin < len(text):
            return Text(self._string(), True, begin)
        word = _WORD.match(text, begin)
        if word is None:
            self._unexpected()
        assert word is not None
        self._at = word.end()
        sign = _SIGN.match(text, self._at)
        if sign is not None:
            return self._comparison(word.group(), sign.group().strip(), begin, sign.end())
        if word.group().lower() in (*_AND, *_OR):
            raise QueryError(f"`{word.group()}` stands between two terms; one is missing", begin)
        self._skip()
        return Text(word.group(), False, begin)

    def _unexpected(self) -> None:
        if self._at == len(self._text):
            raise QueryError("something is missing at the end: a term like `status!=OK`, or a word", self._at)
        char = self._text[self._at]
        if char == ")":
            raise QueryError("`)` closes nothing, or nothing stands before it", self._at)
        raise QueryError(f"a term's name is missing before `{char}`, as in `status!=OK`", self._at)

    def _parenthesis(self, begin: int) -> Node:
        self._enter(begin)
        self._at += 1
        self._skip()
        found = self._any()
        if not self._text.startswith(")", self._at):
            raise QueryError("this parenthesis is not closed: add `)`", begin)
        self._at += 1
        self._skip()
        self._depth -= 1
        return found

    def _comparison(self, name: str, sign: str, begin: int, at: int) -> Node:
        self._at = at
        self._skip()
        start = self._at
        if self._text[start : start + 1] in ('"', "'") and start < len(self._text):
            return Comparison(name, sign, self._string(), begin, start)
        self._at = _value_end(self._text, start)
        value = self._text[start : self._at]
        if not value:
            raise QueryError(
                f"a value is missing after `{name}{sign}`; one with odd parentheses needs quotes", start
            )
        self._skip()
        return Comparison(name, sign, value, begin, start)

    def _string(self) -> str:
        begin = self._at
        found = _STRINGS[self._text[begin]].match(self._text, begin)
        if found is None:
            raise QueryError(f"this text has no end: add `{self._text[begin]}`", begin)
        self._at = found.end()
        self._skip()
        return _ESCAPED.sub(r"\1", found.group(1))
