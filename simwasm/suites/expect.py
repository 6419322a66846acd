"""What a suite may expect of a request: the table of it. How it is looked at is in `look.py`.

Rule: whatever is not said is not looked at, but for a trap, which is always a failure where nobody expects it.
"""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simwasm.lints.table import LINTS
from simwasm.suites.answers import STATUS
from simwasm.suites.body_rule import BODY_RULE, BodyRule
from simwasm.suites.call_rule import CALL_RULES, CallRule
from simwasm.suites.callbacks import ACTION, ACTIONS, CALLBACK, OF_CALLBACKS, action_fits, callback_name
from simwasm.suites.duration import span
from simwasm.suites.header_rule import HEADER_RULES, HeaderRule
from simwasm.suites.log_rule import LOG_RULES, LogRule
from simwasm.suites.rules import NUMBER_RULE, TEXT_RULE, WORDS_RULE, NumberRule, TextRule, Word, path_of
from simwasm.suites.section import Of, Section, key, keys_of
from simwasm.suites.shape import (
    FLAG,
    TEXT,
    As,
    Choice,
    Either,
    Many,
    Named,
    OneOrMany,
    Scalar,
    Shape,
    Whole,
    wrong,
)

HeaderRules = tuple[tuple[str, HeaderRule], ...]


@dataclass(frozen=True)
class Statuses(Section):
    """Statuses that are fine."""

    ranges: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        return " or ".join(str(low) if low == high else f"{low // 100}xx" for low, high in self.ranges)


def _family(text: str) -> tuple[int, int]:
    if len(text) == 3 and text[0] in "12345" and text[1:] == "xx":
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    raise ValueError(f"`{text[:40]}` is no status: write 403, 4xx, or a list of such")


STATUSES: Shape[Statuses] = As(
    OneOrMany(
        Either((As(STATUS, lambda status, node: (status, status)),
                Scalar("4xx", _family, "string", (("pattern", r"^[1-5]xx$|^\$\{"),))))
    ),
    lambda ranges, node: Statuses(ranges=ranges, places={"": node.place}),
)  # fmt: skip


@dataclass(frozen=True)
class MessageRule(Section):
    """What a request is."""

    method: TextRule | None = key(TEXT_RULE, "Its method.")
    path: TextRule | None = key(TEXT_RULE, "Its path, with the query.")
    host: TextRule | None = key(TEXT_RULE, "Its `:authority`.")
    headers: HeaderRules = key(HEADER_RULES, "Its headers.", default=())
    body: BodyRule | None = key(BODY_RULE, "Its body.")
    trailers: HeaderRules = key(HEADER_RULES, "Its trailers.", default=())


