"""The mangling of C++ (the Itanium ABI): names, templates, types, and the references between them.

    itanium("_ZNSt6vectorIiSaIiEE9push_backERKi")    # std::vector<int, std::allocator<int>>::push_back(int const&)

Rules that live here: a type is two texts, what comes before a name and what comes behind it, because those of functions
and arrays go around one; every part that the ABI lets a name refer to is kept in order; expressions, but for the
simplest, are not undone, and neither is a name that has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from simwasm.wasm.demangle.itanium_words import (
    ABBREVIATIONS,
    BUILTINS,
    EXTENDED,
    LITERALS,
    OPERATORS,
    SPECIAL,
)
from simwasm.wasm.demangle.symbol import NotMangled, Symbol, short


class Kind(NamedTuple):
    """A type: the text before a name of that type, and the one behind it."""

    left: str
    right: str = ""
    wraps: bool = False
    """Whether it is a function or an array, so that a pointer to it goes in parentheses."""
    reference: str = ""
    """`&` or `&&` of a reference, which collapse."""
    pack: tuple[Kind, ...] | None = None
    """The types of a pack, of which each takes what is done to the pack."""

    def __str__(self) -> str:
        return short(_joined(self.pack) if self.pack is not None else self.left + self.right)

    @property
    def nothing(self) -> bool:
        """Whether it is a pack of no types."""
        return self.pack is not None and all(each.nothing for each in self.pack)


def _joined(kinds: Iterable[Kind]) -> str:
    return ", ".join([str(each) for each in kinds if not each.nothing])


class Name(NamedTuple):
    """A name, and what of it decides how its function is told."""

    text: str
    template: bool = False
    """Whether it ends with arguments of a template: then the type of its function begins with the result's."""
    bare: bool = False
    """Whether it is a constructor, a destructor or a conversion, which have no result."""
    tail: str = ""
    """` const`, ` &` and so on, behind the parameters."""


def itanium(symbol: str) -> str | None:
    """Undo it; None for a name that is not of that kind, or that is beyond this."""
    start = 2 if symbol.startswith("_Z") else 3 if symbol.startswith("__Z") else 0
    if not start:
        return None
    plain, dot, suffix = symbol.partition(".")
    try:
        reader = _Reader(Symbol(plain, start))
        found = reader.encoding()
        if reader.symbol.at != len(plain):
            return None
    except NotMangled:
        return None
    return f"{found} ({dot}{suffix})" if dot else found


