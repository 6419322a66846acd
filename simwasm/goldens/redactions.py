"""What a golden does not tell as it was, each with the reason.

Runs repeat to the bit, but recordings are made anew: then these values change and nothing else does. Rules: a value is
hidden only where it looks as it should, so that a missing or malformed one still shows; the header of a golden names
the redactions that hid something, and all that the user asked for, so that it is played again with the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache

from simwasm.errors import InputError


class What(str, Enum):
    """Where a redaction looks."""

    HEADER = "header"
    """At the values of a header, in every map and message."""
    TEXT = "text"
    """At any text or bytes."""
    PROPERTY = "property"
    """At the value of a property."""
    CALL = "call"
    """At what a host call gives."""
    TIME = "time"
    """At what a host call gives, which is told from the start of the run."""
    LONG = "long"
    """At texts and bytes that are longer than `LONGEST`."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """One row of the table, or one thing that the user wants hidden."""

    name: str
    what: What
    about: str
    """The header, property or function; for a text the pattern."""
    reason: str
    shape: str = ""
    """What a value has to look like; anything if empty."""
    followed: bool = False
    """A value that was hidden is hidden in other texts too."""


LONGEST = 512
"""Nobody reviews more than that of one value."""
SHOWN = 120
"""As much is shown of one that is longer."""

_DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_HEX = r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}"
_RECORDED = "an id that a server made up for one recording"
_TRACED = "an id of tracing, random in every recording"


def _header(name: str, reason: str, shape: str, followed: bool = False) -> Redaction:
    return Redaction(name, What.HEADER, name, reason, shape, followed)


BUILT_IN = (
    _header("date", "when the recording was made", _DATE),
    _header("x-envoy-upstream-service-time", "how long the upstream took that day", r"\d+"),
    _header("x-request-id", _RECORDED, _UUID, True),
    _header("x-correlation-id", _RECORDED, _UUID, True),
    _header("cf-ray", _RECORDED, r"[0-9a-f]{16}(-[A-Z]{3})?", True),
    _header("x-amz-request-id", _RECORDED, r"[0-9A-Z]{16}", True),
    _header("x-amz-cf-id", _RECORDED, r"[\w=-]{56}", True),
    _header("x-amzn-trace-id", _TRACED, r"(Root|Self)=1-[0-9a-f]{8}-[0-9a-f]{24}.*", True),
    _header("x-cloud-trace-context", _TRACED, r"[0-9a-f]{32}/.*", True),
    _header("traceparent", _TRACED, r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", True),
    _header("x-b3-traceid", _TRACED, _HEX, True),
    _header("x-b3-spanid", _TRACED, _HEX, True),
    _header("x-b3-parentspanid", _TRACED, _HEX, True),
    Redaction("random", What.CALL, "random_get", "random bytes: what they are is the seed's choice"),
    Redaction("time", What.TIME, "proxy_get_current_time_nanoseconds", "when the recording was made"),
    Redaction("clock", What.TIME, "clock_time_get", "when the recording was made"),
    Redaction("request.time", What.PROPERTY, "request.time", "when the recording was made"),
    Redaction("long", What.LONG, "", "nobody reviews long values; a digest tells when one changes"),
)
"""In the order in which a header names them."""

_NAMES = tuple(each.name for each in BUILT_IN)
_KINDS = {
    "header": "the name of a header",
    "text": "a regular expression",
    "property": "the path of a property, such as request.id",
    "keep": "the name of a built-in redaction, such as date",
}


@lru_cache(maxsize=64)
def redactions(wanted: tuple[str, ...] = ()) -> tuple[Redaction, ...]:
    """The built-in ones and the user's own: `header:x-session`, `text:sid=\\w+`, `property:request.id`, `keep:date`."""
    kept = {about for kind, about in map(_parts, wanted) if kind == "keep"}
    own = tuple(
        Redaction(text, What(kind), about, "the user wants it")
        for text, (kind, about) in zip(wanted, map(_parts, wanted), strict=True)
        if kind != "keep"
    )
    return tuple(each for each in BUILT_IN if each.name not in kept) + own


def own_of(redacted: Iterable[str]) -> tuple[str, ...]:
    """Those of a header that the user asked for, as they were written."""
    return tuple(text for text in redacted if text not in _NAMES)


def _parts(text: str) -> tuple[str, str]:
    kind, colon, about = text.partition(":")
    if not colon or not about or kind not in _KINDS:
        known = "; ".join(f"{kind}: with {what}" for kind, what in _KINDS.items())
        raise InputError(f"`{text}` is nothing that can be redacted; there is {known}")
    if kind == "header":
        return kind, about.lower()
    if kind == "text":
        _check_pattern(text, about)
    if kind == "keep" and about not in _NAMES:
        near = get_close_matches(about, _NAMES, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_NAMES)}"
        raise InputError(f"`{text}`: nothing built in is called {about}; {hint}")
    return kind, about


def _check_pattern(text: str, pattern: str) -> None:
    try:
        found = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError(f"`{text}`: this is no regular expression: {error}") from None
    if found.match(""):
        raise InputError(
            f"`{text}`: this regular expression fits everywhere, on nothing; it has to fit something"
        )