@dataclass(frozen=True)
class UpstreamRule(MessageRule):
    """What the upstream receives."""

    called: bool | None = key(FLAG, "Whether the request reaches it.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        others = [name for name in self.places if name not in ("", "called")]
        if self.called is False and others:
            wrong(self.at("called"), f"can never hold: without being called it receives no `{others[0]}`")


@dataclass(frozen=True)
class ReplyRule(Section):
    """What an answer in the upstream's place is: the plugin's, or the proxy's own."""

    status: Statuses | None = key(STATUSES, "Its status.")
    headers: HeaderRules = key(HEADER_RULES, "Its headers.", default=())
    body: BodyRule | None = key(BODY_RULE, "Its body.")
    details: TextRule | None = key(TEXT_RULE, "Why, in a word: `response_code_details`.")
    grpc_status: int | None = key(Whole(-1, 16), "Its gRPC status.")


LOCAL_REPLY: Shape[bool | ReplyRule] = Either((FLAG, Of(ReplyRule)))


@dataclass(frozen=True)
class Budget(Section):
    """What it may cost, by fuel: the same on every engine and machine. A number is exact, `< 50_000` is a bound."""

    instructions: NumberRule | None = key(
        NUMBER_RULE, "The instructions of all its callbacks, 1000 a host call."
    )
    host_calls: NumberRule | None = key(NUMBER_RULE, "How often it calls the host.")
    allocated: NumberRule | None = key(NUMBER_RULE, "How many bytes the host asks its allocator for.")
    memory_growth: NumberRule | None = key(NUMBER_RULE, "By how many bytes its memory grows.")
    callbacks: tuple[tuple[str, NumberRule], ...] = key(
        Named(NUMBER_RULE, "CALLBACK", callback_name), "The instructions of single callbacks.", default=()
    )


WHETHER: Shape[bool | TextRule] = Either((FLAG, WORDS_RULE))
CALLOUTS: Shape[tuple[tuple[str, NumberRule | tuple[MessageRule, ...]], ...]] = Either(
    (Word("none", ()), Named(Either((NUMBER_RULE, Many(Of(MessageRule)))), "CLUSTER"))
)
_LINT = Choice({lint.id: lint.id for lint in LINTS}, what="a problem that simwasm looks for")
PROBLEMS: Shape[tuple[str, ...]] = Either((Word("none", ()), OneOrMany(_LINT)))


UPSTREAM: Shape[UpstreamRule] = Either(
    (
        As(Word("called", True), lambda called, node: UpstreamRule(called=True, places={"": node.place})),
        As(
            Word("not called", False),
            lambda called, node: UpstreamRule(called=False, places={"": node.place}),
        ),
        Of(UpstreamRule),
    )
)


@dataclass(frozen=True)
class Phase(Section):
    """What one callback does and leaves; listed phases happen in this order, others may be between them."""

    callback: str = key(CALLBACK, "Which callback.", required=True)
    plugin: str | None = key(TEXT, "Whose, where a configuration has several plugins.")
    action: str | None = key(ACTION, "What it returns.")
    end_of_stream: bool | None = key(FLAG, "Whether nothing comes behind it in its direction.")
    headers: HeaderRules = key(
        HEADER_RULES, "The headers of its direction, as they are when it returns.", default=()
    )
    trailers: HeaderRules = key(
        HEADER_RULES, "The trailers of its direction, as they are when it returns.", default=()
    )
    body: BodyRule | None = key(BODY_RULE, "The bytes that it could see, as they are when it returns.")
    logs: tuple[LogRule, ...] | None = key(LOG_RULES, "What is logged during it.")
    calls: tuple[CallRule, ...] = key(CALL_RULES, "What crosses the ABI during it.", default=())
    local_reply: bool | ReplyRule | None = key(
        LOCAL_REPLY, "Whether it answers in the upstream's place, and with what."
    )
    instructions: NumberRule | None = key(NUMBER_RULE, "What it costs.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        if self.action is not None:
            action_fits(self.callback, self.action, self.at("action"))
        params = {param.name for param in OF_CALLBACKS[self.callback].params}
        trailers = self.callback.endswith("_trailers")
        if self.end_of_stream is not None and "end_of_stream" not in params and not trailers:
            wrong(self.at("end_of_stream"), f"can never hold: {self.callback} is not told of any end")
        if self.end_of_stream is False and trailers:
            wrong(self.at("end_of_stream"), "can never hold: trailers are always the end")
        if self.body is not None and not self.callback.endswith(("_body", "stream_data")):
            wrong(
                self.at("body"),
                f"can never hold: {self.callback} sees no body; write it to the phase of one that does",
            )
        for what, rules in (("headers", self.headers), ("trailers", self.trailers)):
            if rules and not self.callback.startswith(("proxy_on_request_", "proxy_on_response_")):
                wrong(self.at(what), f"can never hold: {self.callback} has no {what} of its own")


@dataclass(frozen=True)
class Expect(Section):
    """What is expected of a request, or of a plugin."""

    status: Statuses | None = key(STATUSES, "The status that the client gets: 403, 4xx, or a list of such.")
    headers: HeaderRules = key(HEADER_RULES, "The response's headers.", default=())
    body: BodyRule | None = key(BODY_RULE, "The response's body; of a TCP connection, what the client hears.")
    trailers: HeaderRules = key(HEADER_RULES, "The response's trailers.", default=())
    upstream: UpstreamRule | None = key(UPSTREAM, "Whether the upstream is called, and what it receives.")
    callouts: Any = key(
        CALLOUTS, "The clusters that the plugin asks: how often, or each request in its order."
    )
    local_reply: bool | ReplyRule | None = key(
        LOCAL_REPLY, "Whether plugin or proxy answer in the upstream's place, and with what."
    )
    details: TextRule | None = key(TEXT_RULE, "Why it was answered so: Envoy's `response_code_details`.")
    reset: Any = key(WHETHER, "Whether the stream is cut off, and why.")
    hung: bool | None = key(FLAG, "Whether it waits until it is given up.")
    trapped: Any = key(WHETHER, "Whether the plugin traps, and on what.")
    starts: Any = key(WHETHER, "Whether the plugin starts; a text is what it is refused with.")
    actions: tuple[tuple[str, tuple[str, ...]], ...] = key(
        ACTIONS, "What callbacks return, the first time or each time.", default=()
    )
    logs: tuple[LogRule, ...] | None = key(LOG_RULES, "What is logged for it; `none` is nothing at all.")
    calls: tuple[CallRule, ...] = key(CALL_RULES, "What crosses the ABI for it.", default=())
    phases: tuple[Phase, ...] = key(
        Many(Of(Phase)), "What its callbacks do, one after the other.", default=()
    )
    cost: Budget | None = key(Of(Budget), "What it costs.")
    took: tuple[int, int] | None = key(
        Scalar("a duration, or a bound (`< 5s`)", span), "How much virtual time it takes."
    )
    problems: tuple[str, ...] | None = key(PROBLEMS, "The problems that simwasm sees; `none`, or just these.")
    metrics: tuple[tuple[str, NumberRule], ...] = key(
        Named(NUMBER_RULE), "The plugin's counters and gauges, as they are then.", default=()
    )
    shared_data: tuple[tuple[str, BodyRule], ...] = key(
        Named(BODY_RULE, "KEY"), "What is in the shared data then.", default=()
    )
    queues: tuple[tuple[str, tuple[str, ...]], ...] = key(
        Named(Either((Word("empty", ()), OneOrMany(TEXT)))), "What is in shared queues then.", default=()
    )
    golden: Path | None = key(
        As(TEXT, path_of, "a file"), "The golden trace that it has to be like; `--update-goldens` writes it."
    )

    def check(self) -> None:
        """Refuse what cannot hold."""
        others = [name for name in self.places if name not in ("", "starts", "logs", "trapped")]
        if self.is_refused and others:
            wrong(self.at("starts"), f"can never hold: a plugin that does not start has no `{others[0]}`")

    @property
    def is_refused(self) -> bool:
        """Whether the plugin is expected not to start."""
        return self.starts is False or isinstance(self.starts, TextRule)

    def not_of_case(self, where: str) -> None:
        """Refuse what is looked at once for a case, and so would be looked at by nobody elsewhere."""
        for name in ("starts", "golden"):
            if self.wrote(name):
                wrong(
                    self.at(name),
                    f"`{name}` is not looked at in {where}; write it to the case's own `expect`",
                )

    def of_plugin(self) -> None:
        """Refuse what only a request can have."""
        for name in self.places:
            if name and name not in OF_PLUGIN:
                wrong(
                    self.at(name),
                    f"`{name}` is expected of a request, and none ended here; write it to one that did",
                )

    def over(self, other: Expect) -> Expect:
        """This, and what another one expects of what this says nothing about."""
        said: dict[str, Any] = {}
        for name, each in keys_of(Expect).items():
            mine, others = getattr(self, each.field), getattr(other, each.field)
            if name in ("headers", "trailers", "actions", "metrics", "shared_data", "queues"):
                said[each.field] = tuple({**dict(others), **dict(mine)}.items())
            elif name in ("calls",):
                said[each.field] = (*others, *mine)
            else:
                said[each.field] = mine if self.wrote(name) else others
        return Expect(**said, places={**other.places, **self.places})


OF_PLUGIN = (
    "starts",
    "trapped",
    "logs",
    "calls",
    "cost",
    "problems",
    "metrics",
    "shared_data",
    "queues",
    "golden",
)
"""What can be expected of a plugin as a whole."""
