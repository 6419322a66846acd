"""The header maps of a stream, as they are now: what is kept for each of its callbacks while a run is recorded.

It runs twice for every callback, so it costs about a microsecond, and what did not change since it was seen last is the
same tuple as before. Rule: all maps of the stream are seen, those that the plugin cannot read now too, since somebody
else may change them meanwhile.
"""

from __future__ import annotations

from simwasm.abi.enums import MapType
from simwasm.debug.tape import Maps
from simwasm.exchange import Headers
from simwasm.host.context import Context
from simwasm.host.headers import Columns, HeaderMap

_HEADERS, _TRAILERS = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_REQUEST_TRAILERS
_ANSWER_HEADERS, _ANSWER_TRAILERS = MapType.HTTP_RESPONSE_HEADERS, MapType.HTTP_RESPONSE_TRAILERS
_MOST = 256
"""Maps that are remembered: those of the streams that are open, unless there are very many."""


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


class Seen:
    """Sees the maps of one stream after the other."""

    def __init__(self) -> None:
        self._before: Maps = ()
        self._known: dict[int, tuple[HeaderMap, Columns, Headers]] = {}
        """The maps that were seen, what they looked like, and their entries then; by identity, the map being kept."""

    def look(self, context: Context | None) -> Maps:
        """The entries of these maps, shared with what was seen before as far as they are still so.

        Give it the context that the VM acts for (`vm.context`), since a root's callback may act for a stream.
        """
        if context is None:
            return ()
        now: Maps = tuple([(kind, self._entries(kind, map)) for kind, map in maps_of(context)])
        if now != self._before:
            self._before = now
        return self._before

    def _entries(self, kind: MapType, map: HeaderMap) -> Headers:
        known = self._known.get(id(map))
        if known is not None and known[0] is map and not map.has_changed(known[1]):
            return known[2]
        entries = map.entries
        for each, seen in self._before:
            if each is kind and seen == entries:
                entries = seen
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[id(map)] = (map, map.columns, entries)
        return entries
