"""A header map, as Envoy keeps it.

Names compare in lower case; order and duplicates survive. Rules:

- pseudo headers come first, however late they were added;
- in a request `host` is another name of `:authority`;
- adding to a header that Envoy keeps in a slot of its own joins the values by a comma, unless the new one is empty,
  and requests have other slots than responses; adding any other makes a second entry;
- nothing here knows about streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simwasm.exchange import Header, Headers

_EITHER = (
    "cache-control connection content-encoding content-length content-type keep-alive proxy-connection proxy-status "
    "transfer-encoding upgrade via x-envoy-attempt-count x-envoy-decorator-operation x-request-id"
).split()
_REQUEST = frozenset(_EITHER) | frozenset(
    "accept accept-encoding access-control-request-headers access-control-request-method authorization expect "
    "grpc-accept-encoding grpc-timeout host if-match if-modified-since if-none-match if-range if-unmodified-since "
    "origin pragma referer te user-agent x-client-trace-id x-envoy-downstream-service-cluster "
    "x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace "
    "x-envoy-internal x-envoy-original-path x-forwarded-client-cert x-forwarded-for x-forwarded-host "
    "x-forwarded-port x-forwarded-proto".split()
)
_RESPONSE = frozenset(_EITHER) | frozenset(
    "access-control-allow-credentials access-control-allow-headers access-control-allow-methods "
    "access-control-allow-origin access-control-expose-headers access-control-max-age age date etag expires "
    "grpc-message grpc-status last-modified location server vary x-envoy-upstream-service-time".split()
)


Columns = tuple[list[str], list[str]]


class HeaderMap:
    """One map; `request` decides about the alias `host`.

    Names and values are kept in two lists, so that a name is looked for by the list itself and not by a loop here.
    """

    __slots__ = ("_names", "_values", "request")

    def __init__(self, entries: Iterable[Header] = (), *, request: bool = False) -> None:
        given = entries if isinstance(entries, (tuple, list)) else tuple(entries)
        self._names: list[str] = [name for name, _ in given]
        self._values: list[str] = [value for _, value in given]
        self.request = request

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Header]:
        return zip(self._names, self._values, strict=True)

    @property
    def entries(self) -> Headers:
        """All entries as a value."""
        return tuple(zip(self._names, self._values))  # noqa: B905  # `strict` would double the price

    @property
    def columns(self) -> Columns:
        """All names and all values, by which `has_changed` finds out at a third of the price of entries."""
        return self._names.copy(), self._values.copy()

    def has_changed(self, columns: Columns) -> bool:
        """Whether these are no longer the names and values."""
        return self._names != columns[0] or self._values != columns[1]

    def _key(self, name: str) -> str:
        name = name.lower()
        return ":authority" if name == "host" and self.request else name

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        name = name.lower()  # `_key` written out, since this is called more than anything else
        if name == "host" and self.request:
            name = ":authority"
        names = self._names
        return self._values[names.index(name)] if name in names else None

    def copy(self) -> HeaderMap:
        """Another map with the same entries."""
        other = HeaderMap(request=self.request)
        other._names, other._values = self._names.copy(), self._values.copy()
        return other

    def any_of(self, names: frozenset[str]) -> bool:
        """Whether any of these headers, in lower case, is there."""
        return not names.isdisjoint(self._names)

    def has(self, name: str) -> bool:
        """Whether a header is there; its name is given in lower case."""
        return name in self._names

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        name = self._key(name)
        return [value for key, value in self if key == name]

    def joined(self, name: str) -> str | None:
        """The values of a header, with commas between them."""
        name = self._key(name)
        names = self._names
        if name not in names:
            return None
        return self._values[names.index(name)] if names.count(name) == 1 else ",".join(self.all(name))

    def add(self, name: str, value: str) -> None:
        """Add a value, joined to what is there where Envoy does so."""
        name = self._key(name)
        names = self._names
        if name in names and (name in (_REQUEST if self.request else _RESPONSE) or name[:1] == ":"):
            at = names.index(name)
            old = self._values[at]
            if value:
                self._values[at] = f"{old},{value}" if old else value
        elif name[:1] == ":":
            self._insert(name, value)
        else:
            names.append(name)
            self._values.append(value)

    def append(self, name: str, value: str) -> None:
        """Add a header that is not there, with its name in lower case."""
        self._names.append(name)
        self._values.append(value)

    def put(self, name: str, value: str) -> None:
        """Make this the value where the header stands, or else at the end: what the host does to its own headers."""
        if name in self._names:
            self._values[self._names.index(name)] = value
        else:
            self._insert(name, value)

    def replace(self, name: str, value: str) -> None:
        """Make this the only value: the old ones go, the new one stands at the end."""
        name = self._key(name)
        self.remove(name)
        self._insert(name, value)

    def remove(self, name: str) -> bool:
        """Remove every value; say whether there was one."""
        name = self._key(name)
        if name not in self._names:
            return False
        kept = [entry for entry in self if entry[0] != name]
        self._names, self._values = [key for key, _ in kept], [value for _, value in kept]
        return True

    def assign(self, entries: Iterable[Header]) -> None:
        """Remove everything, then add each in order."""
        self._names, self._values = [], []
        for name, value in entries:
            self.add(name, value)

    def byte_size(self) -> int:
        """The bytes of all names and values."""
        return sum(len(text.encode("utf-8", "surrogateescape")) for text in (*self._names, *self._values))

    def _insert(self, name: str, value: str) -> None:
        if name[:1] != ":":
            self._names.append(name)
            self._values.append(value)
            return
        at = next((i for i, key in enumerate(self._names) if key[:1] != ":"), len(self._names))
        self._names.insert(at, name)
        self._values.insert(at, value)
