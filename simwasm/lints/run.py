"""What all watchers know of a run: which calls are open, whose they are, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from simwasm.abi.enums import MapType
from simwasm.exchange import Headers
from simwasm.lints.lint import Call, Ended, Lint, Over, Problem
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import Frames, call_text, plain_frames, printable

LONG = 300
"""How much of a text is told."""

Maps = tuple[tuple[MapType, Headers], ...]


class Found(Protocol):
    """Who is told of problems."""

    def again(self, lint: str, grade: Grade, group: str, /) -> bool:
        """Count a problem if there are enough like it; whether that was done."""
        ...

    def add(self, problem: Problem, /) -> None:
        """Take a problem."""
        ...


class Run:
    """A run, as far as it was watched."""

    def __init__(
        self,
        found: Found,
        whose: Callable[[str, int], int],
        maps: Callable[[int], Maps | None],
        least: Grade,
        frames: Frames = plain_frames,
        *,
        several: bool = False,
    ) -> None:
        self.open: list[Call] = []
        """The calls that have not ended, outermost first."""
        self.whose = whose
        """The number of the exchange that a plugin's context belongs to; 0 for none."""
        self.maps = maps
        """The header maps as they were at the begin of a callback, if somebody looked."""
        self.frames = frames
        """What is told of the frames of a trap."""
        self.least = least
        """What is less bad than this, nobody wants to know."""
        self._found = found
        self._several = several
        """Whether problems are told with whose they are."""

    def exchange(self, call: Call) -> int:
        """The number of the exchange that a call is about; 0 for none."""
        return self.whose(call.vm, call.context)

    def outermost(self, call: Call) -> Call:
        """The callback that the host called, and in which a call happened."""
        return self.open[0] if self.open else call

    def told(self, lint: Lint, grade: Grade, group: str) -> bool:
        """Whether nobody needs the words for one more of these; it is counted then."""
        return self._found.again(lint.id, grade, self._group(group, self._vm(None)))

    def _vm(self, at: Call | Ended | Over | None) -> str:
        """Whose a problem is, if that is to be told."""
        if not self._several:
            return ""
        return at.vm if isinstance(at, Call) else self.open[0].vm if self.open else ""

    def _group(self, group: str, vm: str) -> str:
        """What problems of one plugin have in common."""
        return f"{group} of {vm}" if vm else group

    def tell(
        self, lint: Lint, at: Call | Ended | Over, happened: str, *, number: int = 0, title: str = "",
        why: str | None = None, fix: str | None = None, grade: Grade | None = None, group: str = "",
    ) -> None:  # fmt: skip
        """Tell of a problem; what is not given is as the lint says."""
        if isinstance(at, Call):
            number = number or self.exchange(at)
        elif isinstance(at, Over):
            number = number or at.number
        vm = self._vm(at)
        self._found.add(
            Problem(
                at.position,
                lint.grade if grade is None else grade,
                title or lint.title,
                happened,
                lint.why if why is None else why,
                lint.fix if fix is None else fix,
                lint.id,
                self._group(group, vm),
                number,
                at.row,
                vm,
            )
        )


def named(over: Over) -> str:
    """An exchange, in words."""
    return f"exchange {over.number} ({short(over.exchange.label, 80)})"


def called(call: Call) -> str:
    """A call, in words."""
    text = call_text(call.function, call.args)
    return text if len(text) <= LONG else text[:LONG] + "…"


def short(value: object, most: int = LONG) -> str:
    """The beginning of a text that may be long, and hold anything; `?` for one that is not known."""
    if value is None:
        return "?"
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return printable(text[: most + 1])[:most]


def argument(call: Call, name: str) -> Any:
    """What a call has for a parameter; None where its version of the function has none of that name."""
    for param, value in zip(call.function.inputs, call.args, strict=False):
        if param.name == name:
            return value
    return None


def sentence(text: str) -> str:
    """The host's words as a sentence."""
    said = printable(text)[:LONG].strip()
    return said and f"{said[0].upper()}{said[1:]}{'' if said[-1] in '.!?…' else '.'}"
