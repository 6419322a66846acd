"""A header map, as Envoy keeps it.

Names compare in lower case; order and duplicates survive. Rules:

- pseudo headers come first, however late they were added;
- in a request `host` is another name of `:authority`;
- adding to a header that Envoy keeps in a slot of its own joins the values (`,`, cookies `; `); adding any other
  makes a second entry;
- nothing here knows about streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simwasm.exchange import Header, Headers

_JOINED = frozenset(
    "accept accept-encoding access-control-request-headers access-control-request-method authorization "
    "cache-control connection content-encoding content-length content-type etag expect grpc-accept-encoding "
    "grpc-message grpc-status grpc-timeout host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since keep-alive origin pragma proxy-connection proxy-status referer server te "
    "transfer-encoding upgrade user-agent vary via x-client-trace-id x-envoy-attempt-count "
    "x-envoy-downstream-service-cluster x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms "
    "x-envoy-external-address x-envoy-force-trace x-envoy-internal x-envoy-original-path "
    "x-envoy-upstream-service-time x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port "
    "x-forwarded-proto x-ot-span-context x-request-id "
    "access-control-allow-credentials access-control-allow-headers access-control-allow-methods "
    "access-control-allow-origin access-control-expose-headers access-control-max-age age date expires "
    "last-modified location cookie".split()
)
_SEPARATORS = {"cookie": "; "}


class HeaderMap:
    """One map; `request` decides about the alias `host`."""

    __slots__ = ("_entries", "request")

    def __init__(self, entries: Iterable[Header] = (), *, request: bool = False) -> None:
        self._entries: list[Header] = list(entries)
        self.request = request

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Header]:
        return iter(self._entries)

    @property
    def entries(self) -> Headers:
        """All entries as a value."""
        return tuple(self._entries)

    def _key(self, name: str) -> str:
        name = name.lower()
        return ":authority" if name == "host" and self.request else name

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        name = name.lower()  # `_key` written out, since this is called more than anything else
        if name == "host" and self.request:
            name = ":authority"
        for key, value in self._entries:
            if key == name:
                return value
        return None

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        name = self._key(name)
        return [value for key, value in self._entries if key == name]

    def add(self, name: str, value: str) -> None:
        """Add a value, joined to what is there where Envoy does so."""
        name = self._key(name)
        if name in _JOINED or name[:1] == ":":
            for index, (key, old) in enumerate(self._entries):
                if key == name:
                    separator = _SEPARATORS.get(name, ",")
                    self._entries[index] = (name, f"{old}{separator}{value}" if old else value)
                    return
        self._insert(name, value)

    def receive(self, name: str, value: str) -> None:
        """Add a value as a codec does: cookies stay apart."""
        if name == "cookie":
            self._insert(name, value)
        else:
            self.add(name, value)

    def put(self, name: str, value: str) -> None:
        """Make this the value where the header stands, or else at the end: what the host does to its own headers."""
        for index, (key, _) in enumerate(self._entries):
            if key == name:
                self._entries[index] = (name, value)
                return
        self._insert(name, value)

    def replace(self, name: str, value: str) -> None:
        """Make this the only value: the old ones go, the new one stands at the end."""
        name = self._key(name)
        self.remove(name)
        self._insert(name, value)

    def remove(self, name: str) -> bool:
        """Remove every value; say whether there was one."""
        name = self._key(name)
        kept = [entry for entry in self._entries if entry[0] != name]
        found = len(kept) != len(self._entries)
        if found:
            self._entries = kept
        return found

    def assign(self, entries: Iterable[Header]) -> None:
        """Remove everything, then add each in order."""
        self._entries = []
        for name, value in entries:
            self.add(name, value)

    def byte_size(self) -> int:
        """The bytes of all names and values."""
        return sum(len(name.encode("utf-8", "surrogateescape")) + len(value.encode("utf-8", "surrogateescape"))
                   for name, value in self._entries)  # fmt: skip

    def _insert(self, name: str, value: str) -> None:
        if name[:1] != ":":
            self._entries.append((name, value))
            return
        at = next((i for i, (key, _) in enumerate(self._entries) if key[:1] != ":"), len(self._entries))
        self._entries.insert(at, (name, value))
