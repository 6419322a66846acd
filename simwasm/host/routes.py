"""Routes: which of them a request takes, by its path.

Rules, as in the real host: the first whose prefix fits counts; a plugin that writes request headers has the route
looked up again when the request leaves the last filter, and until then the old one is told; no route is a 404.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.host.headers import HeaderMap


class Route(NamedTuple):
    """One route of the proxy's table."""

    prefix: str
    name: str
    cluster: str


def choose(routes: tuple[Route, ...], headers: HeaderMap) -> Route | None:
    """The route of a request; None is a 404."""
    path = headers.get(":path")
    if path is None or not headers.has("x-forwarded-proto"):
        return None
    for route in routes:
        if path.startswith(route.prefix):
            return route
    return None
