"""How bad an answer of the host is: what a plugin may well expect, what it should look at, what is its mistake."""

from __future__ import annotations

from enum import IntEnum

from simwasm.abi.enums import Errno, LogLevel, Status
from simwasm.abi.table import Function, Side
from simwasm.trace.event import Entered, Left, Trapped


class Grade(IntEnum):
    """How bad something is."""

    NOTE = 0
    WARNING = 1
    ERROR = 2


STATUSES: dict[IntEnum, Grade] = {
    Status.NOT_FOUND: Grade.NOTE,
    Status.EMPTY: Grade.NOTE,
    Status.CAS_MISMATCH: Grade.NOTE,
    Status.BAD_ARGUMENT: Grade.ERROR,
    Status.INVALID_MEMORY_ACCESS: Grade.ERROR,
    Status.SERIALIZATION_FAILURE: Grade.ERROR,
    Status.PARSE_FAILURE: Grade.ERROR,
    Status.INTERNAL_FAILURE: Grade.ERROR,
}
"""Others are warnings. WASI's errors are notes, since runtimes try what there may be; bad pointers are not."""

_LOGS = ("proxy_log", "fd_write", "fd_pwrite")


def grade_of_answer(function: Function, result: object) -> Grade | None:
    """How bad it is that a host function answered so; None if all is well."""
    if function.side is Side.PLUGIN or function.errors is None or not result:
        return None
    if function.errors is Errno:
        return Grade.ERROR if result is Errno.FAULT else Grade.NOTE
    return STATUSES.get(result, Grade.WARNING) if isinstance(result, IntEnum) else Grade.WARNING


def level_of(entered: Entered) -> LogLevel | None:
    """The level of the line that a call logs; None if it logs none."""
    name = entered.function.name
    if name == "proxy_log":
        return entered.args[0] if isinstance(entered.args[0], LogLevel) else None
    if name in ("fd_write", "fd_pwrite"):
        return {1: LogLevel.INFO, 2: LogLevel.ERROR}.get(entered.args[0])
    return None


def message_of(entered: Entered) -> str | bytes | None:
    """The line that a call logs."""
    return entered.args[1] if entered.function.name in _LOGS else None


def grade_of(entered: Entered, ended: Left | Trapped | None) -> Grade | None:
    """How bad a row is; None if all is well."""
    if ended is None:
        return None
    if isinstance(ended, Trapped):
        return Grade.ERROR
    if entered.function.name in _LOGS:
        level = level_of(entered)
        if level is not None and level >= LogLevel.ERROR:
            return Grade.ERROR
    return grade_of_answer(entered.function, ended.result) if ended.result else None
