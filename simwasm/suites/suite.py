"""A suite: the table of what its file may say, cases and their steps."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simwasm.suites.content import CONTENT, HEADERS
from simwasm.suites.duration import DURATION
from simwasm.suites.expect import Expect
from simwasm.suites.request import REQUEST, TALK, Request, Talk
from simwasm.suites.rules import FILE
from simwasm.suites.section import Of, Section, key
from simwasm.suites.settings import Settings
from simwasm.suites.shape import NAME, TEXT, Anything, Many, Named, OneOrMany, wrong

_WHAT = ("request", "talk", "open", "send", "end", "leave", "advance")


@dataclass(frozen=True)
class Step(Section):
    """One step of a case: one of `request`, `talk`, `open`, `send`, `end`, `leave` and `advance`."""

    request: Request | None = key(
        REQUEST, "A request that is sent, and waited for; with `open` it stays open."
    )
    talk: Talk | None = key(TALK, "A TCP connection, from its begin to its end.")
    open: str | None = key(
        NAME, "Begin the `request` and go on: streams may overlap. This is the stream's name."
    )
    send: str | None = key(NAME, "Send `body` on the stream of this name.")
    end: str | None = key(
        NAME, "End the request of the stream of this name, after `body`, with `trailers`; it is waited for."
    )
    leave: str | None = key(NAME, "The client of the stream of this name goes away.")
    body: bytes | None = key(CONTENT, "With `send` and `end`: what is sent.")
    trailers: tuple[tuple[str, tuple[str, ...]], ...] = key(HEADERS, "With `end`: the trailers.", default=())
    advance: int | None = key(DURATION, "Let so much virtual time pass.")
    expect: Expect | None = key(
        Of(Expect), "What is expected: of the request that ended here, otherwise of the plugin so far."
    )

    def check(self) -> None:
        """Refuse what is no step."""
        said = [name for name in _WHAT if self.wrote(name)]
        if self.expect is not None:
            self.expect.not_of_case("a step")
        if said in (["advance"], []) and self.expect is not None:
            self.expect.of_plugin()
        if said == ["request", "open"]:
            assert self.request is not None
            if self.wrote("expect"):
                wrong(self.at("expect"), "the request is under way yet: write what is expected to its `end`")
            if self.request.trailers:
                wrong(self.request.at("trailers"), "the request is under way yet: write them to its `end`")
            return
        if len(said) > 1 or (not said and not self.wrote("expect")):
            wrong(
                self.at(said[1] if said else ""),
                f"a step has one of {', '.join(f'`{name}`' for name in _WHAT)}",
            )
        if said == ["open"]:
            wrong(self.at("open"), "needs the `request` that is opened")
        if self.body is not None and said not in (["send"], ["end"]):
            wrong(self.at("body"), "goes with `send` and `end`; that of a request is in `request`")
        if self.trailers and said != ["end"]:
            wrong(self.at("trailers"), "goes with `end`")


@dataclass(frozen=True)
class Case(Settings):
    """A case: what is sent, and what is expected; it has a plugin and a time of its own."""

    name: str = key(NAME, "Its name.", required=True)
    skip: str | None = key(NAME, "Why it is not played.")
    request: Request | None = key(REQUEST, "The request that is sent: `GET /path`, or a mapping.")
    talk: Talk | None = key(TALK, "A TCP connection, for a plugin with `network`.")
    traffic: Path | None = key(FILE, "A recording; each of its exchanges is a case.")
    only: tuple[str, ...] = key(
        OneOrMany(TEXT), "With `traffic`: just the exchanges whose name has one of these.", default=()
    )
    steps: tuple[Step, ...] = key(
        Many(Of(Step), 1), "Several things one after the other, with the same plugin.", default=()
    )
    expect: Expect | None = key(Of(Expect), "What is expected.")
    with_: tuple[tuple[tuple[str, str], ...], ...] = key(
        Many(Named(Anything(), "PARAMETER"), 1),
        "The case once for each of these; `${PARAMETER}` stands for its value.",
        default=(),
    )

    def check(self) -> None:
        """Refuse what is no case."""
        said = [name for name in ("request", "talk", "traffic", "steps") if self.wrote(name)]
        if len(said) > 1:
            wrong(
                self.at(said[1]),
                f"a case has one of `request`, `talk`, `traffic` and `steps`, not `{said[0]}` as well",
            )
        if self.only and self.traffic is None:
            wrong(self.at("only"), "goes with `traffic`")
        if self.expect is not None and (not said or said == ["steps"]):
            self.expect.of_plugin()
        if self.expect is not None and self.expect.is_refused and said:
            wrong(
                self.at(said[0]),
                f"a plugin that does not start is sent nothing: leave out `{said[0]}`, or `starts`",
            )


@dataclass(frozen=True)
class Defaults(Section):
    """What all cases have if they say nothing else."""

    request: Request | None = key(REQUEST, "What requests have; headers are joined with a case's.")
    expect: Expect | None = key(
        Of(Expect), "What is expected; a case that says something else of a key has its way."
    )

    def check(self) -> None:
        """Refuse what each case has to say by itself."""
        if self.expect is not None:
            self.expect.not_of_case("`defaults`")


@dataclass(frozen=True)
class Suite(Settings):
    """A suite: how the plugin is loaded, and the cases; a case may say otherwise of each of these settings."""

    suite: str | None = key(NAME, "What the suite is called.")
    defaults: Defaults = key(Of(Defaults), "What all cases have.", default=Defaults())
    cases: tuple[Case, ...] = key(Many(Of(Case), 1), "The cases, each with a name of its own.", required=True)
