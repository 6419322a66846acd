"""Remove custom sections from a Wasm module: `drop_sections.py MODULE NAME…`."""

import sys
from pathlib import Path

CUSTOM = 0
HEADER_SIZE = 8


def read_u32(module: bytes, at: int) -> tuple[int, int]:
    """A LEB128 number and the offset behind it."""
    number = shift = 0
    while True:
        byte = module[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def without(module: bytes, names: set[str]) -> bytes:
    kept = [module[:HEADER_SIZE]]
    at = HEADER_SIZE
    while at < len(module):
        size, content = read_u32(module, at + 1)
        end = content + size
        length, name = read_u32(module, content)
        if module[at] != CUSTOM or module[name : name + length].decode() not in names:
            kept.append(module[at:end])
        at = end
    return b"".join(kept)


path, *names = sys.argv[1:]
Path(path).write_bytes(without(Path(path).read_bytes(), set(names)))
