"""`compress` and `uncompress`: the zlib format, as strong as zlib is by default."""

from __future__ import annotations

import zlib

from simwasm.abi.enums import Status
from simwasm.abi.status import Made, Refusal
from simwasm.host.vm import Vm

LARGEST = 1 << 28
"""What `uncompress` makes at most; a plugin may not fill the machine's memory."""


def compress(vm: Vm, arguments: bytes) -> bytes:
    return zlib.compress(arguments)


def uncompress(vm: Vm, arguments: bytes) -> bytes | Refusal:
    """What was compressed; bytes behind its end do not matter."""
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(arguments, LARGEST)
    except zlib.error as error:
        return Refusal(Status.SERIALIZATION_FAILURE, f"arguments: these bytes are no zlib data: {error}")
    if reader.unconsumed_tail:
        return Refusal(
            Status.SERIALIZATION_FAILURE, f"it is more than {LARGEST:,} bytes, the most there may be here"
        )
    if not reader.eof:
        return Refusal(Status.SERIALIZATION_FAILURE, "arguments: the zlib data ends too early")
    return Made(found)
