"""A module that was brought here, and what has to be true of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256 as digest_of
from pathlib import Path
from typing import NamedTuple

from simwasm.errors import BadModule, InputError
from simwasm.wasm.container import check_container

Told = Callable[[str], None]
_DIGITS = re.compile("[0-9a-f]{64}")


class Fetched(NamedTuple):
    """A module and where it came from."""

    wasm: bytes
    origin: str
    """Its path or address, with the digest where it is an image."""
    digest: str
    """What `sha256` of a configuration is compared with: an image's digest, or the module's own; 64 digits."""
    name: str
    """A name for a plugin of whom nobody says another."""
    folder: Path | None = None
    """Where files lie that tell of its source."""


def digits_of(sha256: str, where: str) -> str:
    """The digits of a digest that somebody has written down."""
    digits = sha256.strip().lower().removeprefix("sha256:")
    if sha256 and not _DIGITS.fullmatch(digits):
        raise InputError(f"{where}: its sha256 is not 64 hexadecimal digits: {sha256[:80]}")
    return digits


def own_digest(wasm: bytes) -> str:
    """A module's own digest."""
    return digest_of(wasm).hexdigest()


def module(wasm: bytes, where: str) -> bytes:
    """The bytes, if they begin as a module does."""
    try:
        check_container(wasm)
    except BadModule as error:
        raise InputError(f"{where}: {error}") from None
    return wasm
