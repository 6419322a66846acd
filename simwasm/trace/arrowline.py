"""One row as the arrow log has it, for lists in which not every row is there."""

from __future__ import annotations

from collections.abc import Callable

from simwasm.trace.event import Left
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import call_text, plain, printable, result_text, value_text

_TRAP = 200


def arrow_line(row: Row, ink: Callable[[str, str], str] = plain) -> str:
    """The line of a row; the end of a callback tells of which."""
    function, ended = row.entered.function, row.ended
    if row.kind is Kind.CALLBACK:
        return ink("callback", f"→ {call_text(function, row.entered.args)}")
    if row.kind is Kind.RETURN and isinstance(ended, Left):
        result = f" {value_text(ended.result)}" if function.result else ""
        return ink("action", f"←{result}") + ink("ok", f" {function.name}")
    if row.kind is Kind.TRAP:
        said = printable(str(getattr(ended, "trap", ""))[:_TRAP]).replace("\n", "\\n")
        return ink("trap", f"✗ {said}") + ink("ok", f" {function.name}")
    called = ink("call", call_text(function, row.entered.args))
    return (
        f"{called} = {result_text(function, ended, ink)}".replace("\n", "\\n")
        if isinstance(ended, Left)
        else called
    )
