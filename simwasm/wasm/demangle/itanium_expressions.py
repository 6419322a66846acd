"""Reading the expressions of a C++ name: literals, and the few others that are common."""

from __future__ import annotations

from simwasm.wasm.demangle.itanium_types import TypeReader
from simwasm.wasm.demangle.itanium_words import LITERALS, OPERATORS
from simwasm.wasm.demangle.symbol import NotMangled, short

_UNARY = frozenset({"nt", "ng", "ps", "co", "ad", "de"})
_OTHERS = frozenset({"ix", "pp", "mm", "qu", "pt", "pm"})
"""Operators whose expressions are not of the form of one, or of two with it between them."""


class ExpressionReader(TypeReader):
    """A name being read, as far as types and expressions go."""

    def _literal(self) -> str:
        symbol = self.symbol
        symbol.expect("L")
        if symbol.skip("_Z"):
            found = self.encoding()
            symbol.expect("E")
            return found
        if symbol.skip("b"):
            value = symbol.next()
            symbol.expect("E")
            return {"0": "false", "1": "true"}.get(value, value)
        builtin = symbol.peek()
        kind = str(self.type())
        sign = "-" if symbol.skip("n") else ""
        start = symbol.at
        while symbol.peek().isalnum() and symbol.peek() != "E":
            symbol.at += 1
        value = symbol.text[start : symbol.at]
        symbol.expect("E")
        if kind == "std::nullptr_t":
            return "nullptr"
        if builtin in LITERALS:
            return f"{sign}{value}{LITERALS[builtin]}"
        return f"({kind}){sign}{value}"

    def _expression(self) -> str:
        """The few expressions that are common."""
        symbol = self.symbol
        symbol.deeper()
        if symbol.peek() == "L":
            found = self._literal()
        elif symbol.peek() == "T":
            found = str(self._parameter())
        elif symbol.skip("sr"):
            found = f"{self._scope()}::{self._simple()}"
        elif symbol.skip("sZ"):
            found = f"sizeof...({self._parameter()})"
        elif symbol.skip("st"):
            found = f"sizeof ({self.type()})"
        elif symbol.skip("sp"):
            found = self._expression()
        else:
            found = self._operation()
        symbol.higher()
        return short(found)

    def _scope(self) -> str:
        """What a name in an expression is looked up in."""
        symbol = self.symbol
        parts = []
        if not symbol.peek().isdigit():
            several = symbol.skip("N")
            before = self.arguments
            parts.append(str(self.type()))
            self.arguments = before
            if not several:
                return parts[0]
        while not symbol.skip("E"):
            parts.append(self._simple())
        return "::".join(parts)

    def _simple(self) -> str:
        """A name, and what its template is given."""
        found = self._source()
        if self.symbol.peek() != "I":
            return found
        before = self.arguments
        found += self._template()
        self.arguments = before
        return found

    def _operation(self) -> str:
        code = self.symbol.take(2)
        word = OPERATORS.get(code)
        if code == "cl":
            called = self._expression()
            given = []
            while not self.symbol.skip("E"):
                given.append(self._expression())
            return f"{called}({', '.join(given)})"
        if word is None or word[0].isalpha() or code in _OTHERS:
            raise NotMangled
        if code in _UNARY:
            return f"{word}{self._wrapped()}"
        left = self._wrapped()
        return f"{left} {word} {self._wrapped()}"

    def _wrapped(self) -> str:
        binary = self.symbol.peek(2) in OPERATORS and self.symbol.peek(2) not in _UNARY
        found = self._expression()
        return f"({found})" if binary else found
