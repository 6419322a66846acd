"""What one of several processes does of a comparison; what it tells is a line of JSON for each step that differs.

Rule: all of them start the same plugins, and none tells of it: who shares the exchanges among them has compared that.

{"number": 7, "where": "#7", "kinds": ["status 200 → 403"], "text": "…"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from simwasm.comparing.part import Comparison, Part, Told
from simwasm.errors import PluginError
from simwasm.exchange import Exchange
from simwasm.replay.shard import Ended, Result
from simwasm.replay.summary import Summary
from simwasm.session import Session


class Differing(NamedTuple):
    """A step that differs, as a process tells it."""

    number: int
    where: str
    kinds: tuple[str, ...]
    text: str


def differing(out: str) -> Iterator[Differing]:
    """What a process has told."""
    for line in out.split("\n"):
        if line:
            found = json.loads(line)
            yield Differing(found["number"], found["where"], tuple(found["kinds"]), found["text"])


class Share:
    """Both sides, in one of several processes."""

    def __init__(self, comparison: Comparison) -> None:
        self._part = Part(comparison)

    @property
    def session(self) -> Session:
        """The session of the old one; the new one is given up if it takes too long."""
        return self._part.lockstep.sides[0].session

    def start(self) -> tuple[str, str]:
        """Start both sides."""
        told, both = self._part.start()
        if not both:
            raise PluginError(told.compared.differences.all[0].text)
        return "", ""

    def unheard(self) -> tuple[str, str]:
        """Nothing: what is told is told with its exchange."""
        return "", ""

    def results(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Result]:
        """Compare exchanges."""
        for told in self._part.play(numbered):
            yield Result(told.compared.number, _line(told), "")

    def round_ended(self, requests: int) -> None:
        """Traffic is compared once."""

    def taken(self) -> Summary:
        """Nothing: whoever hears the lines sums them up."""
        return Summary()

    def ended(self, *, stopped: bool = True) -> Ended:
        """Stop both sides."""
        told = _line(self._part.end()) if stopped else ""
        self._part.close()
        return Ended(told, "", Summary(), [], {}, frozenset(), (), ())


def _line(told: Told) -> str:
    compared = told.compared
    if not compared.differences.all:
        return ""
    kinds = list(dict.fromkeys(each.kind for each in compared.differences.all))
    where = f"#{compared.number}" if compared.number else compared.where
    return json.dumps({"number": compared.number, "where": where, "kinds": kinds, "text": told.text}) + "\n"
