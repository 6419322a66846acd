"""Messages between two processes: bytes with their length in front, over a pair of sockets.

Rule: who serves many never waits for one of them. What cannot be written yet is kept, and written when there is room.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Iterator
from struct import Struct
from typing import Any

_LENGTH = Struct("!Q")
_PIECE = 1 << 18


class Gone(Exception):
    """The other side is not there any more."""


class Channel:
    """The side that never waits."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)
        self._in = bytearray()
        self._out = bytearray()

    def fileno(self) -> int:
        """What can be waited for."""
        return self._end.fileno()

    @property
    def has_more(self) -> bool:
        """Whether something has not been written yet."""
        return bool(self._out)

    def send(self, message: object) -> None:
        """Write a message, now or later."""
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._out += _LENGTH.pack(len(content))
        self._out += content
        self.write()

    def write(self) -> None:
        """Write what there is room for."""
        try:
            while self._out:
                del self._out[: self._end.send(memoryview(self._out)[:_PIECE])]
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()  # reading tells that nobody is there

    def messages(self) -> Iterator[Any]:
        """The messages that have come; `Gone` behind the last one."""
        gone = False
        try:
            while piece := self._end.recv(_PIECE):
                self._in += piece
            gone = True
        except BlockingIOError:
            pass
        except OSError:
            gone = True
        yield from self._whole()
        if gone:
            raise Gone

    def _whole(self) -> Iterator[Any]:
        begin = 0
        while len(self._in) - begin >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._in, begin)
            end = begin + _LENGTH.size + size
            if len(self._in) < end:
                break
            message = pickle.loads(memoryview(self._in)[begin + _LENGTH.size : end])
            begin = end
            yield message
        del self._in[:begin]

    def close(self) -> None:
        """Hang up."""
        self._end.close()


class Line:
    """The side that waits."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(True)
        self._end = end
        self._file = end.makefile("rb")

    def send(self, message: object) -> None:
        """Write a message."""
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        try:
            self._end.sendall(_LENGTH.pack(len(content)) + content)
        except OSError:
            raise Gone from None

    def receive(self) -> Any:
        """Wait for a message."""
        head = self._file.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise Gone
        (size,) = _LENGTH.unpack(head)
        content = self._file.read(size)
        if len(content) < size:
            raise Gone
        return pickle.loads(content)