class _Reader:
    """One name being read."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.known: list[Kind] = []
        """What `S_`, `S0_` and so on stand for."""
        self.arguments: list[Kind] = []
        """What `T_`, `T0_` and so on stand for."""

    def encoding(self) -> str:
        """A function with its parameters, a variable, or something the compiler made for one."""
        symbol = self.symbol
        symbol.deeper()
        found = self._special() if symbol.peek() in ("T", "G") else self._entity()
        symbol.higher()
        return short(found)

    def _special(self) -> str:
        symbol = self.symbol
        kind = symbol.take(2)
        if kind in SPECIAL:
            return SPECIAL[kind] + str(self.type())
        if kind in ("GV", "TW", "TH"):
            return _ENTITIES[kind] + self.name().text
        if kind == "TC":
            outer = str(self.type())
            symbol.digits()
            symbol.expect("_")
            return f"construction vtable for {self.type()}-in-{outer}"
        if kind == "GR":
            name = self.name().text
            if not symbol.skip("_"):
                self._sequence()
            return f"reference temporary for {name}"
        if kind in ("Th", "Tv"):
            symbol.at -= 1
            self._offset()
            return ("non-virtual" if kind == "Th" else "virtual") + f" thunk to {self.encoding()}"
        if kind == "Tc":
            self._offset()
            self._offset()
            return f"covariant return thunk to {self.encoding()}"
        raise NotMangled

    def _offset(self) -> None:
        kind = self.symbol.next()
        if kind not in "hv":
            raise NotMangled
        for _ in range(1 if kind == "h" else 2):
            self.symbol.skip("n")
            self.symbol.digits()
            self.symbol.expect("_")

    def _entity(self) -> str:
        symbol = self.symbol
        outer = self.arguments
        name = self.name()
        if symbol.at >= len(symbol.text) or symbol.peek() in ("E", "."):
            self.arguments = outer if symbol.peek() == "E" else self.arguments
            return name.text + name.tail
        result = self.type() if name.template and not name.bare else None
        parameters = self._parameters()
        text = f"{name.text}({parameters}){name.tail}"
        if result is None:
            return text
        space = " " if not result.right.startswith(")") and not result.left.endswith("(") else ""
        return f"{result.left}{space}{text}{result.right}"

    def _parameters(self) -> str:
        symbol = self.symbol
        found: list[Kind] = []
        while (
            symbol.at < len(symbol.text)
            and symbol.peek() not in ("E", ".")
            and symbol.peek(2) not in ("RE", "OE")
        ):
            found.append(self.type())
        text = short(_joined(found))
        return "" if text == "void" else text

    def name(self) -> Name:
        """A name, wherever it is declared."""
        symbol = self.symbol
        symbol.deeper()
        if symbol.peek() == "N":
            found = self._nested()
        elif symbol.peek() == "Z":
            found = self._local()
        elif symbol.peek() == "S" and symbol.peek(2) != "St":
            found = Name(str(self._substitution()))
            found = self._with_arguments(found)
        else:
            found = self._unscoped()
        symbol.higher()
        return found

    def _unscoped(self) -> Name:
        symbol = self.symbol
        scope = "std::" if symbol.skip("St") else ""
        found = self._unqualified("")
        found = found._replace(text=scope + found.text)
        if symbol.peek() == "I":
            self.known.append(Kind(found.text))
        return self._with_arguments(found)

    def _with_arguments(self, name: Name) -> Name:
        if self.symbol.peek() != "I":
            return name
        return name._replace(text=name.text + self._template(), template=True)

    def _nested(self) -> Name:
        symbol = self.symbol
        symbol.expect("N")
        tail = ""
        for letter, word in (("r", " restrict"), ("V", " volatile"), ("K", " const")):
            tail = word + tail if symbol.skip(letter) else tail
        tail += " &" if symbol.skip("R") else " &&" if symbol.skip("O") else ""
        found = Name("")
        while not symbol.skip("E"):
            found = self._further(found)
        if not found.text:
            raise NotMangled
        return found._replace(tail=tail)

    def _further(self, scope: Name) -> Name:
        """A name with one part more."""
        symbol = self.symbol
        symbol.left -= 1
        if symbol.left < 0:
            raise NotMangled
        if symbol.peek() == "I":
            if not scope.text:
                raise NotMangled
            found = scope._replace(text=scope.text + self._template(), template=True)
        elif symbol.peek() == "S" and symbol.peek(2) != "St":
            return Name(str(self._substitution()))
        elif symbol.peek() == "T":
            return Name(str(self._parameter()))
        elif symbol.peek(2) in ("Dt", "DT"):
            return Name(str(self.type()))
        elif symbol.skip("St"):
            return Name("std")
        elif symbol.skip("M"):
            return scope
        else:
            part = self._unqualified(scope.text)
            found = part._replace(text=f"{scope.text}::{part.text}" if scope.text else part.text)
        found = found._replace(text=short(found.text))
        if symbol.peek() != "E":
            self.known.append(Kind(found.text))
        return found

    def _local(self) -> Name:
        symbol = self.symbol
        symbol.expect("Z")
        outer = self.arguments
        function = self.encoding()
        symbol.expect("E")
        if symbol.skip("s"):
            self._discriminator()
            return Name(f"{function}::string literal")
        if symbol.skip("d") and not symbol.skip("_"):
            self._number()
            symbol.expect("_")
        self.arguments = self.arguments or outer
        found = self.name()
        self._discriminator()
        return found._replace(text=short(f"{function}::{found.text}"))

    def _discriminator(self) -> None:
        if self.symbol.skip("__"):
            self.symbol.digits()
            self.symbol.expect("_")
        elif (
            self.symbol.peek() == "_" and self.symbol.text[self.symbol.at + 1 : self.symbol.at + 2].isdigit()
        ):
            self.symbol.at += 2

    def _unqualified(self, scope: str) -> Name:
        symbol = self.symbol
        symbol.skip("L")
        following = symbol.peek()
        if following.isdigit():
            found = Name(self._source())
        elif following in ("C", "D") and symbol.peek(2)[1:] in "I012345" and scope:
            found = self._constructor(scope)
        elif symbol.peek(2) in ("Ut", "Ul"):
            found = self._unnamed()
        elif symbol.skip("DC"):
            names = []
            while not symbol.skip("E"):
                names.append(self._source())
            found = Name(f"[{', '.join(names)}]")
        else:
            found = self._operator()
        while symbol.skip("B"):
            found = found._replace(text=f"{found.text}[abi:{self._source()}]")
        return found

    def _source(self) -> str:
        text = self.symbol.take(self.symbol.digits())
        return "(anonymous namespace)" if text.startswith("_GLOBAL__N") else text

    def _constructor(self, scope: str) -> Name:
        symbol = self.symbol
        kind = symbol.next()
        inherited = symbol.skip("I")
        if symbol.next() not in "012345":
            raise NotMangled
        if inherited:
            self.type()
        return Name(("~" if kind == "D" else "") + _last(scope), bare=True)

    def _unnamed(self) -> Name:
        symbol = self.symbol
        kind = symbol.take(2)
        parameters = None
        if kind == "Ul":
            parameters = self._parameters()
            symbol.expect("E")
        number = "" if symbol.peek() == "_" else str(symbol.digits())
        symbol.expect("_")
        if parameters is None:
            return Name(f"'unnamed{number}'")
        return Name(f"'lambda{number}'({parameters})")

    def _operator(self) -> Name:
        symbol = self.symbol
        code = symbol.take(2)
        if code == "cv":
            return Name(f"operator {self.type()}", bare=True)
        if code == "li":
            return Name(f'operator"" {self._source()}')
        if code[0] == "v" and code[1].isdigit():
            return Name(f"operator {self._source()}")
        if code not in OPERATORS:
            raise NotMangled
        word = OPERATORS[code]
        return Name(f"operator {word}" if word[0].isalpha() else f"operator{word}")

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
        return short(f"<{_joined(found)}>")

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
        found = self._substitution()
        if self.symbol.peek() != "I":
            return found
        before = self.arguments
        named = Kind(str(found) + self._template())
        self.arguments = before
        return self._kept(named)

    def _templated(self) -> Kind:
        found = self._kept(self._parameter())
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
        return _mapped(self.type(), lambda inner: _with_words(inner, words))

    def _pointer(self) -> Kind:
        self.symbol.expect("P")
        return _mapped(self.type(), lambda inner: _around(inner, "*"))

    def _reference(self) -> Kind:
        sign = "&" if self.symbol.next() == "R" else "&&"
        return _mapped(self.type(), lambda inner: _referring(inner, sign))

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
        return _around(inner, f"{owner}::*", space=not inner.wraps)

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


def _mapped(kind: Kind, change: object) -> Kind:
    """A type changed; of a pack, each of its types."""
    if kind.pack is None:
        return change(kind)  # type: ignore[no-any-return,operator]  # one of the lambdas above
    return Kind("", pack=tuple(_mapped(each, change) for each in kind.pack))


def _with_words(kind: Kind, words: str) -> Kind:
    if kind.wraps and kind.right.startswith(" ["):
        return kind._replace(left=kind.left + words)
    return kind._replace(left=short(kind.left + words), reference=kind.reference)


def _around(kind: Kind, sign: str, *, space: bool = False) -> Kind:
    if not kind.wraps:
        return Kind(short(f"{kind.left}{' ' if space else ''}{sign}"), kind.right)
    left = kind.left if kind.left.endswith(" ") else f"{kind.left} "
    return Kind(short(f"{left}({sign}"), f"){kind.right}")


def _referring(kind: Kind, sign: str) -> Kind:
    if kind.reference:
        if kind.reference == "&&" and sign == "&":
            return kind._replace(left=kind.left[:-1], reference="&")
        return kind
    return _around(kind, sign)._replace(reference=sign)


def _last(scope: str) -> str:
    """The last part of a name, without the arguments of its template: what its constructor is called."""
    while scope.endswith("]") and "[abi:" in scope:
        scope = scope[: scope.rindex("[abi:")]
    depth = 0
    end = len(scope)
    for at in range(len(scope) - 1, -1, -1):
        letter = scope[at]
        if letter in ">)":
            if not depth and letter == ">" and end == len(scope):
                end = -1
            depth += 1
        elif letter in "<(":
            depth -= 1
            if not depth and end == -1:
                end = at
        elif letter == ":" and not depth:
            return scope[at + 1 : end]
    return scope[:end]


_UNARY = frozenset({"nt", "ng", "ps", "co", "ad", "de"})
_OTHERS = frozenset({"ix", "pp", "mm", "qu", "pt", "pm"})
"""Operators whose expressions are not of the form of one, or of two with it between them."""
_ENTITIES = {
    "GV": "guard variable for ",
    "TW": "thread-local wrapper routine for ",
    "TH": "thread-local initialization routine for ",
}
_COMPOSED = {
    "r": _Reader._qualified, "V": _Reader._qualified, "K": _Reader._qualified,
    "P": _Reader._pointer, "R": _Reader._reference, "O": _Reader._reference,
    "F": _Reader._function, "A": _Reader._array, "M": _Reader._member,
    "U": _Reader._vendor, "C": _Reader._complex, "G": _Reader._complex,
}  # fmt: skip
