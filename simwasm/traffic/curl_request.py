"""The requests that a curl command sends, as the real curl sends them.

Rules that live here:
- Headers come in curl's order: what curl makes, what `-H` says, what the body needs. A header of `-H` stands in for
  curl's own of that name; `-H 'Name:'` takes it away, `-H 'Name;'` sends it empty.
- A header that another option makes is there only if `-H` does not name it.
- https is asked in HTTP/2, as curl does if the server can, and every server here can; http in HTTP/1.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote, quote_plus, unquote

from simwasm.exchange import Chunk, Connection, Exchange, Header, first, lower, to_bytes, to_text
from simwasm.traffic.beside import Note, Read
from simwasm.traffic.curl_form import Part, multipart, read_part
from simwasm.traffic.curl_options import Option, Use, options
from simwasm.traffic.curl_urls import asked_at, several
from simwasm.traffic.http_request import basic
from simwasm.traffic.request_text import TOKEN, Url, Wrong, asked, connection, read_header, shortened

AGENT = "curl/8.7.1"
_FORM = "application/x-www-form-urlencoded"
_EXPECTS = 1 << 20
"""From here on curl asks before it sends a body."""
_ONLY_IN_1 = ("connection", "transfer-encoding", "keep-alive", "proxy-connection", "upgrade")
_UPGRADE = (
    ("connection", "Upgrade, HTTP2-Settings"),
    ("upgrade", "h2c"),
    ("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA"),
)


@dataclass
class Asking:
    """What the options of one command have said until now."""

    read: Read
    urls: list[str] = field(default_factory=list)
    single: dict[str, str] = field(default_factory=dict)
    """The values of options of which the last one counts."""
    flags: set[str] = field(default_factory=set)
    headers: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    form: list[Part] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    has_data: bool = False
    resolved: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def exchanges(words: tuple[str, ...], number: int, read: Read, note: Note) -> Iterator[Exchange]:
    """The requests of the words behind `curl`; the first has this number."""
    for asking in _askings(words, read):
        if asking.told:
            note(f"not done here: {', '.join(dict.fromkeys(asking.told))}")
        if not asking.urls:
            raise Wrong("the curl command has no address")
        for text in asking.urls:
            for address in [text] if "globoff" in asking.flags else several(text):
                yield _exchange(asking, address, str(number), note)
                number += 1


def _askings(words: tuple[str, ...], read: Read) -> Iterator[Asking]:
    asking = Asking(read)
    for option in options(words):
        if option.name == "next":
            yield asking
            asking = Asking(read)
        elif option.use is Use.TOLD and option.on:
            asking.told.append(f"--{option.name}")
        elif option.use is Use.USED:
            _USES.get(option.name, _single)(asking, option)
    yield asking


def _single(asking: Asking, option: Option) -> None:
    if option.value or option.name in _TAKES_NOTHING:
        asking.single[option.name] = option.value
    else:
        (asking.flags.add if option.on else asking.flags.discard)(option.name)


_TAKES_NOTHING = ("user-agent", "referer", "request", "user")


def _append(into: Callable[[Asking], list[str]]) -> Callable[[Asking, Option], None]:
    return lambda asking, option: into(asking).append(option.value)


def _data(asking: Asking, option: Option) -> None:
    """`--data` and its kin; several are joined, JSON as it is, the others by &."""
    data = _datum(option.name, option.value, asking.read)
    if asking.has_data and option.name != "json":
        asking.data.append(b"&")
    asking.has_data = True
    asking.data.append(data)
    if option.name == "json":
        asking.flags.add("json")


def _datum(name: str, value: str, read: Read) -> bytes:
    if name == "data-urlencode":
        return _urlencoded(value, read)
    if name == "data-raw" or not value.startswith("@"):
        return to_bytes(value)
    data = read(value[1:])
    return data if name in ("data-binary", "json") else data.translate(None, b"\r\n\0")


def _urlencoded(value: str, read: Read) -> bytes:
    found = re.search("[=@]", value)
    if found is None:
        return quote_plus(to_bytes(value), safe="").encode()
    name, rest = value[: found.start()], value[found.end() :]
    content = to_bytes(rest) if found[0] == "=" else read(rest)
    return to_bytes(f"{name}=" if name else "") + quote_plus(content, safe="").encode()


def _header(asking: Asking, option: Option) -> None:
    if option.value.startswith("@"):
        lines = to_text(asking.read(option.value[1:])).splitlines()
        asking.headers += [line for line in lines if line]
    else:
        asking.headers.append(option.value)


def _cookie(asking: Asking, option: Option) -> None:
    if "=" in option.value:
        asking.cookies.append(option.value)
    elif option.value:
        asking.told.append(f"the cookies of the file {shortened(option.value)}")


def _query(asking: Asking, option: Option) -> None:
    plus = option.value.startswith("+")
    asking.queries.append(option.value[1:] if plus else to_text(_urlencoded(option.value, asking.read)))


def _form(asking: Asking, option: Option) -> None:
    if option.name == "form-string":
        name, _, value = option.value.partition("=")
        asking.form.append(Part(name, to_bytes(value)))
    else:
        asking.form.append(read_part(option.value, asking.read))


def _resolve(asking: Asking, option: Option) -> None:
    """`host:port:address`."""
    host, _, rest = option.value.lstrip("+-").partition(":")
    port, _, address = rest.partition(":")
    asking.resolved[f"{host.lower()}:{port}"] = address.partition(",")[0]


_USES: dict[str, Callable[[Asking, Option], None]] = {
    **dict.fromkeys(("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json"), _data),
    **dict.fromkeys(("form", "form-string"), _form),
    "url": _append(lambda asking: asking.urls),
    "header": _header,
    "cookie": _cookie,
    "url-query": _query,
    "resolve": _resolve,
}


def _exchange(asking: Asking, address: str, id: str, note: Note) -> Exchange:
    queries = [*asking.queries]
    sends_data = asking.has_data and "get" not in asking.flags
    if asking.has_data and not sends_data:
        queries.append(to_text(b"".join(asking.data)))
    if "head" in asking.flags and (sends_data or asking.form):
        raise Wrong("curl does not send a body with -I")
    if "upload-file" in asking.single and (sends_data or asking.form):
        raise Wrong("curl does not send a file of -T together with other data")
    url = asked_at(_uploaded(asking, address), queries, "path-as-is" in asking.flags)
    kind, body = _body(asking, sends_data)
    protocol = _protocol(asking, url)
    headers = _headers(asking, url, protocol, kind, body, note)
    chunks = (Chunk(body),) if body else ()
    message = asked(_method(asking, body), _target(asking, url), headers, chunks)
    return Exchange(id, 0, message, None, _connection(asking, url, protocol))


def _uploaded(asking: Asking, address: str) -> str:
    """The address that a file is sent to: one that ends with a slash is its folder."""
    file = asking.single.get("upload-file", "")
    if not file or file in "-." or not asked_at(address, [], True).path.endswith("/"):
        return address
    base, mark, rest = address.partition("?")
    name = quote(to_bytes(file.rsplit("/", 1)[-1]), safe="")
    return f"{base if base.endswith('/') else base + '/'}{name}{mark}{rest}"


def _body(asking: Asking, sends_data: bool) -> tuple[str, bytes | None]:
    """The media type and the body; None for none at all."""
    if asking.form:
        return multipart(asking.form)
    if "upload-file" in asking.single:
        return "", asking.read(asking.single["upload-file"])
    return (_FORM, b"".join(asking.data)) if sends_data else ("", None)


def _method(asking: Asking, body: bytes | None) -> str:
    method = asking.single.get("request", "")
    if method:
        if not TOKEN.fullmatch(method):
            raise Wrong(f"-X {shortened(method)}: is not a method")
        return method
    if "head" in asking.flags:
        return "HEAD"
    return "PUT" if "upload-file" in asking.single else "GET" if body is None else "POST"


def _target(asking: Asking, url: Url) -> Url:
    target = asking.single.get("request-target", "")
    return url._replace(path=target) if target else url


def _protocol(asking: Asking, url: Url) -> str:
    asked_for = {name: protocol for name, protocol in _VERSIONS.items() if name in asking.flags}
    if "http2" in asked_for and url.scheme == "http":
        return "HTTP/1.1"
    return next(iter(asked_for.values()), "HTTP/2" if url.scheme == "https" else "HTTP/1.1")


_VERSIONS = {
    "http1.0": "HTTP/1.0",
    "http1.1": "HTTP/1.1",
    "http2": "HTTP/2",
    "http2-prior-knowledge": "HTTP/2",
    "http3": "HTTP/3",
    "http3-only": "HTTP/3",
}


def _headers(
    asking: Asking, url: Url, protocol: str, kind: str, body: bytes | None, note: Note
) -> list[Header]:
    given = [*asking.headers]
    if "json" in asking.flags:
        names = {text.partition(":")[0].strip().lower() for text in given}
        defaults = ("Content-Type: application/json", "Accept: application/json")
        given += [text for text in defaults if text.partition(":")[0].lower() not in names]
    custom, named = _given(given, note)
    made = [
        read_header(f"{name}:{value}") for name, value in _made(asking, url) if name not in named and value
    ]
    in_1 = protocol.startswith("HTTP/1")
    if "http2" in asking.flags and in_1:
        made += _UPGRADE
    headers = [*made, *custom, *_of_body(asking, named, custom, kind, body, in_1)]
    return headers if in_1 else [header for header in headers if header[0].lower() not in _ONLY_IN_1]


def _given(texts: list[str], note: Note) -> tuple[list[Header], set[str]]:
    """The headers that `-H` sends, and all that it names."""
    sent: list[Header] = []
    named: set[str] = set()
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon and text.endswith(";"):
            name, value = text[:-1], ""
        elif not colon:
            note(f"-H {shortened(text)} has no colon, and curl does not send it")
            continue
        named.add(name.lower())
        if value.strip() or not colon:
            sent.append(read_header(f"{name}:{value}"))
    return sent, named


def _made(asking: Asking, url: Url) -> Iterator[Header]:
    """Headers that curl makes before those of `-H`."""
    single = asking.single
    yield "authorization", _authorized(asking, url)
    if "range" in single or "continue-at" in single:
        yield "range", f"bytes={single.get('range') or single['continue-at'] + '-'}"
    yield "user-agent", single.get("user-agent", AGENT)
    yield "accept", "*/*"
    if "tr-encoding" in asking.flags:
        yield "connection", "TE"
        yield "te", "gzip"
    if "compressed" in asking.flags:
        yield "accept-encoding", "deflate, gzip, br, zstd"
    yield "referer", single.get("referer", "").removesuffix(";auto")
    yield "cookie", ";".join(asking.cookies)


def _authorized(asking: Asking, url: Url) -> str:
    if "oauth2-bearer" in asking.single:
        return f"Bearer {asking.single['oauth2-bearer']}"
    user = asking.single.get("user", "") or unquote(url.user)
    return basic(user if ":" in user else f"{user}:") if user else ""


def _of_body(
    asking: Asking, named: set[str], custom: list[Header], kind: str, body: bytes | None, in_1: bool
) -> Iterator[Header]:
    """Headers that a body needs."""
    if body is None:
        return
    chunked = in_1 and first(lower(custom), "transfer-encoding") is not None
    uploads = "upload-file" in asking.single
    from_stdin = uploads and asking.single["upload-file"] in ("-", ".")
    if in_1 and from_stdin and "transfer-encoding" not in named:
        yield "transfer-encoding", "chunked"
    elif not chunked and "content-length" not in named:
        yield "content-length", str(len(body))
    if kind and "content-type" not in named:
        yield "content-type", kind
    if in_1 and "http1.0" not in asking.flags and "expect" not in named and (uploads or len(body) > _EXPECTS):
        yield "expect", "100-continue"


def _connection(asking: Asking, url: Url, protocol: str) -> Connection:
    known = connection(url, protocol)
    address = asking.resolved.get(f"{url.host.lower()}:{url.port}")
    if address:
        return replace(known, destination=f"{address}:{url.port}")
    return known
