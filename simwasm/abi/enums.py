"""Every number of the ABI that has a name.

Rule: a member's name is the specification's; a number without a name stays a plain int and is shown as one.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What a `proxy_*` function returns. 5, 9 and 11 exist in SDKs only, or in `proxy_get_status`."""

    OK = 0
    NOT_FOUND = 1
    BAD_ARGUMENT = 2
    SERIALIZATION_FAILURE = 3
    PARSE_FAILURE = 4
    BAD_EXPRESSION = 5
    INVALID_MEMORY_ACCESS = 6
    EMPTY = 7
    CAS_MISMATCH = 8
    RESULT_MISMATCH = 9
    INTERNAL_FAILURE = 10
    BROKEN_CONNECTION = 11
    UNIMPLEMENTED = 12


class Errno(IntEnum):
    """What a WASI function returns."""

    SUCCESS = 0
    BADF = 8
    NOTDIR = 20
    FAULT = 21
    INVAL = 28
    NOENT = 44
    NOSYS = 52
    NOTSUP = 58
    NOTCAPABLE = 76


class LogLevel(IntEnum):
    """The level of a log line."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    CRITICAL = 5


class Action(IntEnum):
    """What a stream callback asks for, as the specification has it."""

    CONTINUE = 0
    PAUSE = 1


class HeadersAction(IntEnum):
    """What the host library understands from a headers callback, beyond the specification."""

    CONTINUE = 0
    PAUSE = 1
    CONTINUE_AND_END_STREAM = 2
    STOP_ALL_AND_BUFFER = 3
    STOP_ALL_AND_WATERMARK = 4


class DataAction(IntEnum):
    """What the host library understands from a body callback, beyond the specification."""

    CONTINUE = 0
    PAUSE = 1
    STOP_AND_WATERMARK = 2
    STOP_NO_BUFFER = 3


class BufferType(IntEnum):
    """Which bytes a buffer function means."""

    HTTP_REQUEST_BODY = 0
    HTTP_RESPONSE_BODY = 1
    DOWNSTREAM_DATA = 2
    UPSTREAM_DATA = 3
    HTTP_CALL_RESPONSE_BODY = 4
    GRPC_CALL_MESSAGE = 5
    VM_CONFIGURATION = 6
    PLUGIN_CONFIGURATION = 7
    FOREIGN_FUNCTION_ARGUMENTS = 8


class MapType(IntEnum):
    """Which header map a function means."""

    HTTP_REQUEST_HEADERS = 0
    HTTP_REQUEST_TRAILERS = 1
    HTTP_RESPONSE_HEADERS = 2
    HTTP_RESPONSE_TRAILERS = 3
    GRPC_CALL_INITIAL_METADATA = 4
    GRPC_CALL_TRAILING_METADATA = 5
    HTTP_CALL_RESPONSE_HEADERS = 6
    HTTP_CALL_RESPONSE_TRAILERS = 7


class StreamType(IntEnum):
    """Which stream `proxy_continue_stream` and `proxy_close_stream` mean."""

    HTTP_REQUEST = 0
    HTTP_RESPONSE = 1
    DOWNSTREAM = 2
    UPSTREAM = 3


class MetricType(IntEnum):
    """The kind of a metric."""

    COUNTER = 0
    GAUGE = 1
    HISTOGRAM = 2


class PeerType(IntEnum):
    """Who closed a connection."""

    UNKNOWN = 0
    LOCAL = 1
    REMOTE = 2


class Clock(IntEnum):
    """A WASI clock that the host has."""

    REALTIME = 0
    MONOTONIC = 1
