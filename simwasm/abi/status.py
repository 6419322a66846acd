"""How a host function says no, and how it says yes with a remark.

A handler returns its value when all is well. What the guest got wrong is a `Refusal`: a status the guest sees and a
reason for the person watching. It may be returned (the common, cheap way) or raised from deeper down.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.abi.enums import Errno, Status


class Refusal(Exception):
    """A status other than OK, and why."""

    __slots__ = ("status", "reason")

    def __init__(self, status: Status | Errno, reason: str) -> None:
        self.status = status
        self.reason = reason


class Made(bytes):
    """A result that may be absent; this one is there, and the guest's allocator is asked for it even if it is empty."""


class Remark(NamedTuple):
    """OK, but worth a word: the value, and why it is not what one would expect."""

    value: object
    reason: str
