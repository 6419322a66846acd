"""Host calls by short names, for the tables of a switchboard."""

from __future__ import annotations

from switchboard import OUT, REQUEST_BODY, REQUEST_HEADERS, STREAM, Call, Mark, Out, Read, pairs

from simwasm.exchange import request, response

MS = 1_000_000
PIECES = [b"aaa", b"bb", b"c"]
POST = request("POST", "/", body=b"abc")
STREAMED = request("POST", "/", body=PIECES)
TRAILED = request("POST", "/", body=PIECES, trailers=[("x-t", "1")])
GRPC = request("POST", "/s/m", headers=[("content-type", "application/grpc")])
BOTH = response(200, body=[b"a", b"b"], trailers=[("x-s", "1")])
ASK = (":method", "GET"), (":path", "/c"), (":authority", "a")

BECOME: Call = ("proxy_set_effective_context", STREAM)
SAY: Call = ("proxy_log", 2, Read(3), Read(4))
"""Log what `read` found."""

PAUSE_REQUEST, PAUSE_BODY = {REQUEST_HEADERS: 1}, {REQUEST_BODY: 1}


def told(*calls: Call) -> list[Call]:
    """Each call, and what it wrote, logged: a text by its address and size, or the bytes of a number."""
    return [deed for call in calls for deed in (call, _told(call))]


def _told(call: Call) -> Call:
    places = [
        argument.place if isinstance(argument, Out) else number
        for number, argument in enumerate(call[1:])
        if isinstance(argument, (Mark, Out)) and argument is not STREAM
    ]
    if len(places) == 1:
        return "proxy_log", 2, 2000 + 4 * places[0], 4
    return "proxy_log", 2, Read(places[0]), Read(places[1])


def say(text: str) -> Call:
    return "proxy_log", 2, text


def reply(
    status: int, body: str = "", headers: bytes = b"", grpc: int = -1, details: str = "the details"
) -> Call:
    return "proxy_send_local_response", status, details, body, headers, grpc


def ask(cluster: str = "auth", headers: bytes = pairs(*ASK), body: str = "", timeout: int = 500) -> Call:
    return "proxy_http_call", cluster, headers, body, b"", timeout, OUT


def resume(stream: int) -> Call:
    return "proxy_continue_stream", stream


def close(stream: int) -> Call:
    return "proxy_close_stream", stream


def read(kind: int, start: int = 0, size: int = 99) -> Call:
    return "proxy_get_buffer_bytes", kind, start, size, OUT, OUT


def write(kind: int, start: int, size: int, text: str) -> Call:
    return "proxy_set_buffer_bytes", kind, start, size, text


def status(kind: int) -> Call:
    return "proxy_get_buffer_status", kind, OUT, OUT


def get(kind: int, name: str) -> Call:
    return "proxy_get_header_map_value", kind, name, OUT, OUT


def every(kind: int) -> Call:
    return "proxy_get_header_map_pairs", kind, OUT, OUT


def size(kind: int) -> Call:
    return "proxy_get_header_map_size", kind, OUT


def add(kind: int, name: str, value: str) -> Call:
    return "proxy_add_header_map_value", kind, name, value


def replace(kind: int, name: str, value: str) -> Call:
    return "proxy_replace_header_map_value", kind, name, value


def remove(kind: int, name: str) -> Call:
    return "proxy_remove_header_map_value", kind, name


def assign(kind: int, headers: bytes) -> Call:
    return "proxy_set_header_map_pairs", kind, headers


def prop(path: str) -> Call:
    return "proxy_get_property", path.replace(".", "\0"), OUT, OUT
