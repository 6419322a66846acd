"""What headers are expected to be; several values of one name are one text, joined by a comma, or a list."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simwasm.suites.rules import NUMBER_RULE, NumberRule, Said, TextRule, differs, shown
from simwasm.suites.section import Of, key
from simwasm.suites.shape import (
    FLAG,
    TEXT,
    As,
    Either,
    Many,
    Named,
    OneOrMany,
    Shape,
    wrong,
)


@dataclass(frozen=True)
class HeaderRule(TextRule):
    """What a header is; several values of one name are joined by a comma."""

    values: tuple[str, ...] | None = key(
        OneOrMany(TEXT), "Its values, where it is there several times, in their order."
    )
    count: NumberRule | None = key(NUMBER_RULE, "How often it is there.")
    absent: bool | None = key(FLAG, "It is not there.")
    present: bool | None = key(FLAG, "It is there, with any value.")

    def check(self) -> None:
        """Refuse what cannot hold."""
        super().check()
        no = self.absent is True or self.present is False
        others = [name for name in self.places if name not in ("", "absent", "present")]
        if no and (others or self.present is True or self.absent is False):
            also = others[0] if others else "present"
            wrong(
                self.at("absent"),
                f"can never hold: a header that is absent has no `{also}`; leave one of them out",
            )

    def header_misses(self, what: str, values: Sequence[str]) -> Iterator[Said]:
        """What is not as expected of the values of a header."""
        if self.absent is True or self.present is False:
            if values:
                yield Said(f"{what}: expected to be absent, came {shown(','.join(values))}")
            return
        if not values and (self.count is None or self._needs_one):
            yield Said(f"{what}: is not there{self._wanted()}")
            return
        if self.values is not None and tuple(values) != self.values:
            yield differs(what, ", ".join(self.values), ", ".join(values))
        if self.count is not None:
            yield from self.count.misses(f"{what}: how often", len(values))
        if values:
            yield from self.misses(what, ",".join(values))

    @property
    def _needs_one(self) -> bool:
        """Whether something is said that no header can be which is not there, beside how often it is."""
        said = (
            self.present,
            self.absent is False,
            self.is_ is not None,
            self.contains,
            self.matches,
            self.values,
        )
        return any(said)

    def _wanted(self) -> str:
        return "" if self.is_ is None else f", expected {shown(self.is_)}"


HEADER_RULE: Shape[HeaderRule] = Either(
    (
        As(TEXT, lambda text, node: HeaderRule(is_=text, places={"": node.place, "is": node.place})),
        As(Many(TEXT, 1), lambda texts, node: HeaderRule(values=texts, places={"": node.place, "values": node.place})),
        Of(HeaderRule),
    )
)  # fmt: skip


def header_name(text: str) -> str:
    """A header's name, as it is compared."""
    if not text.strip() or any(char in text for char in " \t\r\n"):
        raise ValueError(f"{shown(text)} is no name of a header")
    return text.lower()


HEADER_RULES = Named(HEADER_RULE, "HEADER", header_name)
