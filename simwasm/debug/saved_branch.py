"""Branches as a session file holds them: what was answered in whose place, told by the place of the call."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from simwasm.abi.enums import Status
from simwasm.debug.branch import Branch, Override
from simwasm.debug.places import Place, place_of
from simwasm.errors import InputError
from simwasm.traffic.json_field import Field

_BITS = 64


@dataclass(frozen=True, slots=True)
class SavedBranch:
    """A fork: its name, that of the branch it left, where, and what was said there."""

    name: str
    parent: str
    place: Place
    override: Override

    def to_json(self) -> dict[str, Any]:
        """As an object."""
        said = self.override
        told: dict[str, Any] = {"callback": True} if said.callback else {"status": said.status.name}
        if said.callback:
            told["result"] = _value(said.result)
        elif said.values:
            told["values"] = [_value(value) for value in said.values]
        return {
            "name": self.name,
            "parent": self.parent,
            "place": self.place.to_json(),
            "override": told,
        }

    @classmethod
    def from_json(cls, found: Field) -> SavedBranch:
        """Read what `to_json` gave."""
        place = found.get("place")
        try:
            where = Place.from_json(place.value)
        except InputError as error:
            raise place.wrong(f"cannot be used: {error}") from None
        return cls(found.get("name").text(), found.text_of("parent"), where, _override(found.get("override")))


def saved_branch(branch: Branch) -> SavedBranch | None:
    """How a branch is written down; None for one that is no fork, or was made by an edit, which no file keeps."""
    override = branch.overrides.get(branch.forked_at)
    if branch.parent is None or branch.edit is not None or override is None:
        return None
    place = place_of(branch.parent.tape, branch.forked_at)
    return SavedBranch(branch.name, branch.parent.name, place, override)


def _override(found: Field) -> Override:
    callback = found.find("callback")
    if callback is not None and callback.flag():
        return Override(result=_from(found.get("result")), callback=True)
    status = found.get("status").text()
    if status not in Status.__members__:
        raise found.wrong(f"has no status {status!r}; known are {', '.join(Status.__members__)}")
    return Override(Status[status], tuple(_from(each) for each in found.each("values")))


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _from(found: Field) -> Any:
    value = found.value
    if isinstance(value, dict):
        try:
            return base64.b64decode(found.get("base64").text(), validate=True)
        except (binascii.Error, ValueError):
            raise found.wrong("has base64 that is none") from None
    if isinstance(value, list):
        return tuple(_from(item) for item in found.items())
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise found.wrong("is too large a number")
    if isinstance(value, float):
        raise found.wrong("must be a whole number, text, or bytes in base64")
    return value
