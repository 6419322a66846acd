"""The functions between one guest and its host: compiled once for each row, given their names for each guest.

What runs is what `texts.text` says; tracebacks show it. Rule: the functions of a guest share one namespace, in which
`view`, `chars` and `limit` are always those of the newest view of its memory.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import cache
from struct import Struct
from types import CodeType
from typing import Any, Protocol

from simwasm.abi.codec import Careful, Gate, Memory, gathered, members
from simwasm.abi.enums import Errno, Status
from simwasm.abi.pairs import decode_pairs, decode_path, encode_pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.abi.table import Function
from simwasm.abi.texts import text
from simwasm.errors import Trap


class Watch(Protocol):
    """Who is told of every crossing: `enter` of a host call, `entered` of a callback; both give a number to close."""

    def enter(self, function: Function, args: tuple[Any, ...], words: tuple[int, ...]) -> int: ...
    def entered(self, function: Function, args: tuple[Any, ...], words: tuple[int, ...]) -> int: ...
    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None: ...
    def trap(self, opened: int, error: BaseException, /) -> None: ...


@cache
def compiled(function: Function, *, watched: bool) -> CodeType:
    """The code of that text, which tracebacks can show."""
    source = text(function, watched=watched)
    name = f"<simwasm {function.name}{', watched' if watched else ''}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


_NAMES: dict[str, Any] = {
    "__name__": __name__,
    "OK": Status.OK,
    "FINE": Errno.SUCCESS,
    "Refusal": Refusal,
    "Remark": Remark,
    "Trap": Trap,
    "decode_pairs": decode_pairs,
    "decode_path": decode_path,
    "encode_pairs": encode_pairs,
    "gathered": gathered,
    "u32": Struct("<I").pack,
    "u64": Struct("<Q").pack,
    "put_u32": Struct("<I").pack_into,
    "put_u64": Struct("<Q").pack_into,
}


class Assembly:
    """One guest's functions: they share the names of its memory, its gate, its allocator and its watcher."""

    def __init__(self, memory: Memory, gate: Gate, watch: Watch | None) -> None:
        self._watched = watch is not None
        self._names = {**_NAMES, "gate": gate, "careful": Careful(memory), "read": memory.read}
        if watch is not None:
            self._names.update(enter=watch.enter, entered=watch.entered, leave=watch.leave, trap=watch.trap)
        memory.follow(self._renew)

    def _renew(self, view: memoryview, chars: Any) -> None:
        self._names.update(view=view, chars=chars, limit=len(view))

    def allocate_by(self, allocate: Callable[[int], Any]) -> None:
        """Have memory for values asked of a function of the guest."""
        self._names["allocate"] = allocate

    def host_function(self, row: Function, handler: Callable[..., Any]) -> Callable[..., int | None]:
        """The function that the guest calls: words in, a status word out."""
        self._names[f"{row.name}_handler"] = handler
        return self._made(row)

    def callback(self, row: Function, export: Callable[..., Any]) -> Callable[..., Any]:
        """The function that the host calls: numbers in, a decoded result out."""
        if not self._watched and row.result is None:
            return export
        self._names[f"{row.name}_export"] = export
        return self._made(row)

    def _made(self, row: Function) -> Callable[..., Any]:
        names = self._names
        names[f"{row.name}_row"] = row
        for param in (*row.inputs, row.result):
            if param is not None and param.enum is not None:
                names[f"{param.enum.__name__}_members"] = members(param.enum)
        exec(compiled(row, watched=self._watched), names)
        made: Callable[..., Any] = names.pop(row.name)
        return made
