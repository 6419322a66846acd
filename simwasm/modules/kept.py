"""Modules that were fetched before, by the digest of what they came from; and which digest an address had.

Rule: an address is only believed where nobody can be asked, or where a configuration says that this is enough.
"""

from __future__ import annotations

from simwasm.cache import Cache, user_folder


class Kept:
    """What was fetched before; images and files apart, since a digest is of the one or of the other."""

    def __init__(self, kind: str, cache: Cache | None = None) -> None:
        self._kind = kind
        self._cache = cache or Cache(user_folder())

    def module(self, digest: str) -> bytes | None:
        """The module that was found in what has this digest."""
        return self._cache.get(f"module of {self._kind} {digest}") if digest else None

    def digest(self, address: str) -> str:
        """The digest of what was at an address last time, or nothing."""
        return (self._cache.get(f"address {address}") or b"").decode("ascii", "replace")

    def keep(self, digest: str, wasm: bytes, address: str = "") -> None:
        """Remember a module, and where it was."""
        self._cache.put(f"module of {self._kind} {digest}", wasm)
        if address:
            self._cache.put(f"address {address}", digest.encode())
