"""Answers over HTTP from servers that nobody trusts.

Rules: an answer has a largest size and a last moment, whatever the server does; redirects are few, never lead from
https to http, and what is secret is only told to the host that it is for, and to no message; a certificate is checked,
except where the user has said not to.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import string
import time
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from functools import partial
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import quote, urljoin, urlsplit

from simwasm import __version__
from simwasm.errors import InputError
from simwasm.modules.reference import is_loopback

MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PIECE = 1 << 18
_WORTH_TELLING = 8 << 20
_LARGEST_SAID = 1 << 16
_INSECURE = "SIMWASM_INSECURE_REGISTRIES"
_AS_IT_IS = string.punctuation
_PORTS = {"http": 80, "https": 443}


class Unreachable(InputError):
    """Nobody is there to ask; what is known from before may be good enough."""


class Patience(NamedTuple):
    """How long to wait, in seconds: for the next bytes, and for the whole."""

    stall: float = 10
    whole: float = 60


SHORT, LONG = Patience(), Patience(stall=30, whole=900)


class Wanted(NamedTuple):
    """A request."""

    url: str
    most: int
    headers: Mapping[str, str] = {}
    secret: str = ""
    """`Authorization`, for this host alone."""
    form: bytes | None = None
    """What is posted, if anything is."""
    patience: Patience = SHORT
    told: Callable[[str], None] = lambda text: None


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: Message
    body: bytes


def insecure(host: str) -> bool:
    """Whether the user has said that a host is trusted without a certificate, and may speak without TLS."""
    names = {name.strip() for name in os.environ.get(_INSECURE, "").split(",")}
    return "*" in names or host in names


def ask(wanted: Wanted) -> Answer:
    """The answer, behind all redirects."""
    until = time.monotonic() + wanted.patience.whole
    url = wanted.url
    if not is_address(url):
        raise InputError(f"{url[:200]}: is no web address")
    for _ in range(MOST_REDIRECTS + 1):
        secret = wanted.secret if _origin(url) == _origin(wanted.url) else ""
        answer = _once(wanted, url, secret, until)
        location = answer.headers.get("Location")
        if answer.status not in _REDIRECTS or not location or wanted.form is not None:
            return answer
        url = _led(url, location)
    raise InputError(f"{shown(wanted.url)}: redirects more than {MOST_REDIRECTS} times")


def is_address(url: str) -> bool:
    """Whether it is an http or https address of a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _led(url: str, location: str) -> str:
    """Where a redirect leads."""
    try:
        found = urljoin(url, location)
    except ValueError:
        found = ""
    if not is_address(found):
        raise InputError(f"{shown(url)}: redirects to what is no web address")
    parts = urlsplit(found)
    host = parts.netloc.rpartition("@")[2]
    if url.startswith("https:") and parts.scheme == "http" and not insecure(host):
        raise InputError(
            f"{shown(url)}: redirects to {shown(found)[:200]}, where anybody could change it: give an https address"
        )
    return parts._replace(netloc=host).geturl()


def _once(wanted: Wanted, url: str, secret: str, until: float) -> Answer:
    host = urlsplit(url).netloc
    try:
        request = urllib.request.Request(
            _encoded(url), wanted.form, {"User-Agent": f"simwasm/{__version__}", **wanted.headers}
        )
        if secret:
            request.add_unredirected_header("Authorization", secret)
        with _opener(host, until).open(request, timeout=wanted.patience.stall) as response:
            return Answer(response.status, response.headers, _body(response, wanted, shown(url)))
    except TimeoutError:
        raise Unreachable(f"{shown(url)}: no answer in time") from None
    except URLError as error:
        raise _why(shown(url), host, error.reason) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _why(shown(url), host, error) from None


def _encoded(url: str) -> str:
    """An address as it is sent: what is not ASCII in its path is encoded."""
    parts = urlsplit(url)
    return parts._replace(path=quote(parts.path, _AS_IT_IS), query=quote(parts.query, _AS_IT_IS)).geturl()


def _why(url: str, host: str, reason: str | BaseException) -> InputError:
    """What went wrong, and what to do."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return InputError(
            f"{url}: the certificate of {host} is not trusted: {reason.verify_message}. Name the authority's file by "
            f"SSL_CERT_FILE, or the host in {_INSECURE}"
        )
    if isinstance(reason, ssl.SSLError) and reason.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return Unreachable(
            f"{url}: {host} does not speak TLS; if it is to be trusted, name it in {_INSECURE}"
        )
    if isinstance(reason, socket.gaierror):
        return Unreachable(f"{url}: the host {host} is not known ({reason.strerror})")
    if isinstance(reason, TimeoutError):
        return Unreachable(f"{url}: no answer in time")
    if isinstance(reason, OSError):
        return Unreachable(f"{url}: cannot be asked: {reason.strerror or reason}")
    return InputError(f"{url}: cannot be asked: {reason or type(reason).__name__}")


def _body(response: Any, wanted: Wanted, url: str) -> bytes:
    if response.status != 200:
        said: bytes = b"" if response.status in _REDIRECTS else response.read(_LARGEST_SAID)
        return said
    announced = response.headers.get("Content-Length", "")
    size = int(announced) if announced.isdecimal() and len(announced) < 20 else None
    if size is not None and size > wanted.most:
        raise InputError(f"{url}: is {size:,} bytes; {wanted.most:,} are the most")
    if size is not None and size > _WORTH_TELLING:
        wanted.told(f"{url}: {size >> 20} MiB are on the way")
    pieces, left = [], wanted.most
    while piece := response.read(min(_PIECE, left + 1)):
        left -= len(piece)
        if left < 0:
            raise InputError(f"{url}: is more than {wanted.most:,} bytes")
        pieces.append(piece)
    body = b"".join(pieces)
    if size is not None and len(body) < size:
        raise Unreachable(f"{url}: broke off after {len(body):,} of {size:,} bytes; try again")
    return body


def _opener(host: str, until: float) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    proxies = urllib.request.ProxyHandler({} if is_loopback(host) else None)
    for handler in (proxies, _Servers(until), urllib.request.UnknownHandler()):
        opener.add_handler(handler)
    return opener


def _context(host: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Servers(urllib.request.AbstractHTTPHandler):
    """http and https, with a last moment."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self._until = until

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, http.client.HTTPConnection, self._until), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        context = _context(urlsplit(req.full_url).netloc)
        return self.do_open(
            partial(_connection, http.client.HTTPSConnection, self._until, context=context), req
        )

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_


def _connection(kind: Any, until: float, host: str, **words: Any) -> http.client.HTTPConnection:
    made: http.client.HTTPConnection = kind(host, **words)
    made.response_class = partial(_response, until)  # type: ignore[assignment]  # it makes one
    return made


def _response(until: float, connected: socket.socket, *more: Any, **words: Any) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Watched(connected, until), *more, **words)  # type: ignore[arg-type]  # it reads alike


class _Watched(io.RawIOBase):
    """What a socket receives until a last moment, however slowly it comes."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self._socket, self._until = connected, until
        self._raw = connected.makefile("rb", buffering=0)
        self._stall = connected.gettimeout() or SHORT.stall

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, self._stall))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
