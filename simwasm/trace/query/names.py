"""Names, forgivingly: `get_header` for proxy_get_header_map_value, `req` for HTTP_REQUEST_HEADERS, `Pause` for PAUSE.

Rule: what is spelled as the ABI spells it is always just that; after that come the names that SDKs have for it, then
whole words out of a name, then any part of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from enum import IntEnum

from simwasm.abi.enums import BufferType, MapType
from simwasm.abi.table import ALLOCATORS, CALLBACKS, FUNCTIONS, Side

_ALIASES = {
    "get_header": "proxy_get_header_map_value",
    "add_header": "proxy_add_header_map_value",
    "replace_header": "proxy_replace_header_map_value",
    "set_header": "proxy_replace_header_map_value",
    "remove_header": "proxy_remove_header_map_value",
    "get_headers": "proxy_get_header_map_pairs",
    "set_headers": "proxy_set_header_map_pairs",
    "get_body": "proxy_get_buffer_bytes",
    "set_body": "proxy_set_buffer_bytes",
    "get_buffer": "proxy_get_buffer_bytes",
    "set_buffer": "proxy_set_buffer_bytes",
    "local_response": "proxy_send_local_response",
    "send_http_response": "proxy_send_local_response",
    "dispatch_http_call": "proxy_http_call",
    "dispatch_grpc_call": "proxy_grpc_call",
    "tick": "proxy_on_tick",
}
SHORT: dict[type[IntEnum], dict[str, str]] = {
    MapType: {
        "req": "HTTP_REQUEST_HEADERS",
        "request": "HTTP_REQUEST_HEADERS",
        "req_trailers": "HTTP_REQUEST_TRAILERS",
        "resp": "HTTP_RESPONSE_HEADERS",
        "rsp": "HTTP_RESPONSE_HEADERS",
        "response": "HTTP_RESPONSE_HEADERS",
        "resp_trailers": "HTTP_RESPONSE_TRAILERS",
        "rsp_trailers": "HTTP_RESPONSE_TRAILERS",
        "callout": "HTTP_CALL_RESPONSE_HEADERS",
        "callout_trailers": "HTTP_CALL_RESPONSE_TRAILERS",
    },
    BufferType: {
        "req": "HTTP_REQUEST_BODY",
        "request": "HTTP_REQUEST_BODY",
        "resp": "HTTP_RESPONSE_BODY",
        "rsp": "HTTP_RESPONSE_BODY",
        "response": "HTTP_RESPONSE_BODY",
        "callout": "HTTP_CALL_RESPONSE_BODY",
        "config": "PLUGIN_CONFIGURATION",
    },
}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OF_HTTP = re.compile(r"(^|_)http_(request|response)_(headers|body|trailers|metadata)$")
HOST_NAMES = tuple(dict.fromkeys(row.name for row in FUNCTIONS if row.side is Side.HOST))
CALLBACK_NAMES = tuple(dict.fromkeys(row.name for row in CALLBACKS))


def canonical(pattern: str) -> str:
    """A name in the spelling of the table: lower case, words joined by underscores."""
    spelled = _CAMEL.sub("_", pattern) if "_" not in pattern else pattern
    return spelled.lower().replace("-", "_")


def functions(pattern: str, known: Sequence[str] = HOST_NAMES + CALLBACK_NAMES) -> frozenset[str]:
    """The functions that are meant; none if there is none."""
    wanted = canonical(pattern)
    if "*" in wanted:
        fits = glob(wanted)
        return frozenset(
            name
            for name in known
            if (fits(name) or fits(short(name))) and (name not in ALLOCATORS or "alloc" in wanted)
        )
    wanted = _OF_HTTP.sub(r"\1\2_\3", wanted)
    for alike in (
        [name for name in known if wanted in (name, short(name)) or _ALIASES.get(wanted) == name],
        [name for name in known if f"_{wanted}_" in f"_{name}_"],
        [name for name in known if wanted in name],
    ):
        if alike and wanted:
            return frozenset(alike)
    return frozenset()


def function_names(side: Side | None = None) -> tuple[str, ...]:
    """All functions, or those of one side, without `proxy_`."""
    names = (
        HOST_NAMES + CALLBACK_NAMES if side is None else HOST_NAMES if side is Side.HOST else CALLBACK_NAMES
    )
    return tuple(map(short, names))


def spellings() -> tuple[str, ...]:
    """All functions, without `proxy_`, and what SDKs call them."""
    return (*function_names(), *_ALIASES)


def short(name: str) -> str:
    """A function's name without what nearly all begin with."""
    return name.removeprefix("proxy_")


def members(pattern: str, kinds: Iterable[type[IntEnum]], others: Sequence[str] = ()) -> frozenset[str]:
    """The names of numbers that are meant, by name or by number; none if there is none."""
    kinds = tuple(kinds)
    if pattern.isdecimal() and pattern.isascii():
        number = int(pattern[:20])
        return frozenset({str(number)} | {one.name for kind in kinds for one in kind if one == number})
    wanted = canonical_member(pattern)
    known = [name for kind in kinds for name in kind.__members__] + list(others)
    if "*" in wanted:
        return frozenset(filter(glob(wanted), known))
    short_names = {SHORT[kind].get(wanted.lower()) for kind in kinds if kind in SHORT}
    for alike in (
        [name for name in known if name.upper() == wanted],
        [name for name in known if name in short_names],
        [name for name in known if f"_{wanted}_" in f"_{name.upper()}_"],
        [name for name in known if wanted and name.upper().startswith(wanted)],
    ):
        if alike:
            return frozenset(alike)
    return frozenset()


def canonical_member(pattern: str) -> str:
    """The name of a number in the spelling of the table."""
    return canonical(pattern if not pattern.isupper() else pattern.lower()).upper()


def glob(pattern: str) -> Callable[[str], object]:
    """A test for texts in which `*` stands for anything, whatever their case."""
    parts = "(?s:.*)".join(map(re.escape, re.split(r"\*+", pattern)))
    return re.compile(parts, re.I).fullmatch


def nearest(word: str, known: Iterable[str]) -> str:
    """`: did you mean …?` if anything known is like a word."""
    spelled = canonical(word)
    choice = {canonical(name): name for name in known}
    found = get_close_matches(spelled[:100], choice, 1, 0.6)
    return f": did you mean `{choice[found[0]]}`?" if found else ""
