"""The Proxy-Wasm ABI, described once: one row for every callback and host function.

Linking, decoding, tracing, the printed reference and the error policy all derive from these rows. A row's parameters
are in the order in which they cross. Rules:

- `since`/`until` name the first and last ABI version that has the row; both ends are inclusive.
- `early` rows may be called while the module starts (`_initialize`, `main`, `_start`); anything else traps then.
- `in_allocator` rows may be called by the guest's allocator; anything else traps there.
- where the written specification and the real host disagree, the row is the real host's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cached_property, lru_cache

from simwasm.abi.enums import (
    Action,
    BufferType,
    Clock,
    DataAction,
    Errno,
    HeadersAction,
    LogLevel,
    MapType,
    MetricType,
    PeerType,
    Status,
    StreamType,
)
from simwasm.abi.kinds import (
    Form,
    Param,
    data,
    enum,
    flag,
    i32,
    i64,
    iovecs,
    out_blob,
    out_data,
    out_enum,
    out_pairs,
    out_strings,
    out_text,
    out_u32,
    out_u64,
    pairs,
    path,
    span,
    text,
    u32,
    u64,
)
from simwasm.wasm.module import FuncType, ValType


class Abi(str, Enum):
    """A version of the ABI, in order."""

    V0_1_0 = "0.1.0"
    V0_2_0 = "0.2.0"
    V0_2_1 = "0.2.1"

    @property
    def marker(self) -> str:
        """The export that chooses this version."""
        return f"proxy_abi_version_{self.value.replace('.', '_')}"


VERSIONS = tuple(Abi)
FIRST, LAST = VERSIONS[0], VERSIONS[-1]


class Side(str, Enum):
    """Who has the function: the one that is called."""

    PLUGIN = "plugin"
    HOST = "host"


@dataclass(frozen=True, eq=False)
class Function:
    """One row. There is one of each, in other processes too, so they compare and hash by identity, which is quick."""

    name: str
    side: Side
    params: tuple[Param, ...]
    doc: str
    result: Param | None = None
    """What a callback returns; host functions return a status unless `plain`."""
    since: Abi = FIRST
    until: Abi = LAST
    modules: tuple[str, ...] = ("env",)
    errors: type[Status] | type[Errno] | None = Status
    """The numbers a host function answers with; None: it returns `result`, or nothing."""
    early: bool = False
    in_allocator: bool = False
    written: bool = True
    """Whether the published specification has it."""

    @cached_property
    def type(self) -> FuncType:
        """The Wasm signature that the host expects."""
        words = tuple(word for param in self.params for word in param.words)
        if self.side is Side.HOST and self.errors is not None:
            return FuncType(words, (ValType.I32,))
        return FuncType(words, self.result.words if self.result else ())

    @cached_property
    def inputs(self) -> tuple[Param, ...]:
        """The parameters whose values go in."""
        return tuple(param for param in self.params if not param.out or param.form is Form.SPAN)

    @cached_property
    def outputs(self) -> tuple[Param, ...]:
        """The parameters through which values come out."""
        return tuple(param for param in self.params if param.out)

    def has(self, version: Abi) -> bool:
        return VERSIONS.index(self.since) <= VERSIONS.index(version) <= VERSIONS.index(self.until)

    def __reduce__(self) -> tuple[object, ...]:
        return _row, (self.name, self.since)


def callback(name: str, *params: Param, doc: str, result: Param | None = None, since: Abi = FIRST,
             until: Abi = LAST, written: bool = True) -> Function:  # fmt: skip
    """Describe a function that the plugin exports."""
    return Function(name, Side.PLUGIN, params, doc, result, since, until, errors=None, written=written)


def hostcall(name: str, *params: Param, doc: str, since: Abi = FIRST, until: Abi = LAST, early: bool = False,
             in_allocator: bool = False, written: bool = True) -> Function:  # fmt: skip
    """Describe a function that the host offers and that answers with a status."""
    return Function(
        name, Side.HOST, params, doc, None, since, until, ("env",), Status, early, in_allocator, written
    )


def wasi(name: str, *params: Param, doc: str, early: bool = True, in_allocator: bool = False) -> Function:
    """Describe a WASI function: the same under both module names, answering with an errno."""
    modules = ("wasi_snapshot_preview1", "wasi_unstable")
    return Function(name, Side.HOST, params, doc, None, FIRST, LAST, modules, Errno, early, in_allocator)


def plain(name: str, *params: Param, doc: str, result: Param | None = None) -> Function:
    """Describe a host function without a status."""
    return Function(name, Side.HOST, params, doc, result, errors=None, written=False)


_CONTEXT = u32("context_id")
_HEADERS_ACTION = enum("action", HeadersAction)
_DATA_ACTION = enum("action", DataAction)
_ACTION = enum("action", Action)
_OK = flag("ok")
_V2 = Abi.V0_2_0
_V1 = Abi.V0_1_0

CALLBACKS: tuple[Function, ...] = (
    callback("_initialize", doc="Run constructors; the reactor's way to start, preferred over `_start`."),
    callback("main", i32("argc"), i32("argv"), result=i32("code"), doc="Called with 0, 0 after `_initialize`."),
    callback("__main_void", result=i32("code"), written=False,
             doc="Called after `_initialize` where there is no `main`."),
    callback("_start", doc="Start; only called where there is no `_initialize`."),
    callback("malloc", u32("size"), result=u32("address"), doc="Give the host memory for a value it returns."),
    callback("proxy_on_memory_allocate", u32("size"), result=u32("address"),
             doc="Give the host memory; only asked where there is no `malloc`."),
    callback("proxy_on_context_create", _CONTEXT, u32("parent_context_id"),
             doc="A context begins: a root (parent 0), or a stream of that root."),
    callback("proxy_on_vm_start", _CONTEXT, u32("vm_configuration_size"), result=_OK,
             doc="The VM starts; called with the root context. False stops the load."),
    callback("proxy_validate_configuration", _CONTEXT, u32("configuration_size"), result=_OK, written=False,
             doc="Say whether a configuration is valid."),
    callback("proxy_on_configure", _CONTEXT, u32("plugin_configuration_size"), result=_OK,
             doc="The plugin's configuration is there to be read. False stops the load."),
    callback("proxy_on_tick", _CONTEXT, doc="The timer of a root context fired."),
    callback("proxy_on_new_connection", _CONTEXT, result=_ACTION, doc="A TCP connection begins."),
    callback("proxy_on_downstream_data", _CONTEXT, u32("data_size"), flag("end_of_stream"), result=_ACTION,
             doc="Bytes from the client."),
    callback("proxy_on_upstream_data", _CONTEXT, u32("data_size"), flag("end_of_stream"), result=_ACTION,
             doc="Bytes from the upstream."),
    callback("proxy_on_downstream_connection_close", _CONTEXT, enum("peer_type", PeerType),
             doc="The client's connection closed."),
    callback("proxy_on_upstream_connection_close", _CONTEXT, enum("peer_type", PeerType),
             doc="The upstream's connection closed."),
    callback("proxy_on_request_headers", _CONTEXT, u32("num_headers"), result=_HEADERS_ACTION, until=_V1,
             doc="Request headers arrived."),
    callback("proxy_on_request_headers", _CONTEXT, u32("num_headers"), flag("end_of_stream"),
             result=_HEADERS_ACTION, since=_V2, doc="Request headers arrived."),
    callback("proxy_on_request_body", _CONTEXT, u32("body_size"), flag("end_of_stream"), result=_DATA_ACTION,
             doc="A chunk of the request body arrived, or the whole of it if earlier chunks were paused."),
    callback("proxy_on_request_trailers", _CONTEXT, u32("num_trailers"), result=_ACTION,
             doc="Request trailers arrived."),
    callback("proxy_on_request_metadata", _CONTEXT, u32("num_elements"), result=i32("action"), written=False,
             doc="HTTP/2 METADATA of the request; the result is ignored."),
    callback("proxy_on_response_headers", _CONTEXT, u32("num_headers"), result=_HEADERS_ACTION, until=_V1,
             doc="Response headers arrived."),
    callback("proxy_on_response_headers", _CONTEXT, u32("num_headers"), flag("end_of_stream"),
             result=_HEADERS_ACTION, since=_V2, doc="Response headers arrived."),
    callback("proxy_on_response_body", _CONTEXT, u32("body_size"), flag("end_of_stream"), result=_DATA_ACTION,
             doc="A chunk of the response body arrived, or the whole of it if earlier chunks were paused."),
    callback("proxy_on_response_trailers", _CONTEXT, u32("num_trailers"), result=_ACTION,
             doc="Response trailers arrived."),
    callback("proxy_on_response_metadata", _CONTEXT, u32("num_elements"), result=i32("action"), written=False,
             doc="HTTP/2 METADATA of the response; the result is ignored."),
    callback("proxy_on_http_call_response", _CONTEXT, u32("call_id"), u32("num_headers"), u32("body_size"),
             u32("num_trailers"), doc="An HTTP callout ended; no headers means that it failed."),
    callback("proxy_on_grpc_receive_initial_metadata", _CONTEXT, u32("call_id"), u32("num_elements"),
             doc="Initial metadata of a gRPC stream."),
    callback("proxy_on_grpc_receive", _CONTEXT, u32("call_id"), u32("message_size"), doc="A gRPC message."),
    callback("proxy_on_grpc_receive_trailing_metadata", _CONTEXT, u32("call_id"), u32("num_elements"),
             doc="Trailing metadata of a gRPC stream."),
    callback("proxy_on_grpc_close", _CONTEXT, u32("call_id"), i32("status_code"), doc="A gRPC call ended."),
    callback("proxy_on_queue_ready", _CONTEXT, u32("queue_id"), doc="A shared queue has an item."),
    callback("proxy_on_foreign_function", _CONTEXT, u32("function_id"), u32("arguments_size"), since=_V2,
             doc="The host calls a function of its own making."),
    callback("proxy_on_done", _CONTEXT, result=_OK, doc="The context is done; a root may ask to wait."),
    callback("proxy_on_log", _CONTEXT, doc="The stream ended: time for the access log."),
    callback("proxy_on_delete", _CONTEXT, doc="The context ends."),
    callback("envoy_on_resolve_dns", _CONTEXT, u32("token"), u32("result_size"), written=False,
             doc="Envoy only: a name was resolved."),
    callback("envoy_on_stats_update", _CONTEXT, u32("result_size"), written=False,
             doc="Envoy only: a stats sink's snapshot."),
)  # fmt: skip

_MAP = enum("map_type", MapType)
_BUFFER = enum("buffer_type", BufferType)
_STREAM = enum("stream_type", StreamType)

HOST_FUNCTIONS: tuple[Function, ...] = (
    hostcall("proxy_log", enum("level", LogLevel), text("message"), early=True, in_allocator=True,
             doc="Write one log line."),
    hostcall("proxy_get_log_level", out_enum("level", LogLevel), since=Abi.V0_2_1,
             doc="Tell the lowest level that is logged."),
    hostcall("proxy_get_current_time_nanoseconds", out_u64("time"), doc="Tell the wall clock's time."),
    hostcall("proxy_set_tick_period_milliseconds", u32("period"),
             doc="Have the root context ticked; 0 stops it."),
    hostcall("proxy_get_configuration", out_data("configuration"), until=_V1,
             doc="Read the plugin's configuration while it is configured, else the VM's."),
    hostcall("proxy_get_property", path("path"), out_data("value"), doc="Read a property of the stream or node."),
    hostcall("proxy_set_property", path("path"), data("value"), doc="Write a property of the stream."),
    hostcall("proxy_get_buffer_bytes", _BUFFER, u32("start"), u32("max_size"), out_data("bytes"),
             doc="Read a stretch of a buffer."),
    hostcall("proxy_get_buffer_status", _BUFFER, out_u32("size"), out_u32("flags"),
             doc="Tell the size of a buffer."),
    hostcall("proxy_set_buffer_bytes", _BUFFER, u32("start"), u32("size"), data("bytes"),
             doc="Replace, prepend or append bytes of a buffer."),
    hostcall("proxy_get_header_map_size", _MAP, out_u32("size"),
             doc="Tell how many bytes the names and values of a map have."),
    hostcall("proxy_get_header_map_pairs", _MAP, out_pairs("pairs"), doc="Read a whole map."),
    hostcall("proxy_set_header_map_pairs", _MAP, pairs("pairs"), doc="Replace a whole map."),
    hostcall("proxy_get_header_map_value", _MAP, text("key"), out_text("value"),
             doc="Read the first value of a header."),
    hostcall("proxy_add_header_map_value", _MAP, text("key"), text("value"), doc="Add a header."),
    hostcall("proxy_replace_header_map_value", _MAP, text("key"), text("value"),
             doc="Replace all values of a header by one."),
    hostcall("proxy_remove_header_map_value", _MAP, text("key"), doc="Remove a header."),
    hostcall("proxy_send_local_response", u32("status_code"), text("details"), data("body"), pairs("headers"),
             i32("grpc_status"), doc="Answer in the upstream's place, once the callback has returned."),
    hostcall("proxy_continue_request", until=_V1, doc="Resume the paused request."),
    hostcall("proxy_continue_response", until=_V1, doc="Resume the paused response."),
    hostcall("proxy_clear_route_cache", until=_V1, doc="Have the route chosen again."),
    hostcall("proxy_continue_stream", _STREAM, since=_V2, doc="Resume a paused stream."),
    hostcall("proxy_close_stream", _STREAM, since=_V2, doc="Reset a stream or close a connection."),
    hostcall("proxy_get_status", out_u32("code"), out_text("message"),
             doc="Tell how the last callout of the root context ended."),
    hostcall("proxy_http_call", text("upstream"), pairs("headers"), data("body"), pairs("trailers"),
             u32("timeout_ms"), out_u32("call_id", cleared=True), doc="Send an HTTP request to a cluster."),
    hostcall("proxy_grpc_call", data("upstream"), text("service"), text("method"), pairs("initial_metadata"),
             data("message"), u32("timeout_ms"), out_u32("call_id"),
             doc="Make a unary gRPC call to a cluster."),
    hostcall("proxy_grpc_stream", data("upstream"), text("service"), text("method"), pairs("initial_metadata"),
             out_u32("call_id"), doc="Open a gRPC stream to a cluster."),
    hostcall("proxy_grpc_send", u32("call_id"), data("message"), flag("end_of_stream"),
             doc="Send a message on a gRPC stream."),
    hostcall("proxy_grpc_cancel", u32("call_id"), doc="Cancel a gRPC call or stream."),
    hostcall("proxy_grpc_close", u32("call_id"), doc="Close a gRPC call or stream."),
    hostcall("proxy_get_shared_data", text("key"), out_data("value"), out_u32("cas"),
             doc="Read a value shared by the VMs of one vm_id."),
    hostcall("proxy_set_shared_data", text("key"), data("value"), u32("cas"),
             doc="Write a shared value; with a CAS number only if nobody wrote since."),
    hostcall("proxy_register_shared_queue", text("name"), out_u32("queue_id"),
             doc="Own a queue and be told of its items."),
    hostcall("proxy_resolve_shared_queue", text("vm_id"), text("name"), out_u32("queue_id"),
             doc="Find another VM's queue."),
    hostcall("proxy_enqueue_shared_queue", u32("queue_id"), data("value"), doc="Put an item into a queue."),
    hostcall("proxy_dequeue_shared_queue", u32("queue_id"), out_data("value"), doc="Take an item from a queue."),
    hostcall("proxy_define_metric", enum("metric_type", MetricType), text("name"), out_u32("metric_id"),
             doc="Define a metric."),
    hostcall("proxy_increment_metric", u32("metric_id"), i64("delta"), doc="Increment a counter or gauge."),
    hostcall("proxy_record_metric", u32("metric_id"), u64("value"), doc="Set a gauge or feed a histogram."),
    hostcall("proxy_get_metric", u32("metric_id"), out_u64("value"), doc="Read a counter or gauge."),
    hostcall("proxy_set_effective_context", u32("context_id"),
             doc="Act for another context until this callback returns."),
    hostcall("proxy_done", doc="Let a root context go that had asked to wait in `proxy_on_done`."),
    hostcall("proxy_call_foreign_function", text("function"), data("arguments"),
             out_data("result", optional=True, cleared=True), doc="Call a function of the host's own making."),
    plain("pthread_equal", u32("left"), u32("right"), result=u32("equal"), doc="Compare two thread ids."),
    plain("emscripten_notify_memory_growth", u32("memory_index"), doc="Emscripten's note that memory has grown."),
    Function("envoy_resolve_dns", Side.HOST, (text("name"), out_u32("token")),
             "Envoy only: resolve a name.", written=False),
)  # fmt: skip

_FD = u32("fd")
_TIMES = (u64("atim"), u64("mtim"), u32("fst_flags"))


def _path(name: str = "path") -> tuple[Param, Param]:
    """A path is not looked at by the host, so a bad pointer does not matter: two plain words."""
    return u32(name), u32(f"{name}_size")


WASI_FUNCTIONS: tuple[Function, ...] = (
    wasi("fd_write", _FD, iovecs("iovs"), out_u32("written"), in_allocator=True,
         doc="Write to stdout (log level info) or stderr (error); one call is one log line."),
    wasi("fd_pwrite", _FD, iovecs("iovs"), u64("offset"), out_u32("written"),
         doc="As fd_write; the offset is ignored."),
    wasi("fd_read", _FD, u32("iovs"), u32("iovs_size"), out_u32("read"), early=False, doc="Unsupported."),
    wasi("fd_pread", _FD, u32("iovs"), u32("iovs_size"), u64("offset"), out_u32("read"), doc="Unsupported."),
    wasi("fd_seek", _FD, i64("offset"), u32("whence"), out_u32("position"), early=False,
         doc="Accepted and logged."),
    wasi("fd_close", _FD, early=False, doc="Accepted and logged."),
    wasi("fd_fdstat_get", _FD, out_blob("stat"), doc="Tell that stdout and stderr may be written."),
    wasi("fd_fdstat_set_flags", _FD, u32("flags"), doc="Unsupported."),
    wasi("fd_fdstat_set_rights", _FD, u64("base"), u64("inheriting"), doc="Accepted for stdout and stderr."),
    wasi("fd_allocate", _FD, u64("offset"), u64("size"), doc="Accepted for stdout and stderr."),
    wasi("fd_datasync", _FD, doc="Accepted for stdout and stderr."),
    wasi("fd_sync", _FD, doc="Accepted for stdout and stderr."),
    wasi("fd_filestat_set_size", _FD, u64("size"), doc="Accepted for stdout and stderr."),
    wasi("fd_filestat_set_times", _FD, *_TIMES, doc="Accepted for stdout and stderr."),
    wasi("fd_advise", _FD, u64("offset"), u64("size"), u32("advice"), doc="Accepted."),
    wasi("fd_tell", _FD, out_u64("position"), doc="Stdout and stderr are at 0."),
    wasi("fd_readdir", _FD, u32("buffer"), u32("buffer_size"), u64("cookie"), out_u32("used"),
         doc="Nothing is a directory."),
    wasi("fd_renumber", _FD, u32("to"), doc="Unsupported."),
    wasi("fd_filestat_get", _FD, u32("stat"), doc="Nothing has a file status."),
    wasi("fd_prestat_get", _FD, u32("stat"), doc="Nothing is preopened."),
    wasi("fd_prestat_dir_name", _FD, *_path(), doc="Unsupported."),
    wasi("path_open", _FD, u32("dir_flags"), *_path(), u32("open_flags"), u64("base"), u64("inheriting"),
         u32("fd_flags"), u32("opened"), early=False, doc="There are no files."),
    wasi("path_filestat_get", _FD, u32("flags"), *_path(), u32("stat"), doc="Unsupported."),
    wasi("path_create_directory", _FD, *_path(), doc="Unsupported."),
    wasi("path_filestat_set_times", _FD, u32("flags"), *_path(), *_TIMES, doc="Unsupported."),
    wasi("path_link", _FD, u32("flags"), *_path("old"), u32("new_fd"), u32("new"),
         doc="Unsupported; the real host has one parameter fewer than WASI."),
    wasi("path_remove_directory", _FD, *_path(), doc="Unsupported."),
    wasi("path_rename", _FD, *_path("old"), u32("new_fd"), *_path("new"), doc="Unsupported."),
    wasi("path_symlink", u32("old"), u32("old_size"), _FD, u32("new"),
         doc="Unsupported; the real host has one parameter fewer than WASI."),
    wasi("path_unlink_file", _FD, *_path(), doc="Unsupported."),
    wasi("path_readlink", _FD, *_path(), u32("buffer"), u32("buffer_size"), out_u32("used"), doc="Unsupported."),
    wasi("sock_accept", _FD, u32("flags"), out_u32("connection"), doc="Unsupported."),
    wasi("sock_recv", _FD, u32("iovs"), u32("iovs_size"), u32("flags"), out_u32("received"),
         out_u32("received_flags"), doc="Unsupported."),
    wasi("sock_send", _FD, u32("iovs"), u32("iovs_size"), u32("flags"), out_u32("sent"), doc="Unsupported."),
    wasi("sock_shutdown", _FD, u32("how"), doc="Unsupported."),
    wasi("environ_get", out_strings("environment"), doc="Read the VM's environment variables."),
    wasi("environ_sizes_get", out_u32("count"), out_u32("size"), doc="Tell how large the environment is."),
    wasi("args_get", out_strings("arguments"), doc="There are no arguments."),
    wasi("args_sizes_get", out_u32("count"), out_u32("size"), doc="There are no arguments."),
    wasi("clock_time_get", u32("clock"), u64("precision"), out_u64("time"), in_allocator=True,
         doc="Tell the wall clock's or the monotonic clock's time."),
    wasi("clock_res_get", u32("clock"), out_u64("resolution"), doc="Clocks resolve one nanosecond."),
    wasi("random_get", span("buffer"), doc="Fill a buffer with random bytes."),
    wasi("sched_yield", early=False, doc="Nothing else runs."),
    wasi("poll_oneoff", u32("subscriptions"), u32("events"), u32("count"), out_u32("ready"), in_allocator=True,
         doc="No event is ever ready."),
    Function("proc_exit", Side.HOST, (u32("code"),), "Logged; the guest runs on.", None, FIRST, LAST,
             ("wasi_snapshot_preview1", "wasi_unstable"), None),
)  # fmt: skip

ALLOCATORS = ("malloc", "proxy_on_memory_allocate")
ENUMS: tuple[type[IntEnum], ...] = (
    Status, Errno, LogLevel, Action, HeadersAction, DataAction, BufferType, MapType, StreamType, MetricType,
    PeerType, Clock,
)  # fmt: skip
FUNCTIONS = CALLBACKS + HOST_FUNCTIONS + WASI_FUNCTIONS


@lru_cache
def callbacks(version: Abi) -> dict[str, Function]:
    """The callbacks of a version by name."""
    return {row.name: row for row in CALLBACKS if row.has(version)}


@lru_cache
def host_functions(version: Abi) -> dict[tuple[str, str], Function]:
    """What a module of that version may import, by module and name."""
    rows = (row for row in HOST_FUNCTIONS + WASI_FUNCTIONS if row.has(version))
    return {(module, row.name): row for row in rows for module in row.modules}


CAPABILITIES = frozenset(
    (
        *(name for version in Abi for _, name in host_functions(version)),
        *(name for version in Abi for name in callbacks(version)),
    )
)
"""What a plugin can be restricted to."""


def named(name: str) -> tuple[Function, ...]:
    """All rows of that name; more than one where versions differ."""
    return tuple(row for row in FUNCTIONS if row.name == name)


def _row(name: str, since: Abi) -> Function:
    return next(row for row in named(name) if row.since is since)


__all__ = ["ALLOCATORS", "CALLBACKS", "CAPABILITIES", "ENUMS", "FUNCTIONS", "HOST_FUNCTIONS", "VERSIONS",
           "WASI_FUNCTIONS", "Abi", "Form", "Function", "Side", "callbacks", "host_functions", "named"]  # fmt: skip
