"""What a gRPC service answers, as a script says it: steps, one after the other, each when the caller has sent enough.

    {"grpc": [{"metadata": {"x-session": "7"}},
              {"on": 1, "message": "welcome"},
              {"on": "end", "status": 0, "trailers": {"x-count": "2"}, "after_ms": 5}]}

Rules: `on` is how many messages must have come, or `"end"`: the caller has said that there are no more; a step without
it follows the one before. Metadata that no step sends goes out with the first message; a status before anything else is
a trailers-only answer.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, NamedTuple

from simwasm.errors import ConfigError
from simwasm.exchange import Headers, lower, to_bytes
from simwasm.host.clock import MILLISECOND
from simwasm.host.grpc_call import framed
from simwasm.host.ports import Data, Failure, Head, Heard, Piece, Tail

_OK: Headers = ((":status", "200"), ("content-type", "application/grpc"))
_SAYS = ("metadata", "message", "status", "fail")
_KEYS = {*_SAYS, "on", "after_ms", "text", "trailers"}
_STATUSES = 16


class Step(NamedTuple):
    """What the service sends, and what must have come before."""

    messages: int
    ended: bool
    piece: Piece

    def is_due(self, messages: int, ended: bool) -> bool:
        return messages >= self.messages and (ended or not self.ended)


@dataclass(frozen=True, slots=True)
class Talk:
    """A service that follows steps."""

    steps: tuple[Step, ...]

    def __call__(self, heard: Heard) -> tuple[Piece, ...]:
        """Say what is due now and was not before."""
        opening = not heard.messages and not heard.ended
        before = 0 if opening else self._due(len(heard.messages) - heard.fresh, False)
        return tuple(step.piece for step in self.steps[before : self._due(len(heard.messages), heard.ended)])

    def _due(self, messages: int, ended: bool) -> int:
        """How many steps there are up to the first that has to wait."""
        waiting = (number for number, step in enumerate(self.steps) if not step.is_due(messages, ended))
        return next(waiting, len(self.steps))


def read_talk(items: Any, failures: dict[str, Failure], where: str) -> Talk:
    """Understand the steps of a script."""
    if not isinstance(items, list):
        raise ConfigError(f"{where}: is a list of steps, not {type(items).__name__}")
    steps: list[Step] = []
    for number, item in enumerate(items):
        at = f"{where}: step {number}"
        if steps and _ends(steps[-1].piece):
            raise ConfigError(f"{at}: nothing can follow a status or a failure")
        steps += _steps(item, bool(steps), failures, at)
    return Talk(tuple(steps))


def _ends(piece: Piece) -> bool:
    return isinstance(piece, (Tail, Failure)) or piece.end


def _steps(item: Any, begun: bool, failures: dict[str, Failure], where: str) -> list[Step]:
    said = [key for key in _SAYS if isinstance(item, dict) and key in item]
    if len(said) != 1 or not item.keys() <= _KEYS:
        raise ConfigError(
            f"{where}: a step has one of {', '.join(_SAYS)}; beside it perhaps on, after_ms, and with a status "
            "text and trailers"
        )
    after = item.get("after_ms", 0)
    if type(after) is not int or after < 0:
        raise ConfigError(f"{where}: after_ms is a number that is not negative, not {after!r}")
    pieces = _pieces(item, said[0], begun, failures, where)
    first = _later(pieces[0], after * MILLISECOND)
    messages, ended = _trigger(item.get("on", 0), where)
    return [Step(messages, ended, piece) for piece in (first, *pieces[1:])]


def _later(piece: Piece, after_ns: int) -> Piece:
    if isinstance(piece, Failure):
        return Failure(piece.reason, piece.after_ns + after_ns)
    return piece._replace(after_ns=after_ns)


def _trigger(on: Any, where: str) -> tuple[int, bool]:
    if on == "end":
        return 0, True
    if type(on) is not int or on < 0:
        raise ConfigError(f'{where}: on is how many messages must have come, or "end", not {on!r}')
    return on, False


def _pieces(
    item: dict[str, Any], what: str, begun: bool, failures: dict[str, Failure], where: str
) -> list[Piece]:
    if what == "fail":
        failure = failures.get(str(item["fail"]))
        if failure is None:
            raise ConfigError(f"{where}: fail is one of {', '.join(failures)}, not {item['fail']!r}")
        return [failure]
    if what == "metadata":
        if begun:
            raise ConfigError(f"{where}: metadata comes first or not at all")
        return [Head((*_OK, *_headers(item["metadata"], f"{where}: metadata")))]
    if what == "message":
        return [*(() if begun else (Head(_OK),)), Data(framed(_message(item["message"], where)))]
    end = _end(item, where)
    return [Tail(end)] if begun else [Head((*_OK, *end), end=True)]


def _end(item: dict[str, Any], where: str) -> Headers:
    status, text = item["status"], item.get("text", "")
    if type(status) is not int or not 0 <= status <= _STATUSES or not isinstance(text, str):
        raise ConfigError(f"{where}: status is a number of gRPC's, 0 to {_STATUSES}, and text is a string")
    said = (("grpc-status", str(status)), *((("grpc-message", text),) if text else ()))
    return (*said, *_headers(item.get("trailers", {}), f"{where}: trailers"))


def _headers(found: Any, where: str) -> Headers:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ConfigError(f"{where}: is an object of strings")
    return lower(found.items())


def _message(found: Any, where: str) -> bytes:
    """A message's bytes: a text, or `{"base64": "…"}`."""
    if isinstance(found, str):
        return to_bytes(found)
    try:
        return base64.b64decode(found["base64"], validate=True)
    except (TypeError, KeyError, binascii.Error, ValueError):
        raise ConfigError(f'{where}: message is a text or {{"base64": "…"}}') from None
