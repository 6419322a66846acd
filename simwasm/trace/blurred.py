"""A run as an Envoy log would tell it: without the texts and bytes that only pointers lead to.

A trace that was read from such a log can then be put beside one that simwasm recorded.
"""

from __future__ import annotations

from typing import Any

from simwasm.abi.kinds import Form
from simwasm.abi.table import ALLOCATORS, Function
from simwasm.trace.envoy_log import WHERE_LOGS
from simwasm.trace.event import Left
from simwasm.trace.rows import Row, Rows

_UNREAD = (Form.TEXT, Form.DATA, Form.PATH, Form.PAIRS, Form.IOVECS)


class Blurred:
    """Rows with what a log does not tell left out."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int, /) -> Row:
        row = self._rows[index]
        function = row.entered.function
        entered = row.entered._replace(args=_known(function, row.entered.args), words=())
        ended = row.ended
        if isinstance(ended, Left):
            result = ended.result if function.name not in ALLOCATORS else None
            ended = ended._replace(result=result, values=(), reason="")
        return row._replace(entered=entered, ended=ended)


def _known(function: Function, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if function.name in WHERE_LOGS:
        return args
    return tuple(
        None if param.form in _UNREAD else value for param, value in zip(function.inputs, args, strict=True)
    )
