"""Registries on loopback: Debian's docker-registry, filled by skopeo, and small servers that answer as a test says."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

import pytest

MISSING = [name for name in ("docker-registry", "skopeo") if shutil.which(name) is None]
installed = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (Debian has both)")
_WAIT_S = 20
# `s3cret:` for `me`, by bcrypt.
PASSWORD = "auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
"""What a registry is configured with that wants a name and a password."""
_HTPASSWD = "me:$2y$05$abcdefghijklmnopqrstuuZ1c1YYP8tNalyY7q5blvubKSiB/Uwfi\n"


class Running(NamedTuple):
    """A registry, its address, and what it has written."""

    host: str
    folder: Path

    def push(self, layout: Path, name: str, *options: str) -> str:
        """Push the only image of a folder of OCI's layout; the name that it has there."""
        to = f"docker://{self.host}/{name}"
        command = ["skopeo", "copy", "-q", "--dest-tls-verify=false", *options, f"oci:{layout}", to]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return f"oci://{self.host}/{name}"

    def digest(self, repository: str, tag: str) -> str:
        """The digest that an image got, from what the registry has stored."""
        tags = self.folder / "data/docker/registry/v2/repositories" / repository / "_manifests/tags"
        return (tags / tag / "current/link").read_text()

    def retag(self, repository: str, tag: str, new: str) -> str:
        """Give an image another tag, which means it from now on; the name that it has there."""
        digits = self.digest(repository, tag).removeprefix("sha256:")
        manifest = (
            self.folder / f"data/docker/registry/v2/blobs/sha256/{digits[:2]}/{digits}/data"
        ).read_bytes()
        kind = {"Content-Type": json.loads(manifest)["mediaType"]}
        url = f"http://{self.host}/v2/{repository}/manifests/{new}"
        urlopen(Request(url, manifest, kind, method="PUT"), timeout=60).close()
        return f"oci://{self.host}/{repository}:{new}"


@contextmanager
def registry(folder: Path, more: str = "") -> Iterator[Running]:
    """A registry that lasts as long as the block; `more` is YAML of its configuration."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(_HTPASSWD)
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: {host}}}\n{more.format(folder=folder)}"
    )
    with (
        open(folder / "log", "wb") as log,
        subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait_for(host)
            yield Running(host, folder)
        finally:
            process.kill()


def _wait_for(host: str) -> None:
    name, _, port = host.partition(":")
    end = time.monotonic() + _WAIT_S
    while True:
        try:
            return socket.create_connection((name, int(port)), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def tls(certificate: Path) -> Callable[[socket.socket], socket.socket]:
    """What makes a server's socket one of TLS, with the certificate and key in a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return lambda plain: context.wrap_socket(plain, server_side=True)


class Asked(NamedTuple):
    """A request that a small server got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What it answers; the pieces of a body are sent one by one, with a pause between them."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    pieces: tuple[bytes, ...] = ()
    pause_s: float = 0


class Small(NamedTuple):
    """A running server: where it is, and what it was asked."""

    host: str
    asked: list[Asked]

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@contextmanager
def server(
    answer: Callable[[Asked], Reply], wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[Small]:
    """A server that answers by a function; `wrap` makes its socket one of TLS."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = Asked(self.command, self.path, dict(self.headers.items()), body)
            asked.append(request)
            reply = answer(request)
            self.send_response(reply.status)
            length = {} if reply.pieces else {"Content-Length": str(len(reply.body))}
            for name, value in {**length, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = True
            for piece in (reply.body, *reply.pieces):
                try:
                    self.wfile.write(piece)
                except OSError:
                    return
                time.sleep(reply.pause_s)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever is served may be gone."""

    running = Server(("127.0.0.1", 0), Handler)
    if wrap is not None:
        running.socket = wrap(running.socket)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Small(f"127.0.0.1:{running.server_address[1]}", asked)
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
