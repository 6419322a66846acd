"""WASI, as far as the real host has it: a log, clocks, random bytes, an environment, and polite refusals."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

from simwasm.abi.enums import Clock, Errno, LogLevel
from simwasm.abi.status import Refusal, Remark
from simwasm.abi.table import WASI_FUNCTIONS
from simwasm.exchange import to_bytes, to_text
from simwasm.host.calls.logs import say
from simwasm.host.calls.topic import calls
from simwasm.host.vm import Vm

_LEVELS = {1: LogLevel.INFO, 2: LogLevel.ERROR}
_FDSTAT = pack("<QQQ", 0, 64, 0)
_MAX_RANDOM = 64 * 1024
_UNKNOWN_FD = "only stdout (1) and stderr (2) are open"


def fd_write(vm: Vm, fd: int, data: bytes) -> int | Refusal:
    """One write is one log line; one line end at its end is dropped."""
    level = _LEVELS.get(fd)
    if level is None:
        return Refusal(Errno.BADF, f"fd {fd}: {_UNKNOWN_FD}")
    if data:
        say(vm, level, to_text(data[:-1] if data.endswith(b"\n") else data))
    return len(data)


def fd_pwrite(vm: Vm, fd: int, data: bytes, offset: int) -> int | Refusal:
    return fd_write(vm, fd, data)


def fd_seek(vm: Vm, fd: int, offset: int, whence: int) -> int:
    return 0


def fd_close(vm: Vm, fd: int) -> None:
    """Accepted."""


def fd_advise(vm: Vm, fd: int, offset: int, size: int, advice: int) -> None:
    """Accepted."""


def fd_fdstat_get(vm: Vm, fd: int) -> bytes | Refusal:
    return _FDSTAT if fd in _LEVELS else Refusal(Errno.BADF, f"fd {fd}: {_UNKNOWN_FD}")


def fd_tell(vm: Vm, fd: int) -> int | Refusal:
    return 0 if fd in _LEVELS else Refusal(Errno.BADF, f"fd {fd}: {_UNKNOWN_FD}")


def fd_renumber(vm: Vm, fd: int, to: int) -> Refusal:
    both = fd in _LEVELS and to in _LEVELS
    return Refusal(Errno.NOTSUP if both else Errno.BADF, "a file descriptor cannot be renumbered")


def environ_sizes_get(vm: Vm) -> tuple[int, int]:
    strings = _environment(vm)
    return len(strings), sum(len(string) + 1 for string in strings)


def environ_get(vm: Vm) -> list[bytes]:
    return _environment(vm)


def _environment(vm: Vm) -> list[bytes]:
    return [to_bytes(f"{name}={value}") for name, value in vm.plugin.env.items()]


def args_sizes_get(vm: Vm) -> tuple[int, int]:
    return 0, 0


def args_get(vm: Vm) -> list[bytes]:
    return []


def clock_time_get(vm: Vm, clock: int, precision: int) -> int | Refusal:
    if clock == Clock.REALTIME:
        return vm.proxy.clock.read()
    if clock == Clock.MONOTONIC:
        return vm.proxy.clock.monotonic()
    return Refusal(Errno.NOTSUP, f"there is no clock {clock}: only 0 (real time) and 1 (monotonic)")


def clock_res_get(vm: Vm, clock: int) -> int | Refusal:
    if clock in (Clock.REALTIME, Clock.MONOTONIC):
        return 1
    return Refusal(Errno.NOTSUP, f"there is no clock {clock}: only 0 (real time) and 1 (monotonic)")


def random_get(vm: Vm, size: int) -> bytes | Refusal:
    if size > _MAX_RANDOM:
        return Refusal(
            Errno.INVAL, f"buffer: {size:,} random bytes are more than the limit of {_MAX_RANDOM:,}"
        )
    return vm.proxy.random.randbytes(size)


def sched_yield(vm: Vm) -> None:
    """Nothing else runs."""


def poll_oneoff(vm: Vm, subscriptions: int, events: int, count: int) -> int:
    return 0


def proc_exit(vm: Vm, code: int) -> Remark:
    """The guest runs on, as in the real host."""
    vm.proxy.log(LogLevel.TRACE, "wasi_unstable proc_exit")
    return Remark(None, "the host does not stop a plugin: it runs on")


def pthread_equal(vm: Vm, left: int, right: int) -> int:
    return int(left == right)


def emscripten_notify_memory_growth(vm: Vm, memory: int) -> None:
    """Noted."""


def _accepted_for_output(vm: Vm, fd: int, *rest: int) -> Refusal | None:
    return None if fd in _LEVELS else Refusal(Errno.BADF, f"fd {fd}: {_UNKNOWN_FD}")


def _always(errno: Errno, reason: str) -> Callable[..., Refusal]:
    return lambda vm, *args: Refusal(errno, reason)


_NO_INPUT = "fd: the host has no such function: a plugin has no files and no standard input"
_NO_FILES = "a plugin has no files"
_FIXED: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("fd_fdstat_set_rights", "fd_allocate", "fd_datasync", "fd_sync", "fd_filestat_set_size",
                     "fd_filestat_set_times"), _accepted_for_output),
    **dict.fromkeys(("fd_read", "fd_pread", "fd_fdstat_set_flags", "fd_prestat_dir_name"),
                    _always(Errno.NOSYS, _NO_INPUT)),
    **dict.fromkeys(("fd_filestat_get", "fd_prestat_get"), _always(Errno.BADF, _NO_FILES)),
    "fd_readdir": _always(Errno.NOTDIR, _NO_FILES),
    "path_open": _always(Errno.NOENT, _NO_FILES),
}  # fmt: skip
_OWN = calls(
    fd_write, fd_pwrite, fd_seek, fd_close, fd_advise, fd_fdstat_get, fd_tell, fd_renumber, environ_sizes_get,
    environ_get, args_sizes_get, args_get, clock_time_get, clock_res_get, random_get, sched_yield, poll_oneoff,
    proc_exit, pthread_equal, emscripten_notify_memory_growth,
)  # fmt: skip
_REFUSED = {
    row.name: _always(Errno.NOTSUP, _NO_FILES if row.name.startswith("path_") else "a plugin has no sockets")
    for row in WASI_FUNCTIONS
    if row.name.startswith(("path_", "sock_"))
}
CALLS = _REFUSED | _FIXED | _OWN
