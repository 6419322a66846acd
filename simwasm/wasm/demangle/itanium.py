"""The mangling of C++ (the Itanium ABI): names, templates, types, and the references between them.

    itanium("_ZNSt6vectorIiSaIiEE9push_backERKi")    # std::vector<int, std::allocator<int>>::push_back(int const&)

Rules that live here: every part that the ABI lets a name refer to is kept in order; expressions, but for the
simplest, are not undone, and neither is a name that has one.
"""

from __future__ import annotations

from simwasm.wasm.demangle.itanium_expressions import ExpressionReader
from simwasm.wasm.demangle.itanium_kinds import Kind, Name, last
from simwasm.wasm.demangle.itanium_words import OPERATORS, SPECIAL
from simwasm.wasm.demangle.symbol import NotMangled, Symbol, short

_ENTITIES = {
    "GV": "guard variable for ",
    "TW": "thread-local wrapper routine for ",
    "TH": "thread-local initialization routine for ",
}


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


class _Reader(ExpressionReader):
    """One name being read."""

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

    def _constructor(self, scope: str) -> Name:
        symbol = self.symbol
        kind = symbol.next()
        inherited = symbol.skip("I")
        if symbol.next() not in "012345":
            raise NotMangled
        if inherited:
            self.type()
        return Name(("~" if kind == "D" else "") + last(scope), bare=True)

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
