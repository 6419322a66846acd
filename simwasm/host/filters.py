"""A stream context: the plugin as one filter of an exchange's chain.

This is where Envoy's filter calls become ABI callbacks and the plugin's answers become filter statuses. Rules:

- headers and trailers are there from their callback until it continues; a body chunk only during its callback;
- Pause in a headers callback stops everything behind it unless the host was told otherwise;
- after Pause in a body callback the next one sees all that is buffered so far;
- a local reply stops the iteration whatever the callback returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwasm.abi.enums import Action, BufferType, DataAction, HeadersAction, MapType
from simwasm.abi.table import Abi
from simwasm.host.buffers import Buffer
from simwasm.host.context import Context, RootContext
from simwasm.host.headers import HeaderMap
from simwasm.plugin import FailPolicy

if TYPE_CHECKING:
    from simwasm.host.lane import Lane
    from simwasm.host.stream import Stream

_HEADERS = {member.value: member for member in HeadersAction} | {
    HeadersAction.CONTINUE_AND_END_STREAM: HeadersAction.CONTINUE
}
_DATA = {member.value: member for member in DataAction}
_ALL = HeadersAction.STOP_ALL_AND_WATERMARK
_GO, _PAUSE = HeadersAction.CONTINUE, HeadersAction.PAUSE
_DATA_GO, _DATA_PAUSE, _DROP = DataAction.CONTINUE, DataAction.PAUSE, DataAction.STOP_NO_BUFFER
_TRAILERS_GO, _TRAILERS_PAUSE = Action.CONTINUE, Action.PAUSE


class StreamContext(Context):
    """One plugin's view of one exchange. It has its number from the start; the guest is told when headers reach it, or
    at the log."""

    __slots__ = ("begun", "buffering", "ending", "_failed", "_with_end")

    stream: Stream

    def __init__(self, root: RootContext, stream: Stream) -> None:
        self.vm = vm = root.vm
        self.root = root
        if vm.failed is None:
            self.id = vm.next_context_id()
            vm.contexts[self.id] = self
        else:
            self.id = 0
        self.begun = False
        """Whether the guest knows it."""
        self.logging = False
        self.maps: dict[MapType, HeaderMap] = {}
        self.buffers: dict[BufferType, Buffer] = {}
        self.stream = stream
        self.buffering: set[Lane] = set()
        self.ending: Lane | None = None
        """The lane whose end this callback sees, so that trailers may be added to it."""
        self._failed = False
        self._with_end = vm.plugin.abi is not Abi.V0_1_0

    @property
    def log_name(self) -> str:
        return self.root.stream_log_name

    def begin(self) -> None:
        """Create the context in the guest."""
        self.begun = True
        self.vm.tell(self, "proxy_on_context_create", self.root.id)

    # The filter: what a lane asks, with the status it acts on.

    def headers(self, lane: Lane, end: bool) -> HeadersAction:
        if not self.begun:
            if not lane.request:
                return _GO
            if self.vm.failed is None:
                self.begin()
        assert lane.headers is not None
        self.maps[lane.headers_type] = lane.headers
        self.ending = lane if end else None
        args = (len(lane.headers), end) if self._with_end else (len(lane.headers),)
        result = self._ask(lane, lane.on_headers, args, _ALL)
        status = _ALL if self.vm.stopped else _HEADERS.get(result, _ALL)
        if status is _PAUSE and not self.root.plugin.stop_iteration_on_headers:
            status = _ALL
        if self.vm.deeds:
            self.vm.settle()
        if status is _GO:
            self.maps.pop(lane.headers_type, None)
        return status

    def data(self, lane: Lane, data: Buffer, end: bool) -> DataAction:
        if not self.begun:
            return _DATA_GO
        if self.buffering and lane in self.buffering:
            lane.keep(data)
            if self.stream.ended:
                return _DROP
            data = lane.buffer if lane.buffer is not None else data
        self.buffers[lane.body_type] = data
        self.ending = lane if end else None
        result = self._ask(lane, lane.on_body, (len(data), end), _DROP)
        status = _DATA.get(result, _DROP)
        if self.vm.stopped:
            status = _DROP
        if self.vm.deeds:
            self.vm.settle()
        self.buffers.pop(lane.body_type, None)
        if status is _DATA_PAUSE:
            self.buffering.add(lane)
        elif self.buffering:
            self.buffering.discard(lane)
        return status

    def trailers(self, lane: Lane) -> Action:
        if not self.begun:
            return _TRAILERS_GO
        assert lane.trailers is not None
        self.maps[lane.trailers_type] = lane.trailers
        result = self._ask(lane, lane.on_trailers, (len(lane.trailers),), _TRAILERS_PAUSE)
        status = _TRAILERS_PAUSE if self.vm.stopped or result else _TRAILERS_GO
        if self.vm.deeds:
            self.vm.settle()
        if status is _TRAILERS_GO:
            self.maps.pop(lane.trailers_type, None)
        return status

    def _ask(self, lane: Lane, function: str, args: tuple[int, ...], stop: Any) -> Any:
        """Call a stream callback: its result, 0 where there is none, or `stop` when the VM has failed."""
        vm = self.vm
        if vm.failed is None:
            result = vm.call(self, function, *args)
            if result is not None:
                self.stream.actions.append((self.root.plugin.name, function, result))
                return result
            if vm.failed is None:
                return 0
        return self._refuse(lane, stop)

    def _refuse(self, lane: Lane, stop: Any) -> Any:
        """The VM has failed: answer 503, once; what comes after that, the answer too, goes past."""
        if self._failed or self.root.plugin.fail_policy is FailPolicy.FAIL_OPEN_AT_ONCE:
            return 0
        self._failed = True
        self.stream.local_reply(503, b"", (), details="wasm_fail_stream", grpc_status=14)
        return stop

    def writable_map(self, kind: MapType) -> HeaderMap | None:
        found = self.maps.get(kind)
        if found is None and self.ending is not None and kind is self.ending.trailers_type:
            lane = self.ending
            if lane.trailers is None and lane.headers_type not in self.maps:
                lane.trailers = HeaderMap(request=lane.request)
            found = lane.trailers
            if found is not None:
                # It is kept: this filter gets no callback for trailers of its own making.
                self.maps[kind] = found
        return found

    def may_write(self, kind: MapType) -> bool:
        if super().may_write(kind):
            return True
        lane = self.ending
        if lane is None or kind is not lane.trailers_type:
            return False
        return lane.trailers is not None or lane.headers_type not in self.maps

    def readable_map(self, kind: MapType) -> HeaderMap | None:
        found = super().readable_map(kind)
        if found is None and self.ending is not None and kind is self.ending.trailers_type:
            return self.ending.trailers
        return found

    def buffer(self, kind: BufferType) -> Buffer | None:
        found = self.buffers.get(kind)
        if found is not None:
            return found
        for lane in self.buffering:
            if lane.body_type is kind:
                return lane.buffer if lane.buffer is not None else Buffer()
        return self.root.buffer_of_root(kind)

    def forget_request(self) -> None:
        """Envoy drops the request's pointers as soon as either direction is told to continue."""
        for kind in (MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_REQUEST_TRAILERS):
            self.maps.pop(kind, None)
        self.buffers.pop(BufferType.HTTP_REQUEST_BODY, None)

    def log_end(self) -> None:
        """The exchange is over and is logged."""
        vm = self.vm
        if vm.failed is not None:
            return
        if not self.begun:
            self.begin()
        self.maps = self.stream.maps_for_log()
        self.buffers = {}
        self.ending = None
        self.logging = True
        vm.tell(self, "proxy_on_log")
        self.logging = False

    def end(self) -> None:
        """The exchange is logged by everyone, and this plugin's part of it ends."""
        vm = self.vm
        if self.begun:
            vm.tell(self, "proxy_on_done")
            vm.tell(self, "proxy_on_delete")
        vm.forget(self)
