"""The machine code that an engine made of a plugin, and the instructions that it was made of.

    code = native("wasmtime", wasm)
    for line in code.lines(function): ...        # address, text, and the offset in the plugin as it was loaded

Rules that live here: what is shown is what a run executes, so it is made of the rewritten binary, and places are led
back to the original; code without a place there (frames of functions, `trap`s at the end) has none; an engine that does
not say which code belongs to which instruction still shows the code, and `CODE.unmapped` says why.
"""

from __future__ import annotations

import io
import shutil
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

from simwasm.engines.link import Interface
from simwasm.engines.load import load
from simwasm.errors import EngineUnavailable, InputError
from simwasm.wasm.decode import unsigned
from simwasm.wasm.module import Kind
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Rewritten, rewrite

Mapped = list[tuple[int, int | None]]
"""From which address on code belongs to which offset in the rewritten binary; in order."""


class NativeLine(NamedTuple):
    """One machine instruction."""

    address: int
    bytes: bytes
    text: str
    offset: int | None = None
    """The instruction of the plugin that it belongs to, as it was loaded."""
    inserted: bool = False
    """It belongs to what rewriting put there: the count of instructions."""


class _Symbol(NamedTuple):
    address: int
    size: int


@dataclass(frozen=True)
class NativeCode:
    """All machine code of a plugin."""

    engine: str
    """Engine, version and compiler."""
    machine: str
    """What capstone calls the processor."""
    unmapped: str
    """Why nothing says which code belongs to which instruction; empty if something does."""
    text: bytes
    symbols: dict[int, _Symbol]
    """Where functions are, by their index in the rewritten binary."""
    map: Mapped
    rewritten: Rewritten

    def size(self, function: int) -> int:
        """How many bytes of machine code a function of the plugin has."""
        symbol = self._symbol(function)
        return symbol.size if symbol else 0

    def lines(self, function: int) -> Iterator[NativeLine]:
        """The code of a function of the plugin's own."""
        symbol = self._symbol(function)
        if symbol is None:
            return
        code = self.text[symbol.address : symbol.address + symbol.size]
        for address, size, words, operands in self._disassembler.disasm_lite(code, symbol.address):
            offset, inserted = self._origin(function + 1, address)
            shown = f"{words} {operands}".rstrip()
            yield NativeLine(address, self.text[address : address + size], shown, offset, inserted)

    def _symbol(self, function: int) -> _Symbol | None:
        return self.symbols.get(function + 1)  # `simwasm.slice` is imported before them

    def _origin(self, function: int, address: int) -> tuple[int | None, bool]:
        index = bisect_right(self._starts, address) - 1
        place = self.map[index][1] if index >= 0 else None
        if place is None:
            return None, False
        frame = self.rewritten.origin(function, place)
        return (None if frame is None else frame.offset), self.rewritten.inserted(function, place)

    @cached_property
    def _starts(self) -> list[int]:
        return [address for address, _ in self.map]

    @cached_property
    def _disassembler(self) -> Any:
        capstone = _capstone()
        architecture, mode = (getattr(capstone, name) for name in _MACHINES[self.machine])
        return capstone.Cs(architecture, mode)


_MACHINES = {
    "EM_X86_64": ("CS_ARCH_X86", "CS_MODE_64"),
    "EM_AARCH64": ("CS_ARCH_ARM64", "CS_MODE_ARM"),
}
"""By what ELF calls them."""


def native(engine: str | None, wasm: bytes) -> NativeCode:
    """The machine code that an engine makes of a plugin: wasmtime's, unless wasmer's is asked for."""
    name = engine or "wasmtime"
    if name not in _ENGINES:
        raise InputError(
            f"the engine {name} makes no machine code that can be shown; known are {', '.join(_ENGINES)}"
        )
    _capstone()
    return _ENGINES[name](wasm)


def _capstone() -> Any:
    try:
        return import_module("capstone")
    except ImportError:
        raise EngineUnavailable("machine code needs capstone: pip install 'simwasm[native]'") from None


def _wasmtime(wasm: bytes) -> NativeCode:
    from simwasm.engines.wasmtime_engine import WasmtimeEngine  # takes 50 ms

    engine = WasmtimeEngine()
    _, compiled = Interface.detach(load(engine, wasm).compiled())
    elf = _Elf(compiled)
    found = address_map(elf.section(".wasmtime.addrmap"), len(elf.section(".text")))
    return NativeCode(
        f"wasmtime {engine.version} (Cranelift, not optimised)",
        elf.machine(),
        ""
        if found
        else f"wasmtime {engine.version} says in a way that is not known here which code belongs to what",
        elf.section(".text"),
        dict(_wasmtime_symbols(elf)),
        found or [],
        rewrite(read_module(wasm)),
    )


