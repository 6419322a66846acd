"""gRPC calls and streams: a plugin talks with a service, and is told what it says.

What a service says comes in pieces, each at its time, and is taken apart as Envoy's gRPC client does. Rules:

- the cluster is asked once the guest's call has ended; messages that are sent meanwhile wait for that;
- a stream tells the plugin of initial metadata, of each message, of trailing metadata and of its end. A unary call
  tells of its message alone if it went well, else of its end alone;
- an HTTP status other than 200 and a broken frame end the call, with empty metadata;
- what Envoy knows about the end stands behind the service's own words: `no way{via_upstream}`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simwasm.abi.enums import BufferType, MapType
from simwasm.exchange import Headers, Message, decimal, first
from simwasm.host import edge
from simwasm.host.buffers import Buffer
from simwasm.host.clock import MILLISECOND
from simwasm.host.grpc_call import Conversation, pieces_of
from simwasm.host.headers import HeaderMap
from simwasm.host.ports import Callout, Data, Failure, Head, Heard, Piece, Tail

if TYPE_CHECKING:
    from simwasm.host.context import RootContext

UNKNOWN, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE = 2, 8, 13, 14
INVALID = -1
"""A status that is no number of gRPC's."""
VIA_UPSTREAM = "via_upstream"
_LAST = 16
_PREFIX = 5
_COMPRESSED = 1


def begin(
    root: RootContext, call: Callout, *, stream: bool, message: bytes | None = None, largest: int = 0
) -> Conversation:
    """Begin a call once the guest's own call has ended; a unary one has its message already."""
    vm = root.vm
    asker = vm.context.id if vm.context is not None else root.id
    talk = Conversation(call, asker, vm.proxy.clock.now, stream=stream, largest=largest)
    if message is not None:
        talk.unheard.append((message, True))
        talk.ended = True
    vm.in_flight[call.id] = talk
    return talk


def ask_soon(root: RootContext, talk: Conversation) -> None:
    """Have the cluster asked."""
    root.vm.proxy.clock.soon(partial(_ask, root, talk))


def say(root: RootContext, talk: Conversation, message: bytes | None, end: bool) -> None:
    """Send a message, or only the end."""
    talk.unheard.append((message, end))
    talk.ended = end
    if talk.sent:
        root.vm.proxy.clock.soon(partial(_hear, root, talk))


def fail_at_once(root: RootContext, talk: Conversation, failure: Failure) -> None:
    """Tell of a failure that is known while the plugin still runs: its end follows when the plugin has returned."""
    refusal = edge.no_answer(failure)
    reply, _ = edge.local_reply(refusal.status, refusal.body, (), grpc=True, grpc_status=None)
    if talk.stream:
        _metadata(root, talk, MapType.GRPC_CALL_INITIAL_METADATA, HeaderMap())
        _metadata(root, talk, MapType.GRPC_CALL_TRAILING_METADATA, reply)
    code, text = _status(reply)
    end_later(root, talk, code, _described(text, refusal.details))


def fail_soon(root: RootContext, talk: Conversation) -> None:
    """Have a call fail without a word."""
    root.vm.proxy.clock.soon(partial(_fail_silently, root, talk))


def _fail_silently(root: RootContext, talk: Conversation) -> None:
    if not talk.over:
        _fail(root, talk, INTERNAL, "")


def end_later(root: RootContext, talk: Conversation, code: int, text: str) -> None:
    """Tell of a call's end when the plugin has returned."""
    root.vm.in_flight.pop(talk.call.id, None)
    root.vm.later(partial(_tell_end, root, talk, code, text))


def _ask(root: RootContext, talk: Conversation) -> None:
    if talk.over:
        return
    proxy, timeout = root.vm.proxy, talk.call.timeout_ms * MILLISECOND
    talk.sent = True
    found = proxy.ask_cluster(talk.call)
    if isinstance(found, (Message, Failure)):
        _expect(root, talk, pieces_of(found))
    else:
        talk.service = found
        _expect(root, talk, found(Heard(talk.call.request.headers)))
    _hear(root, talk)
    if timeout:
        talk.deadline = proxy.clock.after(timeout, partial(_expire, root, talk))


def _hear(root: RootContext, talk: Conversation) -> None:
    """Let the service hear what was sent since."""
    while talk.unheard and not talk.over:
        message, end = talk.unheard.popleft()
        if message is not None:
            talk.messages += (message,)
        if talk.service is not None:
            heard = Heard(talk.call.request.headers, talk.messages, end, message is not None)
            _expect(root, talk, talk.service(heard))


def _expect(root: RootContext, talk: Conversation, pieces: tuple[Piece, ...]) -> None:
    clock = root.vm.proxy.clock
    at = max(clock.now, talk.last_ns)
    for piece in pieces:
        at += piece.after_ns
        talk.pieces.append(clock.after(at - clock.now, partial(_arrive, root, talk, piece)))
    talk.last_ns = at


def _expire(root: RootContext, talk: Conversation) -> None:
    talk.deadline = None
    _lost(root, talk, Failure("timeout"))


def _arrive(root: RootContext, talk: Conversation, piece: Piece) -> None:
    talk.pieces.popleft()
    if isinstance(piece, Head):
        _head(root, talk, piece)
    elif isinstance(piece, Data):
        _data(root, talk, piece)
    elif isinstance(piece, Tail):
        _finish(root, talk, HeaderMap(piece.headers), VIA_UPSTREAM)
    else:
        _lost(root, talk, piece)


