"""A buffer of bytes that a plugin may read and edit, by Envoy's rules.

A prefix is replaced, or bytes are put in front or behind; the middle cannot be edited. Reading clamps.
"""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal

LARGEST = 1 << 26
"""How large a plugin may make a buffer, so that one that appends without end does not take all memory."""


class Buffer:
    """Bytes on their way; `writable` is what the guest may do to them, `why` the reason when it may not."""

    __slots__ = ("data", "writable", "why")

    def __init__(self, data: bytes = b"", *, writable: bool = True, why: str = "") -> None:
        self.data = data
        self.writable = writable
        self.why = why

    def __len__(self) -> int:
        return len(self.data)

    def take(self) -> bytes:
        """Move the bytes out."""
        data, self.data = self.data, b""
        return data

    def read(self, start: int, size: int) -> bytes:
        """A stretch of the bytes, as much of it as there is."""
        return self.data[start : start + size]

    def write(self, start: int, size: int, data: bytes) -> Refusal | None:
        """Replace, prepend or append."""
        if not self.writable:
            return Refusal(Status.BAD_ARGUMENT, self.why or "this buffer is read-only")
        length = len(self.data)
        if length + len(data) > LARGEST:
            reason = f"{length + len(data):,} bytes are more than a buffer may have here ({LARGEST:,})"
            return Refusal(Status.INTERNAL_FAILURE, reason)
        if start == 0:
            self.data = data + self.data[size:]
        elif start >= length:
            self.data += data
        else:
            return Refusal(
                Status.BAD_ARGUMENT,
                f"start {start} is inside the buffer of {length} bytes: only its beginning or its end can be written",
            )
        return None
