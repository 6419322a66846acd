"""The header maps of a stream, as they are now: what is kept for each of its callbacks while a run is recorded.

It runs for every callback, so what did not change since it was seen last is the same tuple as before, and nothing is
made of it. What is like something that was seen lately is the same object: a thousand requests differ in a few of
their headers only. Rule: all maps of the stream are seen, those that the plugin cannot read now too, since somebody
else may change them meanwhile.
"""

from __future__ import annotations

from simwasm.abi.enums import MapType
from simwasm.debug.tape import Packed, PackedMap
from simwasm.exchange import Header, Headers
from simwasm.host.context import Context
from simwasm.host.headers import Columns, HeaderMap
from simwasm.host.outcome import Outcome, Taken

_HEADERS, _TRAILERS = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_REQUEST_TRAILERS
_ANSWER_HEADERS, _ANSWER_TRAILERS = MapType.HTTP_RESPONSE_HEADERS, MapType.HTTP_RESPONSE_TRAILERS
_MOST = 256
"""Maps that are remembered: those of the streams that are open, unless there are very many."""
_MOST_PAIRS = 4_096


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
    if context.root.answer:
        found.extend(context.root.answer.items())
    return found


class Seen:
    """Sees the maps of one stream after the other."""

    def __init__(self) -> None:
        self._before: Packed = ()
        self._held: tuple[object, ...] = ()
        """The maps that were seen last; while they are still there, only what is in them may differ."""
        self._columns: list[tuple[HeaderMap, Columns]] = []
        self._known: dict[int, tuple[HeaderMap, Columns, PackedMap]] = {}
        """The maps that were seen, and what they looked like then; by identity, the map being kept."""
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._pairs: dict[Header, Header] = {}
        """Names and entries that were seen lately, as one object each: most requests have most of them."""
        self._actions: tuple[Taken, ...] = ()

    def look(self, context: Context | None) -> Packed:
        """What these maps hold, shared with what was seen before as far as it is still so.

        Give it the context that the VM acts for (`vm.context`), since a root's callback may act for a stream.
        """
        if context is None:
            return ()
        held = _held(context)
        if held == self._held:
            for map, columns in self._columns:
                if map.has_changed(columns):
                    break
            else:
                return self._before
        self._columns = []
        self._before = tuple([self._packed(kind, map) for kind, map in maps_of(context)])
        self._held = held
        return self._before

    def outcome(self, outcome: Outcome) -> Outcome:
        """What became of an exchange, sharing what is like that of others."""
        request = outcome.request
        asked = self._shared(outcome.asked)
        if request is not None:
            same = request.headers == asked
            request = request._replace(headers=asked if same else self._shared(request.headers))
        response, given = outcome.response, outcome.exchange.response
        if response is not None:
            body = given.body if given is not None and given.body == response.body else response.body
            response = response._replace(headers=self._shared(response.headers), body=body)
        if outcome.actions != self._actions:
            self._actions = outcome.actions
        return outcome._replace(request=request, response=response, actions=self._actions, asked=asked)

    def _shared(self, entries: Headers) -> Headers:
        if len(self._pairs) >= _MOST_PAIRS:
            self._pairs.clear()
        return tuple(map(self._pairs.setdefault, entries, entries))

    def _packed(self, kind: MapType, map: HeaderMap) -> PackedMap:
        known = self._known.get(id(map))
        if known is None or known[0] is not map or map.has_changed(known[1]):
            columns = names, values = map.columns
            key = tuple(names)
            if len(self._known) >= _MOST:
                self._known.clear()
                self._names.clear()
            packed = (kind, self._names.setdefault(key, key), tuple(values))
            known = self._known[id(map)] = (map, columns, packed)
        self._columns.append(known[:2])
        return known[2]


def _held(context: Context) -> tuple[object, ...]:
    """Where the maps are that can be seen: equal to another time's if they are the same objects."""
    stream, root = context.stream, context.root
    answer = tuple(root.answer.values()) if root.answer else ()
    if stream is None:
        return answer
    request, response = stream.request, stream.response
    return (request.headers, request.trailers, response.headers, response.trailers, *answer)
