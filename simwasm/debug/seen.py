"""The header maps of a stream, as they are now: what is kept for each of its callbacks while a run is recorded.

It runs twice for every callback, so it costs about a microsecond, and what did not change since it was seen last is the
same tuple as before. Rule: all maps of the stream are seen, those that the plugin cannot read now too, since somebody
else may change them meanwhile.
"""

from __future__ import annotations

from simwasm.abi.enums import MapType
from simwasm.debug.tape import Maps
from simwasm.host.context import Context
from simwasm.host.headers import HeaderMap

_HEADERS, _TRAILERS = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_REQUEST_TRAILERS
_ANSWER_HEADERS, _ANSWER_TRAILERS = MapType.HTTP_RESPONSE_HEADERS, MapType.HTTP_RESPONSE_TRAILERS


def maps_of(context: Context) -> list[tuple[MapType, HeaderMap]]:
    """The maps of a context's stream, and of the callout that is being answered."""
    found: list[tuple[MapType, HeaderMap]] = []
    stream = context.stream
    if stream is not None:
        request, response = stream.request, stream.response
        if request.headers is not None:
            found.append((_HEADERS, request.headers))
        if request.trailers is not None:
            found.append((_TRAILERS, request.trailers))
        if response.headers is not None:
            found.append((_ANSWER_HEADERS, response.headers))
        if response.trailers is not None:
            found.append((_ANSWER_TRAILERS, response.trailers))
    root = context.vm.root
    if root is not None and root.answer:
        found.extend(root.answer.items())
    return found


def seen(context: Context | None, before: Maps = ()) -> Maps:
    """The entries of these maps; `before` is what was seen last, and is shared as far as it is still so.

    Give it the context that the VM acts for (`vm.context`), since a root's callback may act for a stream.
    """
    if context is None:
        return ()
    now: Maps = tuple([(kind, map.entries) for kind, map in maps_of(context)])
    if now == before:
        return before
    known = dict(before)
    return tuple([entry if known.get(entry[0]) != entry[1] else (entry[0], known[entry[0]]) for entry in now])
