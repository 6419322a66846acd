"""Bodies: changed, and no longer what was said of them."""

from __future__ import annotations

from simwasm.abi.enums import BufferType, Status
from simwasm.exchange import Message, decimal
from simwasm.lints.lint import Call, Ended, Lint, Over
from simwasm.lints.run import Run, argument
from simwasm.lints.watcher import Ends, Watcher
from simwasm.trace.query.grades import Grade

SET_BODY = "proxy_set_buffer_bytes"

MISFIT = Lint(
    "content-length-misfit", Grade.ERROR, "a body is not as long as its content-length says",
    "The plugin has changed the body, and the header says the size that it had before.",
    "Remove content-length in proxy_on_request_headers, or in proxy_on_response_headers for a response's body.",
)  # fmt: skip
MIDDLE = Lint(
    "write-inside-a-buffer", Grade.ERROR, "bytes in the middle of a buffer are to be replaced",
    "Envoy can replace a buffer's beginning (start 0) and append to its end (start at its length or behind it); "
    "what is between cannot be written.",
    "Read the whole buffer, change it, and set it with start 0 and its whole size.",
)  # fmt: skip
TWICE = Lint(
    "body-set-at-empty-end", Grade.ERROR, "a body is set once more at the empty end of the stream",
    "The end of a stream may come as a call of its own with 0 bytes; a callback that sets the body whenever it is "
    "called adds its text a second time behind what has left already.",
    "Return Pause until end_of_stream and set the whole body then, or leave a call with body_size 0 alone if the "
    "body was set before.",
)  # fmt: skip

_BODY_CALLBACKS = {
    "proxy_on_request_body": BufferType.HTTP_REQUEST_BODY,
    "proxy_on_response_body": BufferType.HTTP_RESPONSE_BODY,
}
_BODILESS = (204, 304)


class Bodies(Watcher):
    """Writes to bodies."""

    LINTS = (MISFIT, MIDDLE, TWICE)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._set: dict[int, dict[BufferType, Call]] = {}
        """Where a body was changed last, by exchange."""
        self._set_in: dict[int, Call] = {}
        """The same by where the callback began."""
        self._left: dict[int, dict[tuple[str, int, BufferType], Call]] = {}
        """Bodies that were set and have left the plugin, by exchange."""

    def ends(self) -> Ends:
        return {SET_BODY: self._written, **dict.fromkeys(_BODY_CALLBACKS, self._returned)}

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        inside = call.function.name == SET_BODY and ended.result is Status.BAD_ARGUMENT
        return MIDDLE if inside and ended.reason.startswith("start ") else None

    def _written(self, call: Call, ended: Ended) -> None:
        number = self.run.exchange(call)
        if ended.trap is not None or ended.result or not number:
            return
        kind, data = call.args[0], argument(call, "bytes")
        callback = self.run.outermost(call)
        self._set.setdefault(number, {})[kind] = call
        self._set_in[callback.position] = call
        first = self._left.get(number, {}).get((call.vm, call.context, kind))
        if first is not None and data and _empty_end(callback, kind):
            self.run.tell(
                TWICE, call,
                f"{call.vm} set the {_side(kind)}'s body to {len(data):,} bytes at its empty end, after it had set it "
                f"on row {first.row:,}: the {_receiver(kind)} gets both.",
            )  # fmt: skip

    def _returned(self, call: Call, ended: Ended) -> None:
        written = self._set_in.pop(call.position, None)
        if written is None or ended.trap is not None or ended.result or not argument(call, "body_size"):
            return
        kind = _BODY_CALLBACKS[call.function.name]
        if written.args[0] is kind:
            self._left.setdefault(self.run.exchange(call), {})[call.vm, call.context, kind] = written

    def exchange(self, over: Over) -> None:
        self._left.pop(over.number, None)
        self._set_in.clear()  # no callback is open now
        written = self._set.pop(over.number, None)
        if written is None or over.outcome.reset or over.outcome.local_reply:
            return
        self._compare(over, written.get(BufferType.HTTP_REQUEST_BODY), over.outcome.request)
        bodiless = over.exchange.request.header(":method") == "HEAD" or over.outcome.status in _BODILESS
        if not bodiless:
            self._compare(over, written.get(BufferType.HTTP_RESPONSE_BODY), over.outcome.response)

    def _compare(self, over: Over, where: Call | None, message: Message | None) -> None:
        """An answer to HEAD, and one that has no body by its status, tells the size of another body."""
        said = message.header("content-length") if message is not None else None
        if where is None or message is None or said is None:
            return
        size, kind = len(message.data), where.args[0]
        if decimal(said) not in (None, size):
            side, receiver = _side(kind), _receiver(kind)
            self.run.tell(
                MISFIT, where,
                f"The {side}'s content-length says {said}, and the body that the {receiver} gets has {size:,} bytes.",
                title=f"content-length says {said}, the body has {size:,} bytes", number=over.number,
                fix=f"Remove content-length in proxy_on_{side}_headers.", group=side,
            )  # fmt: skip


def _empty_end(callback: Call, kind: BufferType) -> bool:
    """Whether a callback tells of nothing but the end of a body."""
    ends = _BODY_CALLBACKS.get(callback.function.name) is kind
    return ends and not argument(callback, "body_size") and bool(argument(callback, "end_of_stream"))


def _side(kind: BufferType) -> str:
    return "request" if kind is BufferType.HTTP_REQUEST_BODY else "response"


def _receiver(kind: BufferType) -> str:
    return "upstream" if kind is BufferType.HTTP_REQUEST_BODY else "client"
