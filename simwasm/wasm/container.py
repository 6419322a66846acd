"""What a file is, judged by its first bytes, and what to do when it is not a core Wasm module."""

from __future__ import annotations

from simwasm.errors import BadModule

_MAGIC = b"\0asm"
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"PK\x03\x04", "a zip file; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file; unpack it first"),
    (b"BZh", "a bzip2 file; unpack it first"),
    (b"\xfd7zXZ", "an xz file; unpack it first"),
    (b"\x7fELF", "a native (ELF) binary; build for a wasm32 target"),
    (b"\xcf\xfa\xed\xfe", "a native (Mach-O) binary; build for a wasm32 target"),
    (b"MZ", "a native (Windows) binary; build for a wasm32 target"),
    (b"!<arch>", "a static library; link it to a .wasm file"),
    (b"BC\xc0\xde", "LLVM bitcode; link it to a .wasm file"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head")


def check_container(data: bytes) -> None:
    """Raise `BadModule` unless the bytes begin as a Wasm module of version 1 does."""
    if data[:8] == _MAGIC + b"\x01\0\0\0":
        return
    if data[:4] != _MAGIC:
        raise BadModule(f"not a Wasm module: {_guess(data)}")
    if len(data) < 8:
        raise BadModule("the file is cut short: a Wasm module has at least 8 bytes", offset=len(data))
    version = int.from_bytes(data[4:8], "little")
    if version >> 16 == 1:
        raise BadModule(
            f"a WebAssembly component (version 0x{version:x}), not a core module: Envoy loads core modules"
            " only; build for wasm32-wasip1 (not wasip2), without `wasm-tools component new`"
        )
    raise BadModule(f"Wasm version {version}; only version 1 is known", offset=4)


def _guess(data: bytes) -> str:
    if not data:
        return "the file is empty; did the build succeed?"
    for start, what in _OTHERS:
        if data.startswith(start):
            return f"it is {what}"
    if data[257:262] == b"ustar":
        return "it is a tar file; the .wasm file (an image's plugin.wasm) is inside it"
    if data[:256].lstrip().lower().startswith(_MARKUP):
        return "it is a web page; the download probably failed"
    head = data[:256].lstrip()
    if head.startswith((b"(module", b";;")):
        return "it is Wasm in the text format; convert it with wat2wasm"
    if all(byte >= 0x20 or byte in b"\t\n\r" for byte in head):
        return f"it is text (starts with {_shown(head)}); is this the .wasm file your build produced?"
    return f"it starts with {data[:4].hex(' ')}; is this the .wasm file your build produced?"


def _shown(head: bytes) -> str:
    return repr(head[:20].decode("utf-8", "replace"))
