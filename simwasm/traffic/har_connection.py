"""The connection of a HAR entry: everything is on loopback, and has a port that comes out of its number."""

from __future__ import annotations

import re

from simwasm.exchange import Connection, Headers, Tls

_NAME = re.compile(r"[^\[]*[^\d.]")  # an address literal is no server name
_TLS = re.compile(r"TLS (1(?:\.\d)?)")
_PROTOCOLS = {
    "http/1.0": "HTTP/1.0",
    "http/1.1": "HTTP/1.1",
    "h2": "HTTP/2",
    "http/2": "HTTP/2",
    "http/2.0": "HTTP/2",
    "h3": "HTTP/3",
    "http/3": "HTTP/3",
    "http/3.0": "HTTP/3",
}
_FIRST_PORT = 50_000
_PORTS = 10_000


def connected(number: int, address: str, host: str, port: str, protocol: str, tls: Tls | None) -> Connection:
    """A connection to a host, which is asked by this name and is at this address, bracketed if it is of IPv6."""
    return Connection(
        number,
        f"127.0.0.1:{_FIRST_PORT + number % _PORTS}",
        f"{address or '127.0.0.1'}:{port}",
        protocol,
        host if tls is not None and _NAME.fullmatch(host) else "",
        tls,
    )


def protocol_of(recorded: str, headers: Headers) -> str:
    """The protocol of a request, by what was recorded of it or by its headers."""
    known = _PROTOCOLS.get(recorded.lower())
    return known or ("HTTP/2" if headers[0][0] != ":authority" else "HTTP/1.1")


def tls_of(protocol: str) -> Tls:
    """Playwright writes `TLS 1.3`; others say nothing."""
    version = _TLS.fullmatch(protocol)
    return Tls(f"TLSv{version[1]}") if version else Tls()
