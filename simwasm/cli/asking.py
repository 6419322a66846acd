"""The request that `simwasm send` was asked for: METHOD and PATH with their options, or a curl command."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from simwasm import __version__
from simwasm.answers import Server
from simwasm.errors import InputError
from simwasm.exchange import Connection, Exchange, Message, request, to_text
from simwasm.plugin_options import text_or_file
from simwasm.trace.text import printable

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_NO_VALUE = re.compile(r"[\r\n\0]")


def asked_exchange(words: Namespace, server: Server | None, answer: Message | None, now_ns: int) -> Exchange:
    """What is sent, and what answers it if no server does."""
    if words.curl is None:
        if words.method is None or words.path is None:
            raise InputError("what is to be sent? METHOD and PATH, like GET /, or --curl with a command")
        return Exchange("1", now_ns, _request(words, server), answer, Connection())
    if words.method is not None or words.header or words.data is not None:
        raise InputError("--curl says all of the request: leave out METHOD, PATH, -H and -d, or --curl")
    return replace(_from_curl(to_text(text_or_file(words.curl))), started_ns=now_ns, response=answer)


def _from_curl(text: str) -> Exchange:
    """The request of a curl command, whose files are looked for here."""
    from simwasm.traffic.beside import read_plain  # for those who have a curl command
    from simwasm.traffic.curl import read_commands
    from simwasm.traffic.request_text import Wrong

    def read(name: str) -> bytes:
        return sys.stdin.buffer.read() if name == "-" else read_plain(str(Path(name)), name)

    def note(told: str) -> None:
        print(printable(f"simwasm: --curl: {told}"), file=sys.stderr)

    try:
        found = list(read_commands(text, read, note))
    except Wrong as wrong:
        raise InputError(f"--curl: {wrong}") from None
    if len(found) != 1:
        raise InputError(
            f"--curl: the command makes {len(found)} requests and one is sent; `simwasm run` plays a file of them"
        )
    return found[0]


def _request(words: Namespace, server: Server | None) -> Message:
    host, path = server.authority if server else "localhost", words.path
    if "://" in path:
        try:
            parts = urlsplit(path)
        except ValueError as error:
            raise InputError(f"the path is `{path}`, which is no address: {error}") from None
        host, path = parts.netloc, parts._replace(scheme="", netloc="").geturl() or "/"
    if not path.startswith(("/", "*")):
        raise InputError(f"the path is `{path}`: it begins with / (or is a whole http:// address)")
    if any(character <= " " for character in path):
        raise InputError(f"the path is {path!r}: a blank in it is written %20, a line break %0A")
    if not _TOKEN.fullmatch(words.method):
        raise InputError(f"the method is {words.method!r}: it is a word such as GET")
    headers = [_header(text) for text in words.header]
    host = next((value for name, value in headers if name == "host"), host)
    headers = [(name, value) for name, value in headers if name != "host"]
    given = {name for name, _ in headers}
    defaults = [("user-agent", f"simwasm/{__version__}"), ("accept", "*/*")]
    body = text_or_file(words.data) if words.data is not None else b""
    return request(
        words.method.upper(),
        path,
        host=host,
        headers=[*((name, value) for name, value in defaults if name not in given), *headers],
        body=body,
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _TOKEN.fullmatch(name.strip()):
        raise InputError(f"-H: `{text}` is not a header (name: value)")
    if _NO_VALUE.search(value.strip()):
        raise InputError(f"-H: {text!r} is not one header: a value has no line break and no zero byte")
    return name.strip().lower(), value.strip()
