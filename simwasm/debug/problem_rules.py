"""The rules by which problems are found: what happened, why, and what to do next.

There is one small rule for each kind of problem, about the end of a call, the begin of one, or the end of an exchange;
`RULES` lists them. Rules for all of them: the host's own words say why, where it has some; a note is what may well be
meant, an error what surely is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from simwasm.abi.enums import BufferType, LogLevel, MapType, Status
from simwasm.debug.tape import Span, Tape
from simwasm.errors import TrapKind
from simwasm.exchange import Headers, Message, decimal, to_text
from simwasm.host.outcome import Outcome
from simwasm.trace.event import Entered, Left, Trapped, shown
from simwasm.trace.query.grades import Grade, grade_of_answer, level_of, message_of
from simwasm.trace.text import call_text, printable, value_text

_LONG = 300
REPLY = "proxy_send_local_response"


class Problem(NamedTuple):
    """One thing that a user may want to look at."""

    position: int
    severity: Grade
    title: str
    happened: str
    why: str = ""
    advice: str = ""
    """What to do next."""

    @property
    def text(self) -> str:
        """All of it, in sentences."""
        return " ".join(part for part in (self.happened, self.why, self.advice) if part)


class Ended(NamedTuple):
    """A call that has ended."""

    position: int
    opened: int
    entered: Entered
    event: Left | Trapped


@dataclass
class Memory:
    """What rules remember of events that went by."""

    tape: Tape
    replied: dict[int, int] = field(default_factory=dict)
    """Where a local reply was asked for, by where the callback around it began."""
    replies: dict[int, int] = field(default_factory=dict)
    """Where a plugin asked for the last one, by exchange."""
    paused: dict[tuple[str, int, str], int] = field(default_factory=dict)
    """Where a callback has returned Pause: by plugin, context and direction."""
    pauses: dict[int, int] = field(default_factory=dict)
    """Where one has in an exchange, the last time."""
    missed: tuple[int, str] = (0, "")
    """The header that was not found last, and where the callback began that looked for it."""
    replied_after: dict[int, str] = field(default_factory=dict)
    """The header that the callback which answered had not found before, by exchange."""
    set_bodies: dict[tuple[int, BufferType], int] = field(default_factory=dict)
    """Where a body was changed last, by exchange and body."""
    traps: dict[int, int] = field(default_factory=dict)
    """Where a callback trapped, by exchange."""

    def span(self, entered: Entered) -> int:
        """The number of an exchange, from 0; -1 for none."""
        found = self.tape.span_of(entered)
        return -1 if found is None else found.index

    def outermost(self, position: int) -> int:
        """Where the callback began that the host called, and in which something happened."""
        while around := self.tape.around(position):
            position = around
        return position


# Calls that have ended.


def trapped(ended: Ended, memory: Memory) -> Problem | None:
    """A callback did not return."""
    event, name = ended.event, ended.entered.function.name
    if not isinstance(event, Trapped) or memory.tape.around(ended.opened):
        return None
    trap = event.trap
    frames = ", called by ".join(str(frame) for frame in trap.frames[:4])
    at = f"It happened in {frames}." if frames else "No frames are known."
    said = f" It says: {trap.detail}." if trap.detail else ""
    return Problem(
        ended.position, Grade.ERROR, f"trap: {trap.kind.value}",
        f"{name} of {ended.entered.vm} trapped ({trap.kind.value}).", f"{at}{said}", _TRAPS.get(trap.kind, _TRAPPED),
    )  # fmt: skip


_TRAPPED = "Look at the stack and the log lines before it; after a trap the plugin is never called again."
_TRAPS = {
    TrapKind.UNREACHABLE: "This is how panics and failed assertions end: the message is in the log lines before it.",
    TrapKind.OUT_OF_FUEL: "One call used up all its instructions. An endless loop? If not, allow more by --fuel.",
    TrapKind.STACK_EXHAUSTED: "Calls are nested too deeply: look for a recursion without end.",
    TrapKind.MEMORY_BOUNDS: "A pointer or an index is wrong; look at the memory and the arguments of the last call.",
    TrapKind.INTERRUPTED: "Somebody interrupted it: go back to see what it computed.",
    TrapKind.RESTRICTED: "Call this function later: in a callback of the host, not while starting or allocating.",
}


def refused(ended: Ended, memory: Memory) -> Problem | None:
    """The host did not do what it was asked for."""
    event, entered = ended.event, ended.entered
    if not isinstance(event, Left) or not event.result:
        return None
    grade = grade_of_answer(entered.function, event.result)
    if grade is None:
        return None
    status, name = str(shown(event.result)), entered.function.name
    about, advice = name, _STATUSES.get(status, "")
    if name == GET_HEADER:
        about = f"header {printable(entered.args[1])[:80]} ({name})"
        advice = " ".join(filter(None, (_similar_header(ended, memory), advice)))
    elif name in _CALLOUTS and event.reason.startswith("there is no cluster"):
        advice = f"`--callout {printable(_cluster(entered))[:80]}=200` answers for it."
    return Problem(
        ended.opened, grade, f"{status}: {about}",
        f"{_call(entered)} answered {status}.", _sentence(event.reason), advice,
    )  # fmt: skip


GET_HEADER = "proxy_get_header_map_value"
_CALLOUTS = ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")


def _cluster(entered: Entered) -> str:
    name = entered.args[0]
    return to_text(name) if isinstance(name, bytes) else str(name)


def _similar_header(ended: Ended, memory: Memory) -> str:
    """Where a header is there whose name is much like the one that is not, a sentence about it."""
    event, (wanted, key) = ended.event, ended.entered.args[:2]
    if not isinstance(event, Left) or event.result is not Status.NOT_FOUND:
        return ""
    maps = memory.tape.seen.get(memory.outermost(ended.opened)) or ()
    found = next((_similar(key[:_LONG], headers) for kind, headers in maps if kind is wanted), "")
    return found and f"There is `{printable(found)}`: was that meant?"


@lru_cache(maxsize=256)
def _similar(key: str, headers: Headers) -> str:
    names = {name for name, _ in headers[:_LONG] if len(name) < 2 * len(key)} - {key.lower()}
    return next(iter(get_close_matches(key.lower(), sorted(names), 1, 0.8)), "")


_STATUSES = {
    "NOT_FOUND": "If it may be missing, the plugin has to expect that.",
    "EMPTY": "If there may be none, the plugin has to expect that.",
    "CAS_MISMATCH": "Somebody else wrote first: read it again and try once more.",
    "BAD_ARGUMENT": "Look at the arguments, and at whether this callback may do that.",
    "INVALID_MEMORY_ACCESS": "The pointer or size is wrong: look at the words of the call and at the memory there.",
    "FAULT": "The pointer or size is wrong: look at the words of the call and at the memory there.",
    "PARSE_FAILURE": "What was given cannot be understood: look at its bytes.",
    "SERIALIZATION_FAILURE": "The result could not be written: look at what the allocator gave.",
    "INTERNAL_FAILURE": "Ask for this at another time, or for less.",
    "UNIMPLEMENTED": "Do not rely on this function here.",
}


def complained(ended: Ended, memory: Memory) -> Problem | None:
    """The plugin logged an error."""
    level = level_of(ended.entered)
    if level is None or level < LogLevel.ERROR:
        return None
    line = message_of(ended.entered)
    said = to_text(line) if isinstance(line, bytes) else line or ""
    return Problem(
        ended.opened, Grade.ERROR, f"the plugin logged: {level.name.lower()}",
        f"{ended.entered.vm} logged {value_text(said.rstrip(), _LONG)}.",
    )  # fmt: skip


def replied_and_continued(ended: Ended, memory: Memory) -> Problem | None:
    """A callback asked for a local reply, and then to continue."""
    where = memory.replied.pop(ended.opened, 0)
    name, event = ended.entered.function.name, ended.event
    if not where or not isinstance(event, Left) or name not in STREAM or event.result != 0:
        return None
    return Problem(
        ended.position, Grade.NOTE, "local reply, then Continue",
        f"{name} sent a local response and returned {shown(event.result)}.",
        "This host stops the iteration whatever is returned after a local reply; others may not.",
        "Return Pause after a local reply.",
    )  # fmt: skip


STREAM = {
    "proxy_on_request_headers": "request", "proxy_on_request_body": "request", "proxy_on_request_trailers": "request",
    "proxy_on_response_headers": "response", "proxy_on_response_body": "response",
    "proxy_on_response_trailers": "response",
}  # fmt: skip
"""The callbacks that may pause, with their direction."""


# Calls that begin.


def callout_failed(position: int, entered: Entered, memory: Memory) -> Problem | None:
    """A callout brought no answer."""
    name = entered.function.name
    args = {param.name: value for param, value in zip(entered.function.inputs, entered.args, strict=False)}
    if name == "proxy_on_http_call_response" and args["num_headers"] == 0:
        how = "without any headers: the cluster did not answer, or not in time"
    elif name == "proxy_on_grpc_close" and args["status_code"] != 0:
        how = f"with gRPC status {args['status_code']}"
    else:
        return None
    return Problem(
        position, Grade.WARNING, f"callout {args['call_id']} failed",
        f"Callout {args['call_id']} of {entered.vm} ended {how}.", "",
        "See that the plugin handles it: an exchange that waits for this answer has to be continued or answered.",
    )  # fmt: skip


def called_while_paused(position: int, entered: Entered, memory: Memory) -> Problem | None:
    """A body or trailers came although the plugin has paused."""
    name = entered.function.name
    direction = STREAM.get(name)
    paused = direction and memory.paused.pop((entered.vm, entered.context, direction), 0)
    if not paused:
        return None
    before = memory.tape.entered(paused).function.name
    if before == name:
        return None
    return Problem(
        position, Grade.NOTE, f"{name} while paused",
        f"{name} of {entered.vm} is called although {before} has returned Pause and nobody continued.",
        "Pause holds back what lies behind the plugin; the plugin itself goes on being asked about body and trailers.",
        "Returning Continue from it sends everything on; return Pause again to go on waiting.",
    )  # fmt: skip


# Exchanges that have ended.


def hung(span: Span, outcome: Outcome, memory: Memory) -> Problem | None:
    """Nobody resumed it."""
    if not outcome.waiting:
        return None
    return Problem(
        memory.pauses.get(span.index, span.last), Grade.ERROR, f"{_name(span)} hung",
        f"{_name(span)} waited until the idle timeout ended it with {outcome.status}.",
        f"{printable(outcome.waiting)}.",
        "Who pauses has to continue or answer: look at what it waited for, a callout or a tick, and whether it came.",
    )  # fmt: skip


def failed(span: Span, outcome: Outcome, memory: Memory) -> Problem | None:
    """The plugin had trapped, so the exchange was answered by 503."""
    if outcome.details != "wasm_fail_stream":
        return None
    return Problem(
        memory.traps.get(span.index, span.last), Grade.ERROR, f"{_name(span)} failed with the plugin",
        f"{_name(span)} was answered with {outcome.status} because the plugin has trapped.",
        "Envoy's details for it are `wasm_fail_stream`.",
        "Repair the trap; a plugin that may be left out can be set to fail open.",
    )  # fmt: skip


def answered_by_the_plugin(span: Span, outcome: Outcome, memory: Memory) -> Problem | None:
    """The plugin answered in the upstream's place."""
    where = memory.replies.get(span.index)
    if not outcome.local_reply or where is None or outcome.details in _OF_ENVOY or outcome.waiting:
        return None
    missed = printable(memory.replied_after.get(span.index, ""))[:80]
    after = f", right after header `{missed}` was not found" if missed else ""
    return Problem(
        where, Grade.NOTE, f"{_name(span)} answered by the plugin",
        f"{memory.tape.entered(where).vm} answered {_name(span)} with {outcome.status}{after}.",
        f"Its details are {value_text(outcome.details)}." if outcome.details else "",
    )  # fmt: skip


