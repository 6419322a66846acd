"""Callouts: failed, answered with an error, and read although there is nothing to read."""

from __future__ import annotations

from simwasm.abi.enums import MapType, Status
from simwasm.exchange import decimal
from simwasm.lints.lint import Call, Ended, Lint
from simwasm.lints.run import argument
from simwasm.lints.watcher import Begins, Ends, Watcher
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import value_text

FAILED = Lint(
    "callout-failed", Grade.WARNING, "a callout without an answer",
    "The cluster did not answer, answered too late, or broke off; the callback comes all the same, with 0 headers.",
    "See that the plugin handles it: an exchange that waits for this answer has to be continued or answered.",
)  # fmt: skip
REFUSED = Lint(
    "callout-refused", Grade.WARNING, "a callout was answered with an error",
    "503 and 504 are also what the host says for a cluster that cannot be reached or is too slow.",
    "See that the plugin handles it: what waits for this answer has to be continued or answered.",
)  # fmt: skip
UNWRAPPED = Lint(
    "failed-callout-unwrapped", Grade.ERROR, "the answer of a failed callout is taken for granted",
    "A callout that failed gives 0 headers and there is no map of them: a plugin that unwraps one panics, for a "
    "reset in another service.",
    "Look at num_headers first: 0 means that the callout failed, and the exchange has to be continued or answered.",
)  # fmt: skip
PSEUDO_HEADER = Lint(
    "callout-without-pseudo-header", Grade.ERROR, "a callout without `:method`, `:path` or `:authority`",
    "Envoy needs all three for a request and refuses a callout without one; no answer follows.",
    "Give all three; `:authority` is the name of the host that is asked, often the cluster's.",
)  # fmt: skip

_ANSWER = "proxy_on_http_call_response"
_READS = ("proxy_get_header_map_value", "proxy_get_header_map_pairs", "proxy_get_header_map_size")
_MAPS = (MapType.HTTP_CALL_RESPONSE_HEADERS, MapType.HTTP_CALL_RESPONSE_TRAILERS)


class Callouts(Watcher):
    """Answers of other services."""

    LINTS = (FAILED, REFUSED, UNWRAPPED, PSEUDO_HEADER)

    def begins(self) -> Begins:
        return {_ANSWER: self._answered, "proxy_on_grpc_close": self._closed}

    def ends(self) -> Ends:
        return {"proxy_get_header_map_value": self._read, _ANSWER: self._returned}

    def claim(self, call: Call, ended: Ended) -> Lint | None:
        name = call.function.name
        if name == "proxy_http_call" and ended.reason.startswith("`:") and "is missing" in ended.reason:
            return PSEUDO_HEADER
        if name in _READS and call.args[0] in _MAPS and _failed(self.run.outermost(call)):
            return UNWRAPPED
        return None

    def _answered(self, call: Call) -> None:
        if _failed(call):
            self._tell_failed(call, "without any headers: the cluster did not answer, or not in time")

    def _closed(self, call: Call) -> None:
        status = argument(call, "status_code")
        if status:
            self._tell_failed(call, f"with gRPC status {status}")

    def _tell_failed(self, call: Call, how: str) -> None:
        id = value_text(argument(call, "call_id"))
        self.run.tell(
            FAILED, call, f"Callout {id} of {call.vm} ended {how}.", title=f"callout {id} failed", why="",
        )  # fmt: skip

    def _returned(self, call: Call, ended: Ended) -> None:
        if ended.trap is not None and _failed(call):
            id = value_text(argument(call, "call_id"))
            self.run.tell(
                UNWRAPPED, ended, f"{call.vm} trapped in the callback of callout {id}, which had failed.",
                number=self.run.exchange(call),
            )  # fmt: skip

    def _read(self, call: Call, ended: Ended) -> None:
        """The plugin read that a callout was answered with an error."""
        if call.args[0] is not MapType.HTTP_CALL_RESPONSE_HEADERS or call.args[1] != ":status":
            return
        status = decimal(ended.values[0]) if ended.values else None
        if status is not None and status >= 500 and ended.result == Status.OK:
            self.run.tell(
                REFUSED, call, f"The callout of {call.vm} was answered with {status}.",
                title=f"callout answered {status}", group=str(status),
            )  # fmt: skip


def _failed(call: Call) -> bool:
    """Whether a callback is that of a callout without an answer."""
    return call.function.name == _ANSWER and argument(call, "num_headers") == 0
