"""Rust's newer mangling (RFC 2603): paths, types and constants, with references back to earlier parts of the name.

Rules that live here: hashes that tell crates apart are left out; a reference back is read at its place, which is
before the reference, so it ends.
"""

from __future__ import annotations

from collections.abc import Callable

from simwasm.wasm.demangle.symbol import NotMangled, Symbol, short

_BASIC = {
    "b": "bool", "c": "char", "e": "str", "u": "()", "z": "!", "p": "_", "v": "...",
    "a": "i8", "s": "i16", "l": "i32", "x": "i64", "n": "i128", "i": "isize",
    "h": "u8", "t": "u16", "m": "u32", "y": "u64", "o": "u128", "j": "usize",
    "f": "f32", "d": "f64",
}  # fmt: skip
_SIGNED, _UNSIGNED = frozenset("aslxni"), frozenset("htmyoj")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_SPECIAL = {"C": "closure", "S": "shim"}


def rust_v0(symbol: str) -> str | None:
    """Undo it; None for a name that is not of that kind.

    >>> rust_v0("_RNvCs1234_7mycrate3foo")
    'mycrate::foo'
    """
    if not symbol.startswith("_R") or symbol[2:3].isdigit():
        return None
    plain = symbol.partition(".")[0]
    try:
        return _Reader(Symbol(plain, 2)).whole()
    except NotMangled:
        return None