_OF_ENVOY = {
    "wasm_fail_stream": "",
    "filter_removed_required_response_headers{missing_required_header:_:status}":
        "A plugin removed `:status` from the response, or made it no number: leave it there.",
    "request_payload_too_large":
        "More of the request was buffered than a connection may: do not pause while a large body comes in.",
    "response_payload_too_large":
        "More of the response was buffered than a connection may: do not pause while a large body comes in.",
    "local reply after response headers":
        "The response had begun, so a local reply could only cut it off: send it from on_response_headers or before.",
    "wasm_close_stream": "A plugin closed the stream.",
}  # fmt: skip
"""Envoy's details for what a plugin brought about, and what to say of each."""


def spoiled(span: Span, outcome: Outcome, memory: Memory) -> Problem | None:
    """Envoy answered or cut off because of what the plugin did."""
    about = _OF_ENVOY.get(outcome.details) or _OF_ENVOY.get(outcome.reset)
    if not about:
        return None
    what = (
        f"was cut off ({outcome.reset})" if outcome.reset else f"was answered with {outcome.status} by Envoy"
    )
    grade = Grade.NOTE if outcome.reset == "wasm_close_stream" else Grade.ERROR
    return Problem(
        span.last, grade, f"{_name(span)}: {outcome.reset or outcome.status}",
        f"{_name(span)} {what}.", about, "Envoy's details for it are " + value_text(outcome.details) + ".",
    )  # fmt: skip


