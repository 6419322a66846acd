"""The straight way to read and write one parameter, as text: what `texts.py` puts functions together from.

`view`, `chars` and `limit` are the newest view of the guest's memory, an array over it whose slices are bytes, and its
length; `careful` is a `Careful`. Rules:

- every bound is compared with `limit` before memory is touched, also for no bytes;
- reading that does not succeed at once is an IndexError or KeyError and changes nothing, so it can be done again;
- writing that does not succeed at once goes on in `careful`, which also has the view renewed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simwasm.abi.kinds import Form, Param

ALLOCATING = 2
"""What `Gate.shut` has set while the guest's allocator runs."""

_M32, _M64 = "0xFFFFFFFF", "0xFFFFFFFFFFFFFFFF"


class Place(NamedTuple):
    """A parameter in the text of a function."""

    param: Param
    row: str
    """The name of the row."""
    words: tuple[str, ...]
    value: str


_RANGE = """\
at = {words[0]} & 0xFFFFFFFF
end = at + ({words[1]} & 0xFFFFFFFF)
if end > limit:
    raise IndexError
"""

_READ: dict[Form, str] = {
    Form.U32: "{value} = {words[0]} & 0xFFFFFFFF",
    Form.I32: "{value} = (({words[0]} & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000",
    Form.U64: "{value} = {words[0]} & 0xFFFFFFFFFFFFFFFF",
    Form.I64: "{value} = (({words[0]} & 0xFFFFFFFFFFFFFFFF) ^ 0x8000000000000000) - 0x8000000000000000",
    Form.FLAG: "{value} = {words[0]} & 0xFFFFFFFF != 0",
    Form.ENUM: "{value} = {kind}_members[{words[0]}]",
    Form.TEXT: _RANGE + '{value} = chars[at:end].decode("utf-8", "surrogateescape")',
    Form.DATA: _RANGE + "{value} = chars[at:end]",
    Form.PATH: _RANGE + "{value} = decode_path(chars[at:end])",
    Form.PAIRS: _RANGE + "{value} = decode_pairs(chars[at:end])",
    Form.IOVECS: "{value} = gathered(read, {words[0]}, {words[1]})",
    Form.SPAN: "{value} = {words[1]} & 0xFFFFFFFF",
}


def read(place: Place) -> str:
    """The lines that make a value of words."""
    kind = place.param.enum.__name__ if place.param.enum else ""
    return _READ[place.param.form].format(words=place.words, value=place.value, kind=kind)


def _number(size: int) -> Callable[[Place], str]:
    def write(place: Place) -> str:
        mask = _M64 if size == 8 else _M32
        return _put(place, place.words[0], f"{place.value} & {mask}", place.param.name, size)

    return write


def _put(place: Place, word: str, value: str, name: str, size: int = 4) -> str:
    """The lines that write a number where a word points."""
    if_wanted, or_if = (" and to", "elif to") if place.param.optional else ("", "else")
    kind = f"u{8 * size}"
    return f"""\
to = {word} & {_M32}
if to + {size} <= limit{if_wanted}:
    put_{kind}(view, to, {value})
{or_if}:
    careful.write({place.row}, {name!r}, to, {kind}({value}))
"""


def _allocated(encoded: str) -> Callable[[Place], str]:
    def write(place: Place) -> str:
        name = place.param.name
        made, or_made = "", ""
        if place.param.optional:
            made, or_made = f"{place.value} = bytes(data)\n", " or data.__class__ is not bytes"
        return f"""\
data = {encoded.format(value=place.value)}
{made}size = len(data)
at = 0
if size{or_made}:
    before = gate.shut
    gate.shut = before | {ALLOCATING}
    try:
        at = allocate(size) & {_M32}
    except Trap as failure:
        gate.failed(failure)
    finally:
        gate.shut = before
    end = at + size
    if (at or not size) and end <= limit:
        view[at:end] = data
    else:
        careful.place({place.row}, {name!r}, at, data)
{_put(place, place.words[0], "at", f"{name} (address)")}\
{_put(place, place.words[1], "size", f"{name} (size)")}"""

    return write


def _carefully(what: str) -> Callable[[Place], str]:
    def write(place: Place) -> str:
        return f"careful.{what}({place.row}, {place.param.name!r}, {', '.join(place.words)}, {place.value})"

    return write


def _first_word(place: Place) -> str:
    return _carefully("write")(place._replace(words=place.words[:1]))


_WRITE: dict[Form, Callable[[Place], str]] = {
    Form.U32: _number(4),
    Form.U64: _number(8),
    Form.ENUM: _number(4),
    Form.BLOB: _first_word,
    Form.SPAN: _first_word,
    Form.STRINGS: _carefully("strings"),
    Form.TEXT: _allocated('{value}.encode("utf-8", "surrogateescape")'),
    Form.DATA: _allocated("{value}"),
    Form.PAIRS: _allocated("encode_pairs({value})"),
}


def write(place: Place) -> str:
    """The lines that write a value into the guest."""
    return _WRITE[place.param.form](place)


def clear(place: Place) -> str:
    """The lines that write zero where a value will be written."""
    return "".join(_put(place, word, "0", place.param.name) for word in place.words)


CLASSES: dict[Form, str] = {
    Form.TEXT: "str",
    Form.DATA: "bytes",
    Form.PAIRS: "tuple",
    Form.BLOB: "bytes",
    Form.SPAN: "bytes",
}
"""What a handler gives in the common case; an int where nothing is said."""
