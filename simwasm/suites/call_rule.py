"""What is expected to cross the ABI, in the filter language."""

# `key` makes fields
from __future__ import annotations

from dataclasses import dataclass

from simwasm.errors import InputError
from simwasm.host.profile import ENVOY
from simwasm.suites.header_rule import HeaderRule
from simwasm.suites.rules import NumberRule
from simwasm.suites.section import Of, Section, key
from simwasm.suites.shape import (
    As,
    Either,
    Many,
    OneOrMany,
    Scalar,
    Shape,
    Whole,
    wrong,
)

HeaderRules = tuple[tuple[str, HeaderRule], ...]


def _filter(text: str) -> str:
    from simwasm.testing.trace import Setting, Trace

    try:
        Trace((), Setting((), ENVOY, 0)).filter(text)
    except InputError as error:
        raise ValueError(str(error)) from None
    return text


FILTER = Scalar("a filter (`call:get_header key:auth`) or a function's name", _filter)


@dataclass(frozen=True)
class CallRule(Section):
    """What crosses the ABI: one of `has`, `never`, `count`, `in_order` and `before`."""

    has: str | None = key(FILTER, "There is such a call.")
    never: str | None = key(FILTER, "There is no such call.")
    count: str | None = key(
        FILTER, "So many calls are like that, as the keys `is`, `at_least` and `at_most` say."
    )
    is_: int | None = key(Whole(0), "With `count`: exactly so many.")
    at_least: int | None = key(Whole(0), "With `count`: so many or more.")
    at_most: int | None = key(Whole(0), "With `count`: so many or less.")
    in_order: tuple[str, ...] | None = key(
        Many(FILTER, 2), "There is a call for each, one after the other; others may be between them."
    )
    before: tuple[str, ...] | None = key(
        Many(FILTER, 2),
        "The first call that is like the first comes before the first that is like the second.",
    )

    def check(self) -> None:
        """Refuse what says nothing, and what cannot hold."""
        said = [name for name in ("has", "never", "count", "in_order", "before") if self.wrote(name)]
        if len(said) != 1:
            wrong(
                self.at(said[1] if said else ""),
                "has one of `has`, `never`, `count`, `in_order` and `before`",
            )
        bounds = [name for name in ("is", "at_least", "at_most") if self.wrote(name)]
        if bool(bounds) is (self.count is None):
            advice = (
                "say how many by `is`, `at_least` or `at_most`" if self.count else "it goes with `count` only"
            )
            wrong(self.at(bounds[0] if bounds else "count"), advice)
        if self.before is not None and len(self.before) != 2:
            wrong(self.at("before"), "is a list of two; `in_order` takes more")
        if self.count is not None:
            self.number.check()

    @property
    def number(self) -> NumberRule:
        """How many."""
        return NumberRule(is_=self.is_, at_least=self.at_least, at_most=self.at_most, places=self.places)


CALL_RULES: Shape[tuple[CallRule, ...]] = OneOrMany(
    Either(
        (
            As(FILTER, lambda text, node: CallRule(has=text, places={"": node.place, "has": node.place})),
            Of(CallRule),
        )
    )
)
