"""A report for people: a line for each check, what is wrong below it, and at the end all that is wrong once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from simwasm.reports.check import Check, Verdict, counted, one_line
from simwasm.trace.text import plain, printable

Ink = Callable[[str, str], str]
"""A text in the colour of a style."""

_STYLES = {Verdict.PASSED: "ok", Verdict.FAILED: "bad", Verdict.ERROR: "bad", Verdict.SKIPPED: "reason"}
_WORDS = {Verdict.PASSED: "ok", Verdict.FAILED: "FAILED", Verdict.ERROR: "ERROR", Verdict.SKIPPED: "skipped"}
_WIDTH = max(map(len, _WORDS.values()))


class Text:
    """Lines for people."""

    def __init__(self, ink: Ink = plain) -> None:
        self._ink = ink

    def begin(self) -> Iterator[str]:
        yield from ()

    def check(self, number: int, check: Check) -> Iterator[str]:
        word = _WORDS[check.verdict].ljust(_WIDTH)
        why = f"  ({one_line(check.message)})" if check.verdict is Verdict.SKIPPED and check.message else ""
        yield f"{self._ink(_STYLES[check.verdict], word)}  {one_line(check.name)}{why}"
        if check.verdict in _WRONG:
            yield f"  {one_line(check.place)}: {self._ink('reason', one_line(check.message))}"
            yield from (
                f"  {line}".rstrip() for line in printable(check.details).split("\n") if check.details
            )

    def end(self, checks: Sequence[Check]) -> Iterator[str]:
        wrong = [check for check in checks if check.verdict in _WRONG]
        if wrong and len(checks) > 1:
            yield ""
            for check in wrong:
                yield f"{one_line(check.place)}: {one_line(check.name)}: {one_line(check.message)}"
        took = sum(check.took_s for check in checks)
        text = f"{counted(checks) or 'nothing to check'} in {took:.2f} s"
        yield self._ink("bad" if wrong else "ok", text)


_WRONG = (Verdict.FAILED, Verdict.ERROR)
