"""Reading the types of a C++ name, and the references to earlier parts that are in them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from simwasm.wasm.demangle.itanium_kinds import Kind, Name, around, joined, mapped, referring, with_words
from simwasm.wasm.demangle.itanium_words import ABBREVIATIONS, BUILTINS, EXTENDED
from simwasm.wasm.demangle.symbol import NotMangled, Symbol, short


class TypeReader(ABC):
    """A name being read, as far as types go."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.known: list[Kind] = []
        """What `S_`, `S0_` and so on stand for."""
        self.arguments: list[Kind] = []
        """What `T_`, `T0_` and so on stand for."""

    @abstractmethod
    def name(self) -> Name:
        """A name, wherever it is declared."""

    @abstractmethod
    def encoding(self) -> str:
        """A function with its parameters, a variable, or something the compiler made for one."""

    @abstractmethod
    def _literal(self) -> str: ...

    @abstractmethod
    def _expression(self) -> str: ...

    def type(self) -> Kind:
        """A type."""
        symbol = self.symbol
        symbol.deeper()
        found = self._type()
        symbol.higher()
        return found

    def _type(self) -> Kind:
        symbol = self.symbol
        code = symbol.peek()
        if code in BUILTINS:
            symbol.at += 1
            return Kind(BUILTINS[code])
        if code == "D" and symbol.peek(2) in EXTENDED:
            return Kind(EXTENDED[symbol.take(2)])
        if code == "S" and symbol.peek(2) != "St":
            return self._substituted()
        if code in _COMPOSED:
            return self._kept(_COMPOSED[code](self))
        if code == "T" and symbol.peek(2) not in ("Ts", "Tu", "Te"):
            return self._templated()
        if code == "D":
            return self._kept(self._with_d())
        if code == "T":
            symbol.at += 2
        if code == "u":
            symbol.at += 1
            return self._kept(Kind(self._source()))
        before = self.arguments
        name = self.name()
        self.arguments = before
        return self._kept(Kind(name.text))

    def _kept(self, kind: Kind) -> Kind:
        str(kind)  # which gives up on one that is too long
        self.known.append(kind)
        return kind

    def _substituted(self) -> Kind:
        return self._of_template(self._substitution())

    def _templated(self) -> Kind:
        return self._of_template(self._kept(self._parameter()))

    def _of_template(self, found: Kind) -> Kind:
        """The same, with its template's arguments if some follow."""
        if self.symbol.peek() != "I":
            return found
        before = self.arguments
        named = Kind(str(found) + self._template())
        self.arguments = before
        return self._kept(named)

    def _parameter(self) -> Kind:
        symbol = self.symbol
        symbol.expect("T")
        index = 0 if symbol.peek() == "_" else symbol.digits() + 1
        symbol.expect("_")
        if index >= len(self.arguments):
            raise NotMangled
        return self.arguments[index]

    def _substitution(self) -> Kind:
        symbol = self.symbol
        symbol.expect("S")
        code = symbol.peek()
        if code in ABBREVIATIONS:
            symbol.at += 1
            full, simple = ABBREVIATIONS[code]
            following = symbol.peek()
            return Kind(full if following in ("C", "D") else simple)
        index = self._sequence()
        if index >= len(self.known):
            raise NotMangled
        return self.known[index]

    def _sequence(self) -> int:
        """A number in base 36; a lone `_` is 0."""
        value, any_digit = 0, False
        for _ in range(8):
            digit = self.symbol.next()
            if digit == "_":
                return value + 1 if any_digit else 0
            if not (digit.isdigit() or digit.isupper()) or not digit.isascii():
                break
            value, any_digit = value * 36 + int(digit, 36), True
        raise NotMangled

    def _number(self) -> int:
        sign = -1 if self.symbol.skip("n") else 1
        return sign * self.symbol.digits()

    def _qualified(self) -> Kind:
        symbol = self.symbol
        words = ""
        for letter, word in (("r", " restrict"), ("V", " volatile"), ("K", " const")):
            words = word + words if symbol.skip(letter) else words
        if symbol.peek() == "F":  # of which they are a part: it is not kept without them
            inner = self._function()
            return inner._replace(right=inner.right + words)
        return mapped(self.type(), lambda inner: with_words(inner, words))

    def _pointer(self) -> Kind:
        self.symbol.expect("P")
        return mapped(self.type(), lambda inner: around(inner, "*"))

    def _reference(self) -> Kind:
        sign = "&" if self.symbol.next() == "R" else "&&"
        return mapped(self.type(), lambda inner: referring(inner, sign))

    def _function(self) -> Kind:
        symbol = self.symbol
        symbol.expect("F")
        symbol.skip("Y")
        result = self.type()
        parameters = self._parameters()
        tail = " &" if symbol.skip("R") else " &&" if symbol.skip("O") else ""
        symbol.expect("E")
        return Kind(f"{result.left} ", f"({parameters}){tail}{result.right}", wraps=True)

    def _array(self) -> Kind:
        symbol = self.symbol
        symbol.expect("A")
        size = ""
        if symbol.peek() != "_":
            size = str(symbol.digits()) if symbol.peek().isdigit() else self._expression()
        symbol.expect("_")
        inner = self.type()
        right = inner.right.lstrip() if inner.right.startswith(" [") else inner.right
        return Kind(inner.left, f" [{size}]{right}", wraps=True)

    def _member(self) -> Kind:
        self.symbol.expect("M")
        owner = str(self.type())
        inner = self.type()
        return around(inner, f"{owner}::*", space=not inner.wraps)

    def _vendor(self) -> Kind:
        self.symbol.expect("U")
        name = self._source()
        if self.symbol.peek() == "I":
            name += self._template()
        inner = self.type()
        if name.startswith("objcproto"):
            raise NotMangled
        return inner._replace(left=f"{inner.left} {name}")

    def _complex(self) -> Kind:
        word = {"C": " complex", "G": " imaginary"}[self.symbol.next()]
        inner = self.type()
        return inner._replace(left=inner.left + word)

    def _with_d(self) -> Kind:
        symbol = self.symbol
        code = symbol.take(2)
        if code == "Dp":
            inner = self.type()
            return inner if inner.pack is not None else inner._replace(right=inner.right + "...")
        if code in ("Dt", "DT"):
            found = Kind(f"decltype({self._expression()})")
            symbol.expect("E")
            return found
        if code == "Do":
            inner = self._function()
            return inner._replace(right=f"{inner.right} noexcept")
        if code == "Dv":
            size = str(symbol.digits())
            symbol.expect("_")
            return Kind(f"{self.type()} vector[{size}]")
        raise NotMangled

    def _parameters(self) -> str:
        symbol = self.symbol
        found: list[Kind] = []
        while (
            symbol.at < len(symbol.text)
            and symbol.peek() not in ("E", ".")
            and symbol.peek(2) not in ("RE", "OE")
        ):
            found.append(self.type())
        text = short(joined(found))
        return "" if text == "void" else text

    def _template(self) -> str:
        """Arguments of a template, which become those that `T_` stands for."""
        symbol = self.symbol
        symbol.expect("I")
        found: list[Kind] = []
        while not symbol.skip("E"):
            if symbol.skip("Tn"):  # the type of what follows, in which earlier ones may occur
                before, self.arguments = self.arguments, found
                self.type()
                self.arguments = before
            found.append(self._argument())
        self.arguments = found
        return short(f"<{joined(found)}>")

    def _argument(self) -> Kind:
        symbol = self.symbol
        symbol.deeper()
        if symbol.peek() == "L":
            found = Kind(self._literal())
        elif symbol.skip("X"):
            found = Kind(self._expression())
            symbol.expect("E")
        elif symbol.skip("J"):
            before = self.arguments
            pack = []
            while not symbol.skip("E"):
                pack.append(self._argument())
            self.arguments = before
            found = Kind("", pack=tuple(pack))
        else:
            before = self.arguments
            found = self.type()
            self.arguments = before
        symbol.higher()
        return found

    def _source(self) -> str:
        text = self.symbol.take(self.symbol.digits())
        return "(anonymous namespace)" if text.startswith("_GLOBAL__N") else text


_COMPOSED = {
    "r": TypeReader._qualified, "V": TypeReader._qualified, "K": TypeReader._qualified,
    "P": TypeReader._pointer, "R": TypeReader._reference, "O": TypeReader._reference,
    "F": TypeReader._function, "A": TypeReader._array, "M": TypeReader._member,
    "U": TypeReader._vendor, "C": TypeReader._complex, "G": TypeReader._complex,
}  # fmt: skip
