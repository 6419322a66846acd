"""Arguments that are a protobuf message: reading them, and why they cannot be read."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.protobuf import Broken, Message, Schema, decode


def read(schema: Schema, data: bytes) -> Message:
    """Read a function's arguments; what is none is refused."""
    try:
        return decode(schema, data)
    except Broken as error:
        raise Refusal(Status.BAD_ARGUMENT, f"arguments: these bytes are no {schema.name}: {error}") from None