class _Reader:
    """One name being read."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.lifetimes = 0
        """How many are bound around what is read."""

    def whole(self) -> str:
        found = self.path(value=True)
        if self.symbol.at < len(self.symbol.text):
            self.path(value=False)  # the crate that made this instance
        if self.symbol.at != len(self.symbol.text):
            raise NotMangled
        return found

    def path(self, *, value: bool) -> str:
        """A path; in one of a value, arguments of types come behind `::`."""
        symbol = self.symbol
        symbol.deeper()
        kind = symbol.next()
        if kind == "C":
            self._disambiguator()
            found = self.identifier()
        elif kind == "M":
            self._impl_path()
            found = f"<{self.type()}>"
        elif kind == "X":
            self._impl_path()
            found = f"<{self.type()} as {self.path(value=False)}>"
        elif kind == "Y":
            found = f"<{self.type()} as {self.path(value=False)}>"
        elif kind == "N":
            found = self._nested(value)
        elif kind == "I":
            start = self.path(value=value)
            arguments = ", ".join(self._until_end(self._argument))
            found = f"{start}{'::' if value else ''}<{arguments}>"
        elif kind == "B":
            found = self._back(lambda: self.path(value=value))
        else:
            raise NotMangled
        symbol.higher()
        return short(found)

    def _nested(self, value: bool) -> str:
        space = self.symbol.next()
        if not space.isalpha():
            raise NotMangled
        start = self.path(value=value)
        number = self._disambiguator()
        name = self.identifier()
        if space.islower():
            return f"{start}::{name}" if name else start
        kind = _SPECIAL.get(space, space)
        return f"{start}::{{{kind}{f':{name}' if name else ''}#{number}}}"

    def _impl_path(self) -> None:
        self._disambiguator()
        self.path(value=False)

    def _disambiguator(self) -> int:
        return self.base62() + 1 if self.symbol.skip("s") else 0

    def base62(self) -> int:
        """A number; a lone `_` is 0."""
        value = 0
        for count in range(12):
            digit = self.symbol.next()
            if digit == "_":
                return value + 1 if count else 0
            if digit not in _VALUES:
                break
            value = value * 62 + _VALUES[digit]
        raise NotMangled

    def identifier(self) -> str:
        """A name."""
        symbol = self.symbol
        puny = symbol.skip("u")
        if symbol.peek() == "0":
            symbol.next()
            size = 0
        else:
            size = symbol.digits()
        symbol.skip("_")
        text = symbol.take(size)
        return _unicode(text) if puny else text

    def _until_end(self, read: Callable[[], str]) -> list[str]:
        found = []
        while not self.symbol.skip("E"):
            found.append(read())
            short("".join(found))
        return found

    def _argument(self) -> str:
        if self.symbol.skip("L"):
            return self._lifetime(self.base62())
        return self.constant() if self.symbol.skip("K") else self.type()

    def _lifetime(self, index: int) -> str:
        if not index:
            return "'_"
        depth = self.lifetimes - index
        if depth < 0:
            raise NotMangled
        return f"'{chr(ord('a') + depth)}" if depth < 26 else f"'_{depth}"

    def _back(self, read: Callable[[], str]) -> str:
        """Read a part of the name once more."""
        symbol = self.symbol
        start = symbol.at - 1
        target = self.base62() + 2
        if target >= start:
            raise NotMangled
        here, symbol.at = symbol.at, target
        found = short(read())
        symbol.at = here
        return found

    def type(self) -> str:
        """A type."""
        symbol = self.symbol
        symbol.deeper()
        kind = symbol.next()
        if kind in _BASIC:
            found = _BASIC[kind]
        elif kind in _TYPES:
            found = _TYPES[kind](self)
        elif kind == "B":
            found = self._back(self.type)
        else:
            symbol.at -= 1
            found = self.path(value=False)
        symbol.higher()
        return short(found)

    def _array(self) -> str:
        return f"[{self.type()}; {self.constant()}]"

    def _tuple(self) -> str:
        items = self._until_end(self.type)
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"

    def _reference(self, mutable: str) -> str:
        lifetime = self.base62() if self.symbol.skip("L") else 0
        named = f"{self._lifetime(lifetime)} " if lifetime else ""
        return f"&{named}{mutable}{self.type()}"

    def _function(self) -> str:
        bound, before = self._bound(), self.lifetimes
        self.lifetimes += bound
        text = "unsafe " if self.symbol.skip("U") else ""
        if self.symbol.skip("K"):
            name = "C" if self.symbol.skip("C") else self.identifier().replace("_", "-")
            text += f'extern "{name}" '
        arguments = ", ".join(self._until_end(self.type))
        result = self.type()
        text = f"{self._for(bound, before)}{text}fn({arguments})"
        self.lifetimes = before
        return text if result == "()" else f"{text} -> {result}"

    def _dyn(self) -> str:
        bound, before = self._bound(), self.lifetimes
        self.lifetimes += bound
        traits = " + ".join(self._until_end(self._trait))
        head = self._for(bound, before)
        self.lifetimes = before
        self.symbol.expect("L")
        lifetime = self.base62()
        return f"dyn {head}{traits}{f' + {self._lifetime(lifetime)}' if lifetime else ''}"

    def _trait(self) -> str:
        found = self.path(value=False)
        bindings = []
        while self.symbol.skip("p"):
            bindings.append(
                f"{self.identifier()} = {self.constant() if self.symbol.skip('K') else self.type()}"
            )
        if not bindings:
            return found
        if found.endswith(">"):
            return f"{found[:-1]}, {', '.join(bindings)}>"
        return f"{found}<{', '.join(bindings)}>"

    def _bound(self) -> int:
        count = self.base62() + 1 if self.symbol.skip("G") else 0
        if count > 100:
            raise NotMangled
        return count

    def _for(self, bound: int, before: int) -> str:
        if not bound:
            return ""
        names = ", ".join(self._lifetime(self.lifetimes - before - index) for index in range(bound))
        return f"for<{names}> "

    def constant(self) -> str:
        """A constant of a type."""
        symbol = self.symbol
        symbol.deeper()
        kind = symbol.next()
        if kind == "p":
            found = "_"
        elif kind == "B":
            found = self._back(self.constant)
        elif kind in _SIGNED or kind in _UNSIGNED:
            sign = "-" if kind in _SIGNED and symbol.skip("n") else ""
            found = sign + _number(self._hex())
        elif kind in _CONSTANTS:
            found = _CONSTANTS[kind](self)
        else:
            raise NotMangled
        symbol.higher()
        return short(found)

    def _hex(self) -> str:
        start = self.symbol.at
        while self.symbol.peek() in _HEX and self.symbol.peek():
            self.symbol.at += 1
        digits = self.symbol.text[start : self.symbol.at]
        self.symbol.expect("_")
        return digits

    def _bool(self) -> str:
        found = {"0": "false", "1": "true"}.get(self._hex())
        if found is None:
            raise NotMangled
        return found

    def _char(self) -> str:
        digits = self._hex()
        if not digits or len(digits) > 6 or int(digits, 16) > 0x10FFFF:
            raise NotMangled
        return repr(chr(int(digits, 16)))

    def _text(self) -> str:
        digits = self._hex()
        try:
            return '"' + bytes.fromhex(digits).decode().replace('"', '\\"') + '"'
        except ValueError:
            raise NotMangled from None

    def _structure(self) -> str:
        kind = self.symbol.next()
        name = self.path(value=True)
        if kind == "U":
            return name
        if kind == "T":
            return f"{name}({', '.join(self._until_end(self.constant))})"
        if kind == "S":
            return f"{name} {{ {', '.join(self._until_end(self._field))} }}"
        raise NotMangled

    def _field(self) -> str:
        self._disambiguator()
        return f"{self.identifier()}: {self.constant()}"


_HEX = "0123456789abcdef"
_TYPES = {
    "A": _Reader._array,
    "S": lambda reader: f"[{reader.type()}]",
    "T": _Reader._tuple,
    "R": lambda reader: reader._reference(""),
    "Q": lambda reader: reader._reference("mut "),
    "P": lambda reader: f"*const {reader.type()}",
    "O": lambda reader: f"*mut {reader.type()}",
    "F": _Reader._function,
    "D": _Reader._dyn,
}
_CONSTANTS = {
    "b": _Reader._bool,
    "c": _Reader._char,
    "e": _Reader._text,
    "R": lambda reader: f"&{reader.constant()}",
    "Q": lambda reader: f"&mut {reader.constant()}",
    "A": lambda reader: f"[{', '.join(reader._until_end(reader.constant))}]",
    "T": lambda reader: f"({', '.join(reader._until_end(reader.constant))})",
    "V": _Reader._structure,
}


def _number(digits: str) -> str:
    digits = digits.lstrip("0") or "0"
    return str(int(digits, 16)) if len(digits) <= 16 else f"0x{digits}"


def _unicode(text: str) -> str:
    """A name with letters beyond ASCII: punycode, its last separator an underscore."""
    try:
        plain, _, coded = text.rpartition("_")
        return (
            f"{plain}-{coded}".encode("ascii").decode("punycode")
            if plain
            else coded.encode().decode("punycode")
        )
    except (UnicodeError, ValueError, OverflowError):
        raise NotMangled from None
