"""Modules at web addresses, and servers that do what they should not."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from images import WASM, tar
from registries import Asked, Reply, Small, server
from registries import tls as with_tls
from signing import Signer

from simwasm.errors import InputError
from simwasm.modules import web
from simwasm.modules.find import fetch, find
from simwasm.modules.web import Patience, Wanted, ask

DIGEST = sha256(WASM).hexdigest()
Answer = Callable[[Asked], Reply]
Serve = Callable[[Answer], Small]


@pytest.fixture
def serve() -> object:
    """Start servers that stop with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(server(answer))


def module(asked: Asked) -> Reply:
    return Reply(body=WASM)


def refused(url: str, **words: str) -> str:
    with pytest.raises(InputError) as error:
        fetch(url, **words)  # type: ignore[arg-type]  # the texts among them
    return str(error.value)


# What works.


def test_a_module_is_downloaded_and_its_digest_told(serve: Serve) -> None:
    url, told = f"{serve(module).url}/filters/auth.wasm?v=1", list[str]()
    assert find(url, told.append) == (WASM, url, DIGEST, "auth", None)
    assert told == [f"{url}: {len(WASM):,} bytes; to have just these again, give sha256 {DIGEST}"]


@pytest.mark.parametrize(
    "data",
    [gzip.compress(WASM), tar(("x.wasm", WASM), ("y", b"")), gzip.compress(tar(("x.wasm", WASM)))],
    ids=["gzip", "tar", "tar.gz"],
)
def test_what_is_boxed_is_unboxed_and_then_compared(serve: Serve, data: bytes) -> None:
    url = f"{serve(lambda asked: Reply(body=data)).url}/auth.tar.gz"
    assert fetch(url, sha256=DIGEST).wasm == WASM


def test_with_a_digest_nobody_is_asked_twice(serve: Serve) -> None:
    small = serve(module)
    for _ in range(3):
        assert fetch(f"{small.url}/auth.wasm", sha256=DIGEST).wasm == WASM
    assert len(small.asked) == 1


def test_without_a_digest_everybody_is_asked_always(serve: Serve) -> None:
    small = serve(module)
    for _ in range(3):
        assert fetch(f"{small.url}/auth.wasm").wasm == WASM
    assert len(small.asked) == 3


def test_what_was_downloaded_is_there_without_the_server() -> None:
    with server(module) as small:
        url = f"{small.url}/auth.wasm"
        fetch(url)
    told: list[str] = []
    assert fetch(url, told=told.append).wasm == WASM
    assert told == [
        f"{url}: cannot be asked: Connection refused; it is taken as it was fetched before, sha256 {DIGEST}"
    ]
    assert "Connection refused" in refused(url, sha256="0" * 64)


def test_a_name_and_password_are_told_but_never_shown(serve: Serve) -> None:
    small = serve(lambda asked: Reply() if "Authorization" in asked.headers else Reply(401))
    text = refused(f"http://me:s3%40cret@{small.host}/auth.wasm")
    assert text == f"{small.url}/auth.wasm: not a Wasm module: the file is empty; did the build succeed?"
    assert small.asked[0].headers["Authorization"] == f"Basic {base64.b64encode(b'me:s3@cret').decode()}"


def test_redirects_are_followed(serve: Serve) -> None:
    there = serve(module)
    here = serve(lambda asked: Reply(302, {"Location": f"{there.url}/{asked.path}"}))
    assert fetch(f"{here.url}/é.wasm").wasm == WASM
    assert here.asked[0].path == "/%C3%A9.wasm"


def test_a_proxy_is_used_but_not_for_this_machine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, direct = serve(module), serve(module)
    monkeypatch.setenv("http_proxy", proxy.url)
    assert fetch(f"{direct.url}/a").wasm == fetch("http://modules.invalid/a").wasm == WASM
    assert [each.path for each in proxy.asked] == ["http://modules.invalid/a"]


# What is no module.


def test_another_digest_is_told_with_both(serve: Serve) -> None:
    url = f"{serve(module).url}/auth.wasm"
    assert refused(url, sha256="0" * 64) == (
        f"{url}: what is there has sha256 {DIGEST}, and the configuration wants {'0' * 64}"
    )


def test_the_digest_of_the_box_is_not_the_modules(serve: Serve) -> None:
    data = gzip.compress(WASM)
    url = f"{serve(lambda asked: Reply(body=data)).url}/auth.wasm.gz"
    assert refused(url, sha256=sha256(data).hexdigest()).endswith(
        " (that is the packed file's; it has to be the module's)"
    )


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(404), "404: there is no such file"),
        (Reply(401), "401: wants to know who asks: give a name and password as https://NAME:PASSWORD@HOST/…"),
        (Reply(503), "503 from the server; try again"),
        (Reply(418), "418: no module"),
        (
            Reply(body=b"<!DOCTYPE html><p>Sign in"),
            "not a Wasm module: it is a web page; the download probably failed",
        ),
        (Reply(body=b"\0asm"), "the file is cut short: a Wasm module has at least 8 bytes at offset 0x4"),
    ],
)
def test_what_is_no_module_is_told(serve: Serve, reply: Reply, words: str) -> None:
    url = f"{serve(lambda asked: reply).url}/auth.wasm"
    assert refused(url) == f"{url}: {words}"


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://x:notaport/", "https:///path", "http://x:99999/", "http://x:0/"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    assert refused(url) == f"{url}: is no web address"


