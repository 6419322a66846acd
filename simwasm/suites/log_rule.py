"""What log lines are expected."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from dataclasses import dataclass

from simwasm.abi.enums import LogLevel
from simwasm.suites.rules import NUMBER_RULE, NumberRule, TextRule, Word, shown
from simwasm.suites.section import Of, key
from simwasm.suites.shape import (
    FLAG,
    TEXT,
    As,
    Choice,
    Either,
    OneOrMany,
    Shape,
    wrong,
)
from simwasm.trace.text import printable

LEVELS = {level.name.lower(): level for level in LogLevel}
LEVEL = Choice(LEVELS)


@dataclass(frozen=True)
class LogRule(TextRule):
    """A log line that is expected."""

    level: LogLevel | None = key(LEVEL, "It has this level.")
    at_least: LogLevel | None = key(LEVEL, "It has this level, or a worse one.")
    count: NumberRule | None = key(NUMBER_RULE, "How many lines are like that; without it, one or more.")
    never: bool | None = key(FLAG, "No line is like that.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        super().check()
        if self.level is not None and self.at_least is not None and self.level < self.at_least:
            wrong(self.at("level"), "can never hold: the level is below `at_least`")
        if self.never and self.count is not None:
            wrong(self.at("never"), "can never hold with `count`: leave one of them out")

    def __str__(self) -> str:
        parts = [
            *([] if self.is_ is None else [f"is {shown(self.is_)}"]),
            *(f"has {shown(text)}" for text in self.contains),
            *(f"lacks {shown(text)}" for text in self.lacks),
            *(f"matches /{printable(each.pattern)}/" for each in self.matches),
            *([] if self.level is None else [f"has level {self.level.name.lower()}"]),
            *([] if self.at_least is None else [f"has level {self.at_least.name.lower()} or worse"]),
        ]
        return " and ".join(parts) or "is there"

    def fits(self, level: LogLevel, text: str, whole: str) -> bool:
        """Whether a line is like that: what the plugin wrote, or all that the proxy wrote."""
        if self.level not in (None, level) or (self.at_least is not None and level < self.at_least):
            return False
        return any(next(self.misses("", each), None) is None for each in (text, whole))


LOG_RULE: Shape[LogRule] = Either(
    (As(TEXT, lambda text, node: LogRule(contains=(text,), places={"": node.place})), Of(LogRule))
)
LOG_RULES: Shape[tuple[LogRule, ...]] = Either((Word("none", ()), OneOrMany(LOG_RULE)))