def request_misfit(span: Span, outcome: Outcome, memory: Memory) -> Problem | None:
    """The upstream was told another size of the body than the plugin gave it."""
    return _misfit(span, outcome, memory, BufferType.HTTP_REQUEST_BODY, outcome.request)


def response_misfit(span: Span, outcome: Outcome, memory: Memory) -> Problem | None:
    """The client was; an answer to HEAD, and one that has no body by its status, tells the size of another."""
    bodiless = outcome.exchange.request.header(":method") == "HEAD" or outcome.status in _BODILESS
    response = None if bodiless else outcome.response
    return _misfit(span, outcome, memory, BufferType.HTTP_RESPONSE_BODY, response)


_BODILESS = (204, 304)


def _misfit(
    span: Span, outcome: Outcome, memory: Memory, body: BufferType, message: Message | None
) -> Problem | None:
    where = memory.set_bodies.get((span.index, body))
    said = message.header("content-length") if message is not None else None
    if where is None or message is None or said is None or outcome.reset or outcome.local_reply:
        return None
    size = len(message.data)
    if decimal(said) in (None, size):
        return None
    side = "request" if body is BufferType.HTTP_REQUEST_BODY else "response"
    receiver = "upstream" if side == "request" else "client"
    return Problem(
        where, Grade.ERROR, f"content-length says {said}, the body has {size:,} bytes",
        f"The {side}'s content-length says {said}, and the body that the {receiver} gets has {size:,} bytes.",
        "The plugin has changed the body, and the header says the size that it had before.",
        f"Remove content-length in proxy_on_{side}_headers.",
    )  # fmt: skip