def test_an_unknown_host_is_told() -> None:
    assert refused("http://modules.invalid/x").startswith(
        "http://modules.invalid/x: the host modules.invalid is not known ("
    )


# Servers that nobody should trust.


def test_redirects_are_few(serve: Serve) -> None:
    small = serve(lambda asked: Reply(302, {"Location": f"{asked.path}x"}))
    assert refused(f"{small.url}/a") == f"{small.url}/a: redirects more than 5 times"
    assert len(small.asked) == 6


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "ftp://x/y", "data:,x", "http://[", "\\\\x", "http://x:y/", "//x:99999"]
)
def test_redirects_lead_to_web_addresses_only(serve: Serve, where: str) -> None:
    small = serve(lambda asked: Reply(302 if asked.path == "/a" else 404, {"Location": where}))
    text = refused(f"{small.url}/a")
    assert "redirects to what is no" in text or text.endswith("404: there is no such file")


def test_a_redirect_does_not_lead_away_from_tls() -> None:
    with pytest.raises(
        InputError, match=r"^https://x/a: redirects to http://y/b, where anybody could change it"
    ):
        web._led("https://x/a", "http://me:s3cret@y/b?signature=s3cret")


def test_another_host_is_not_told_who_we_are(serve: Serve) -> None:
    there = serve(module)
    here = serve(lambda asked: Reply(307, {"Location": f"{there.url}/b"} if asked.path == "/a" else {}))
    assert fetch(f"http://me:s3cret@{here.host}/a").wasm == WASM
    assert "Authorization" in here.asked[0].headers and "Authorization" not in there.asked[0].headers


def test_an_answer_has_a_largest_size(serve: Serve) -> None:
    told = serve(lambda asked: Reply(headers={"Content-Length": "5000000000"}))
    assert refused(f"{told.url}/a") == f"{told.url}/a: is 5,000,000,000 bytes; 268,435,456 are the most"
    untold = serve(lambda asked: Reply(pieces=(b"x" * 1000,) * 3))
    with pytest.raises(InputError, match=r"is more than 2,500 bytes"):
        ask(Wanted(untold.url, 2500))


def test_a_large_download_is_announced(serve: Serve) -> None:
    data = bytes(9 << 20)
    url, told = serve(lambda asked: Reply(body=data)).url, list[str]()
    assert ask(Wanted(url, 10 << 20, told=told.append)).body == data
    assert told == [f"{url}: 9 MiB are on the way"]


def test_a_download_that_breaks_off_is_told(serve: Serve) -> None:
    small = serve(lambda asked: Reply(headers={"Content-Length": "5000"}, body=WASM))
    assert (
        refused(f"{small.url}/a") == f"{small.url}/a: broke off after {len(WASM):,} of 5,000 bytes; try again"
    )


def test_a_slow_answer_has_a_last_moment(serve: Serve) -> None:
    """However often a few bytes come."""
    small = serve(lambda asked: Reply(pieces=(b"x",) * 400, pause_s=0.01))
    began = time.monotonic()
    with pytest.raises(InputError, match="no answer in time"):
        ask(Wanted(small.url, 1000, patience=Patience(stall=10, whole=0.2)))
    assert time.monotonic() - began < 3


def test_slow_headers_have_a_last_moment() -> None:
    """They are not a body yet, and each of them comes in time."""

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for number in range(90):
                connection.sendall(b"X-%d: 1\r\n" % number)
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(InputError, match="no answer in time"):
            ask(Wanted(url, 1000, patience=Patience(stall=10, whole=0.1)))
        thread.join()


def test_silence_is_no_answer(serve: Serve) -> None:
    def silent(asked: Asked) -> Reply:
        time.sleep(0.3)
        return Reply()

    with pytest.raises(InputError, match="no answer in time"):
        ask(Wanted(serve(silent).url, 1000, patience=Patience(stall=0.05)))


def test_endless_headers_are_refused(serve: Serve) -> None:
    small = serve(lambda asked: Reply(headers={f"X-{number}": "1" for number in range(1000)}))
    assert refused(f"{small.url}/a").startswith(f"{small.url}/a: cannot be asked: got more than 100 headers")


# Certificates.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody else has signed, with its key, in one file."""
    return Signer().write(tmp_path_factory.mktemp("tls") / "both.pem")


@pytest.fixture
def tls(certificate: Path) -> object:
    """A server with that certificate."""
    with server(module, with_tls(certificate)) as small:
        yield small


def test_a_certificate_that_is_not_trusted_is_told(tls: Small) -> None:
    text = refused(f"https://{tls.host}/a")
    assert text.startswith(f"https://{tls.host}/a: the certificate of {tls.host} is not trusted: self")
    assert text.endswith(
        "Name the authority's file by SSL_CERT_FILE, or the host in SIMWASM_INSECURE_REGISTRIES"
    )


def test_an_authority_may_be_named(tls: Small, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(f"https://{tls.host}/a").wasm == WASM


@pytest.mark.parametrize("hosts", ["*", "x:1, {host}"])
def test_a_host_may_be_trusted_without(tls: Small, hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMWASM_INSECURE_REGISTRIES", hosts.format(host=tls.host))
    assert fetch(f"https://{tls.host}/a").wasm == WASM


def test_a_server_without_tls_is_told(serve: Serve) -> None:
    host = serve(module).host
    text = refused(f"https://{host}/a")
    assert text.startswith(f"https://{host}/a: {host} does not speak TLS"), text