def _head(root: RootContext, talk: Conversation, head: Head) -> None:
    talk.begun = True
    seen = _received(root, talk, head.headers)
    status = first(head.headers, ":status") or ""
    good = status == "200"
    _metadata(root, talk, MapType.GRPC_CALL_INITIAL_METADATA, seen if good and not head.end else HeaderMap())
    if talk.over:
        return
    if head.end and (good or seen.get("grpc-status")):
        _finish(root, talk, seen, VIA_UPSTREAM)
    elif not good:
        _fail(root, talk, edge.grpc_status_of(decimal(status) or 0), VIA_UPSTREAM)


def _received(root: RootContext, talk: Conversation, headers: Headers) -> HeaderMap:
    """Response headers as the client sees them: the router adds how long it took, if all was sent by then."""
    if talk.ended and headers:
        return edge.response_for_filters(headers, root.vm.proxy.clock.now - talk.asked)
    found = HeaderMap()
    for name, value in headers:
        found.add(name, value)
    return found


def _data(root: RootContext, talk: Conversation, data: Data) -> None:
    talk.partial += data.data
    frames: list[tuple[int, bytes]] = []
    while len(talk.partial) >= _PREFIX:
        flags, size = talk.partial[0], int.from_bytes(talk.partial[1:_PREFIX], "big")
        if flags > _COMPRESSED:
            return _fail(root, talk, INTERNAL, VIA_UPSTREAM)
        if talk.largest and size > talk.largest:
            return _fail(root, talk, RESOURCE_EXHAUSTED, VIA_UPSTREAM)
        if len(talk.partial) < _PREFIX + size:
            break
        frames.append((flags, talk.partial[_PREFIX : _PREFIX + size]))
        talk.partial = talk.partial[_PREFIX + size :]
    for flags, message in frames:
        if flags and message:
            return _fail(root, talk, INTERNAL, VIA_UPSTREAM)
        _message(root, talk, message)
        if talk.over:
            return None
    return _fail(root, talk, UNKNOWN, VIA_UPSTREAM) if data.end else None


def _message(root: RootContext, talk: Conversation, message: bytes) -> None:
    if talk.stream:
        _tell_message(root, talk, message)
    else:
        talk.answer = message


def _lost(root: RootContext, talk: Conversation, failure: Failure) -> None:
    """There is no more of an answer: before it began the router makes one."""
    refusal = edge.no_answer(failure)
    if talk.begun:
        cut = f"upstream_reset_after_response_started{{{failure.reason}}}".replace(" ", "_")
        _fail(root, talk, INTERNAL, refusal.details if failure.reason == "timeout" else cut)
        return
    _metadata(root, talk, MapType.GRPC_CALL_INITIAL_METADATA, HeaderMap())
    if talk.over:
        return
    if edge.is_grpc(HeaderMap(talk.call.request.headers)):
        reply, _ = edge.local_reply(refusal.status, refusal.body, (), grpc=True, grpc_status=None)
        _finish(root, talk, reply, refusal.details)
    else:
        _fail(root, talk, edge.grpc_status_of(refusal.status), refusal.details)


def _finish(root: RootContext, talk: Conversation, trailers: HeaderMap, details: str) -> None:
    code, text = _status(trailers)
    _metadata(root, talk, MapType.GRPC_CALL_TRAILING_METADATA, trailers)
    if not talk.over:
        _end(root, talk, code, _described(text, details))


def _fail(root: RootContext, talk: Conversation, code: int, details: str) -> None:
    _metadata(root, talk, MapType.GRPC_CALL_TRAILING_METADATA, HeaderMap())
    if not talk.over:
        _end(root, talk, code, details)


def _status(trailers: HeaderMap) -> tuple[int, str]:
    """The status that trailers tell, and its text as it travelled."""
    text = trailers.get("grpc-message") or ""
    said = trailers.get("grpc-status")
    if not said:
        return UNKNOWN, text
    code = decimal(said)
    return code if code is not None and code <= _LAST else INVALID, text


def _described(text: str, details: str) -> str:
    """What the service said, and behind it what Envoy knows about the end."""
    return f"{text}{{{details}}}" if text and details else text or details


def _end(root: RootContext, talk: Conversation, code: int, text: str) -> None:
    """The call is over."""
    talk.give_up()
    if talk.stream or code:
        _tell_end(root, talk, code, text)
    elif talk.answer is None:
        _tell_end(root, talk, INTERNAL, "")
    else:
        _tell_message(root, talk, talk.answer)
    if talk.closed or not talk.stream:
        root.vm.in_flight.pop(talk.call.id, None)


def _metadata(root: RootContext, talk: Conversation, kind: MapType, found: HeaderMap) -> None:
    if not talk.stream:
        return
    root.answer = {kind: found}
    root.vm.call(root, _METADATA[kind], talk.call.id, len(found))
    root.answer = {}
    root.vm.settle()


def _tell_message(root: RootContext, talk: Conversation, message: bytes) -> None:
    root.buffers[BufferType.GRPC_CALL_MESSAGE] = Buffer(message)
    root.vm.call(root, "proxy_on_grpc_receive", talk.call.id, len(message))
    del root.buffers[BufferType.GRPC_CALL_MESSAGE]
    root.vm.settle()


def _tell_end(root: RootContext, talk: Conversation, code: int, text: str) -> None:
    root.status = (code & 0xFFFFFFFF, text)
    root.vm.call(root, "proxy_on_grpc_close", talk.call.id, code)
    root.status = (root.status[0], "")
    root.vm.settle()


_METADATA = {
    MapType.GRPC_CALL_INITIAL_METADATA: "proxy_on_grpc_receive_initial_metadata",
    MapType.GRPC_CALL_TRAILING_METADATA: "proxy_on_grpc_receive_trailing_metadata",
}
