"""Who answers in a suite: upstream and clusters of callouts, each by a status, a reply, rules or a script's file."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simwasm.answers import FAILURES, Rule, Script, read_script
from simwasm.config.tree import Node
from simwasm.errors import ConfigError
from simwasm.exchange import Message, response
from simwasm.grpc_answers import read_talk
from simwasm.host.ports import NO_HOST, Answer
from simwasm.suites.content import CONTENT, HEADERS, pairs
from simwasm.suites.duration import DURATION
from simwasm.suites.rules import file_there
from simwasm.suites.section import Of, Section, key
from simwasm.suites.shape import TEXT, Anything, As, Choice, Either, Many, Scalar, Shape, Whole, wrong

Answers = Script | Answer
STATUS = Whole(100, 599, "no response has the status {}: it is a number from 100 to 599")


@dataclass(frozen=True)
class When(Section):
    """Which requests are meant: all that is said has to fit exactly."""

    method: str | None = key(TEXT, "Their method.")
    path: str | None = key(TEXT, "Their path, with its query.")
    host: str | None = key(TEXT, "Their `:authority`.")
    headers: tuple[tuple[str, tuple[str, ...]], ...] = key(HEADERS, "Headers that they have.", default=())

    def wanted(self) -> tuple[tuple[str, str], ...]:
        """The headers that are asked for."""
        pseudo = ((":method", self.method), (":path", self.path), (":authority", self.host))
        return (*((name, value) for name, value in pseudo if value is not None), *pairs(self.headers))


@dataclass(frozen=True)
class Reply(Section):
    """An answer."""

    status: int = key(STATUS, "Its status.", default=200)
    headers: tuple[tuple[str, tuple[str, ...]], ...] = key(HEADERS, "Its headers.", default=())
    body: bytes = key(CONTENT, "Its body.", default=b"")
    trailers: tuple[tuple[str, tuple[str, ...]], ...] = key(HEADERS, "Its trailers.", default=())
    after: int = key(DURATION, "How long it takes, in virtual time.", default=0)

    def message(self) -> Message:
        """The answer."""
        behind = pairs(self.trailers)
        body = ([self.body] if self.body else []) if behind else self.body
        return response(
            self.status, headers=pairs(self.headers), body=body, trailers=behind, after_ns=self.after
        )


_FAILS = {**FAILURES, "no-host": NO_HOST}
_FAIL = Choice(FAILURES)


@dataclass(frozen=True)
class AnswerRule(Section):
    """One rule; the first that fits a request answers it."""

    when: When = key(Of(When), "Which requests; without it all of them.", default=When())
    reply: Message | None = key(
        Either(
            (
                As(STATUS, lambda status, node: response(status)),
                As(Of(Reply), lambda reply, node: reply.message()),
            )
        ),
        "The answer.",
    )
    fail: Answer | None = key(_FAIL, "How it fails, instead of an answer.")
    grpc: Any = key(Anything(), "What a gRPC service answers, step by step (see the formats of answers).")

    def check(self) -> None:
        """Refuse what is no rule."""
        said = [name for name in ("reply", "fail", "grpc") if self.wrote(name)]
        if len(said) != 1:
            wrong(self.at(said[1] if said else ""), "a rule has one of `reply`, `fail` and `grpc`")

    def rule(self) -> Rule:
        """The rule as scripts have it."""
        if self.wrote("grpc"):
            return Rule(self.when.wanted(), read_talk(self.grpc, FAILURES, f"{self.at('grpc')}: grpc"))
        answer = self.reply if self.reply is not None else self.fail
        assert answer is not None
        return Rule(self.when.wanted(), answer)


def _script(rules: tuple[AnswerRule, ...], node: Node) -> Script:
    return Script(str(node.place), tuple(rule.rule() for rule in rules))


def _word(text: str, node: Node) -> Answers:
    """A failure, or the file of a script."""
    if text in _FAILS:
        return _FAILS[text]
    if not text.endswith(".json"):
        wrong(
            node, f"`{text[:60]}` is no status, no failure ({', '.join(_FAILS)}) and no file.json with rules"
        )
    try:
        return read_script(str(file_there(text, node)))
    except ConfigError as error:
        wrong(node, str(error))


ANSWERS: Shape[Answers] = Either(
    (
        As(STATUS, lambda status, node: response(status), "a status"),
        As(Scalar("reset, refused, timeout, no-host, or a file with rules", str), _word),
        As(Of(Reply), lambda reply, node: reply.message()),
        As(Many(Of(AnswerRule), 1), _script),
    )
)