def _wasmtime_symbols(elf: _Elf) -> Iterator[tuple[int, _Symbol]]:
    for name, symbol in elf.symbols():
        begin, _, rest = name.partition("function[")
        if begin == "wasm[0]::":
            yield int(rest.partition("]")[0]), symbol


def _wasmer(wasm: bytes) -> NativeCode:
    if shutil.which("gcc") is None:
        raise EngineUnavailable(
            "wasmer names its functions only in a library that it links with gcc, which is not here: install gcc, or "
            "try --engine wasmtime"
        )
    from simwasm.engines.find import engine  # says why, where wasmer does not load

    version = engine("wasmer").version.partition("-")[0]
    wasmer, compiler = import_module("wasmer"), import_module("wasmer_compiler_singlepass")
    rewritten = rewrite(read_module(wasm))
    try:
        module = wasmer.Module(wasmer.Store(wasmer.engine.Dylib(compiler.Compiler)), rewritten.wasm)
    except RuntimeError as error:
        raise EngineUnavailable(
            f"wasmer's singlepass does not compile it ({error}); try --engine wasmtime"
        ) from None
    elf = _Elf(bytes(module.serialize()))
    first = len(rewritten.module.imported(Kind.FUNCTION)) + 1
    return NativeCode(
        f"wasmer {version} (singlepass, as for stepping; a run has Cranelift's code, in which nothing has a name)",
        elf.machine(),
        "wasmer does not say which code belongs to which instruction: --engine wasmtime does",
        elf.image(".text"),
        {
            first + int(name.removeprefix(_WASMER_NAME)): symbol
            for name, symbol in elf.symbols()
            if name.startswith(_WASMER_NAME)
        },
        [],
        rewritten,
    )


_WASMER_NAME = "wasmer_function__"
_ENGINES: dict[str, Callable[[bytes], NativeCode]] = {"wasmtime": _wasmtime, "wasmer": _wasmer}


class _Elf:
    """What is needed of an ELF file."""

    def __init__(self, data: bytes) -> None:
        from elftools.elf.elffile import ELFFile  # most do not look at machine code

        self._file: Any = ELFFile(io.BytesIO(data))

    def machine(self) -> str:
        found = str(self._file["e_machine"])
        if found not in _MACHINES:
            raise EngineUnavailable(f"machine code of {found} is not shown; {', '.join(_MACHINES)} is")
        return found

    def section(self, name: str) -> bytes:
        """The contents of a section; none of one that is not there."""
        found = self._file.get_section_by_name(name)
        return b"" if found is None else bytes(found.data())

    def image(self, name: str) -> bytes:
        """The same, so far from the beginning as its address says."""
        return bytes(self._file.get_section_by_name(name)["sh_addr"]) + self.section(name)

    def symbols(self) -> Iterator[tuple[str, _Symbol]]:
        table = self._file.get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if table is not None else ():
            yield symbol.name, _Symbol(symbol["st_value"], symbol["st_size"])


def address_map(data: bytes, code: int) -> Mapped | None:
    """Read the map of wasmtime's addresses, of either form there is; None if it is of neither.

    The older: a count, the addresses, the offsets. The newer: counts of entries and of blocks, where each block begins
    in the code and in what follows, then steps in LEB128; after an odd one there is no offset, and the first offset of
    a block is whole.
    """
    for read in (_flat_map, _block_map):
        try:
            found = read(data)
        except (IndexError, struct.error):
            continue
        addresses = [address for address, _ in found]
        if found and addresses == sorted(addresses) and addresses[-1] <= code:
            return found
    return None


def _flat_map(data: bytes) -> Mapped:
    (count,) = struct.unpack_from("<I", data)
    if len(data) != 4 + 8 * count:
        return []
    words = struct.unpack_from(f"<{2 * count}I", data, 4)
    offsets = [None if word == 0xFFFF_FFFF else word for word in words[count:]]
    return list(zip(words[:count], offsets, strict=True))


def _block_map(data: bytes) -> Mapped:
    entries, blocks = struct.unpack_from("<II", data)
    if not 0 < 8 * blocks <= len(data) - 8:
        return []
    heads = list(struct.iter_unpack("<II", data[8 : 8 + 8 * blocks]))
    steps = data[8 + 8 * blocks :]
    found: Mapped = []
    for (address, at), (_, end) in zip(heads, [*heads[1:], (0, len(steps))], strict=True):
        offset: int | None = None
        while at < end:
            step, at = unsigned(steps, at)
            address += step >> 1
            if step & 1:
                found.append((address, None))
                continue
            change, after = unsigned(steps, at)
            if offset is not None and steps[after - 1] & 0x40:
                change -= 1 << 7 * (after - at)
            offset, at = (offset or 0) + change, after
            found.append((address, offset))
    return found if len(found) == entries else []
