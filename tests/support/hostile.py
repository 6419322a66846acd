"""Plugins that mean harm, and traffic for them, as files: what a debugger has to withstand."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import wasmtime
from wat import plugin

NASTY = (
    "\x1b]2;pwned\x07\x1b[6;66Hpwned\x1bc\x1bP1$rpwned\x1b\\\x9b7;77H\x1b[?1049l\u202edesrever\u2066\u200b\u2028"
    "\r\n\t\0\x07\x08\x7fe\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 [bold red]markup[/] [@click=app.quit]x[/]"
    " \U0001f469\u200d\U0001f469\u200d\U0001f467 \ufeff\ud800\udcff $end"
)
"""Text that would take over a terminal: sequences, controls, the right-to-left override, marks upon marks, markup."""
RAW = (
    b"\x1b]2;pwned", b"\x1b[6;66H", b"\x1bc", b"\x1bP1$r", b"\xc2\x9b", b"\xe2\x80\xae", b"\xe2\x81\xa6",
    b"\xe2\x80\xa8", b"\x08", b"\x7f", b"\xed\xa0\x80", b"\xff", "\u0301\u0301\u0301".encode(),
)  # fmt: skip
"""What of it may never be written to a terminal."""

LOOP = "(loop $again (br $again))"
LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
_HEADERS = '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $n i32) {} (i32.const 0))'


def nasty_bytes() -> bytes:
    """The text as bytes, which are no UTF-8."""
    return NASTY.encode("utf-8", "surrogatepass") + b"\xff\xfe\xc0\x80"


def data(content: bytes, at: int = 2048) -> str:
    """Bytes in a plugin's memory."""
    return f'(data (i32.const {at}) "' + "".join(f"\\{byte:02x}" for byte in content) + '")'


def on_headers(*body: str, fields: Sequence[str] = (), memory: str = "1") -> bytes:
    """A plugin that does this with each request's headers."""
    return plugin(*fields, _HEADERS.format(" ".join(body)), memory=memory).wasm


def times(count: int, *body: str) -> str:
    """Do something so many times."""
    return (
        f"(loop $more {' '.join(body)} (local.set $n (i32.add (local.get $n) (i32.const 1)))"
        f" (br_if $more (i32.lt_u (local.get $n) (i32.const {count}))))"
    )


def write(level: int, at: int, size: int) -> str:
    """Write a log line of these bytes of the memory."""
    return f"(drop (call $log (i32.const {level}) (i32.const {at}) (i32.const {size})))"


def spinning() -> bytes:
    """Computes for ever in the first request."""
    return on_headers(LOOP)


def spinning_at_start() -> bytes:
    """Computes for ever before any request."""
    return plugin(
        f'(func (export "proxy_on_vm_start") (param i32 i32) (result i32) {LOOP} (i32.const 1))'
    ).wasm


def spinning_module() -> bytes:
    """Computes for ever while the module is instantiated."""
    return plugin(f"(func $start {LOOP})", "(start $start)").wasm


def flooding(lines: int = 100_000) -> bytes:
    """Writes so many log lines in one request."""
    return on_headers(times(lines, write(2, 2048, 12)), fields=(LOG, data(b"line of log\n")))


def shouting(lines: int = 3, size: int = 10 << 20) -> bytes:
    """Writes log lines of ten MiB."""
    return on_headers(times(lines, write(2, 2048, size)), fields=(LOG,), memory="200")


def trapping() -> bytes:
    """Traps in the first request."""
    return on_headers("(unreachable)")


def idle() -> bytes:
    """Looks at the headers and does nothing."""
    return on_headers()


def dirty() -> bytes:
    """Hands nasty bytes to everything that takes any."""
    text = nasty_bytes()
    at, size = "(i32.const 2048)", f"(i32.const {len(text)})"
    imports = [
        LOG,
        '(import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))',
        '(import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))',
        '(import "env" "proxy_set_property" (func $set (param i32 i32 i32 i32) (result i32)))',
        '(import "env" "proxy_set_shared_data" (func $share (param i32 i32 i32 i32 i32) (result i32)))',
        '(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))',
        '(import "env" "proxy_send_local_response"'
        " (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))",
    ]
    body = [
        *(f"(drop (call $log (i32.const {level}) {at} {size}))" for level in range(6)),
        f"(drop (call $add (i32.const 0) {at} {size} {at} {size}))",
        f"(drop (call $property {at} {size} (i32.const 16) (i32.const 20)))",
        f"(drop (call $set {at} {size} {at} {size}))",
        f"(drop (call $share {at} {size} {at} {size} (i32.const 0)))",
        f"(drop (call $define (i32.const 0) {at} {size} (i32.const 24)))",
        f"(drop (call $reply (i32.const 403) {at} {size} {at} {size} (i32.const 0) (i32.const 0) (i32.const -1)))",
        "(call $deep)",
    ]
    wasm = on_headers(*body, fields=(*imports, data(text), "(func $deep (unreachable))"))
    name = NASTY.encode("utf-8", "ignore")  # names of a module have to be UTF-8
    return _without_names(wasm) + _names(name, len(imports) + 4) + _section(name, text)


def _without_names(wasm: bytes) -> bytes:
    """A module without its last section, which is where the assembler writes the names."""
    return wasm[: wasm.rindex(b"\x04name") - 2]


def _names(name: bytes, count: int) -> bytes:
    """A name section that calls every function by one name."""
    functions = _leb(count) + b"".join(bytes([index]) + _leb(len(name)) + name for index in range(count))
    return _section(b"name", b"\x01" + _leb(len(functions)) + functions)


def _section(name: bytes, content: bytes) -> bytes:
    inside = _leb(len(name)) + name + content
    return b"\0" + _leb(len(inside)) + inside


def _leb(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def har(*paths: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """A recording with a request for each path."""
    reply = {"size": len(body), "mimeType": "application/octet-stream", "encoding": "base64"}
    entries = [
        {
            "startedDateTime": "2024-01-01T00:00:00Z",
            "time": 1,
            "request": {
                "method": "GET", "url": f"http://host{path}", "httpVersion": "HTTP/1.1",
                "headers": [{"name": name, "value": value} for name, value in headers],
                "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0,
            },
            "response": {
                "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [],
                "content": reply | {"text": base64.b64encode(body).decode()},
                "redirectURL": "", "headersSize": -1, "bodySize": len(body),
            },
            "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
        }
        for path in paths
    ]  # fmt: skip
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}}
    ).encode()


def write_files(folder: Path, wasm: bytes, traffic: bytes | None = None) -> str:
    """Write a plugin and its traffic; give them as words of a command."""
    (folder / "p.wasm").write_bytes(wasm)
    (folder / "t.har").write_bytes(har("/one", "/two") if traffic is None else traffic)
    return "p.wasm t.har"


def check(wasm: bytes) -> None:
    """Whether a module is one."""
    wasmtime.Module.validate(wasmtime.Engine(), wasm)