def callout_refused(ended: Ended, memory: Memory) -> Problem | None:
    """The plugin read that a callout was answered with an error."""
    event, entered = ended.event, ended.entered
    if not asks_for_status(entered) or not isinstance(event, Left) or not event.values:
        return None
    status = decimal(event.values[0])
    if status is None or status < 500:
        return None
    return Problem(
        ended.opened, Grade.WARNING, f"callout answered {status}",
        f"The callout of {entered.vm} was answered with {status}.",
        "503 and 504 are also what the host says for a cluster that cannot be reached or is too slow.",
        "See that the plugin handles it: what waits for this answer has to be continued or answered.",
    )  # fmt: skip


def asks_for_status(entered: Entered) -> bool:
    """Whether a call reads the status of a callout's answer."""
    return (
        entered.function.name == "proxy_get_header_map_value"
        and entered.args[0] is MapType.HTTP_CALL_RESPONSE_HEADERS
        and entered.args[1] == ":status"
    )


ENDS = (trapped, refused, complained, replied_and_continued, callout_refused)
BEGINS = (callout_failed, called_while_paused)
EXCHANGES = (hung, failed, answered_by_the_plugin, spoiled, request_misfit, response_misfit)
RULES: tuple[Callable[..., Problem | None], ...] = (*ENDS, *BEGINS, *EXCHANGES)
"""All of them."""


def _name(span: Span) -> str:
    return f"exchange {span.index + 1} ({printable(span.exchange.label)[:80]})"


def _call(entered: Entered) -> str:
    text = call_text(entered.function, entered.args)
    return text if len(text) <= _LONG else text[:_LONG] + "…"


def _sentence(text: str) -> str:
    said = printable(text)[:_LONG].strip()
    return said and f"{said[0].upper()}{said[1:]}{'' if said[-1] in '.!?…' else '.'}"
