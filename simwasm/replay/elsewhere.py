"""Traffic in other storage, which is read where it is played and not here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simwasm import recipe as recipes
from simwasm.exchange import Exchange
from simwasm.recipe import Recipe
from simwasm.traffic.notes import Notes
from simwasm.traffic.opening import is_address, sources
from simwasm.traffic.selection import selection


class Elsewhere(NamedTuple):
    """Traffic at addresses, which is read where it is played."""

    recipe: Recipe
    """What the traffic is for, and its addresses."""
    filter: str = ""
    limit: int | None = None

    def at(self, address: str) -> Elsewhere:
        """One file of it."""
        return self._replace(recipe=Recipe(self.recipe.plugin, (address,), network=self.recipe.network))

    def files(self) -> list[Elsewhere]:
        """Its files, those of folders and patterns too."""
        return [self.at(source.name) for source in sources(self.recipe.traffic)]

    def exchanges(self, notes: Notes) -> Iterator[Exchange]:
        """What is wanted of it."""
        return selection(self.filter).of(recipes.exchanges(self.recipe, notes))


def elsewhere(recipe: Recipe, filter: str = "", limit: int | None = None) -> Elsewhere | None:
    """The traffic, if all of it is at addresses."""
    there = bool(recipe.traffic) and all(map(is_address, recipe.traffic))
    return Elsewhere(recipe, filter, limit) if there else None
