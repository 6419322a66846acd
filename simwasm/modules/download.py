"""A module at a web address, as Istio downloads it.

Rules, Istio's: what is packed by gzip is unpacked, and of a tar archive the first file is meant; `sha256` is the
module's own. A module with the right digest that is here already is not asked for again.
"""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from simwasm.errors import InputError
from simwasm.modules.fetched import Fetched, Told, module, own_digest
from simwasm.modules.kept import Kept
from simwasm.modules.tar import is_tar, members
from simwasm.modules.unpacking import LARGEST_MODULE, Unpacked
from simwasm.modules.web import LONG, Unreachable, Wanted, ask, is_address

_DEEPEST = 3
_ANSWERS = {
    401: "wants to know who asks: give a name and password as https://NAME:PASSWORD@HOST/…",
    403: "does not give that away to everybody",
    404: "there is no such file",
}


def download(address: str, sha256: str, told: Told) -> Fetched:
    """The module at an http or https address; with a digest it has to be that one."""
    url, secret = _without_secret(address)
    kept = Kept("file")
    known = kept.module(sha256)
    if known is not None:
        return Fetched(known, url, sha256, _name(url))
    try:
        packed = _body(url, secret, told)
    except Unreachable as error:
        before = kept.digest(url)
        wasm = kept.module(before) if sha256 in ("", before) else None
        if wasm is None:
            raise
        told(f"{error}; it is taken as it was fetched before, sha256 {before}")
        return Fetched(wasm, url, before, _name(url))
    wasm = module(unboxed(packed, url), url)
    digest = own_digest(wasm)
    if sha256 not in ("", digest):
        also = (
            " (that is the packed file's; it has to be the module's)" if sha256 == own_digest(packed) else ""
        )
        raise InputError(
            f"{url}: what is there has sha256 {digest}, and the configuration wants {sha256}{also}"
        )
    if not sha256:
        told(f"{url}: {len(wasm):,} bytes; to have just these again, give sha256 {digest}")
    kept.keep(digest, wasm, url)
    return Fetched(wasm, url, digest, _name(url))


def _without_secret(address: str) -> tuple[str, str]:
    """An address as it can be shown, and how its name and password are told."""
    if not is_address(address):
        raise InputError(f"{address[:200]}: is no web address")
    parts = urlsplit(address)
    who, _, host = parts.netloc.rpartition("@")
    secret = f"Basic {base64.b64encode(unquote(who).encode(errors='replace')).decode()}" if who else ""
    return parts._replace(netloc=host, fragment="").geturl(), secret


def _body(url: str, secret: str, told: Told) -> bytes:
    answer = ask(Wanted(url, LARGEST_MODULE, secret=secret, patience=LONG, told=told))
    if answer.status == 200:
        return answer.body
    if answer.status >= 500:
        raise Unreachable(f"{url}: {answer.status} from the server; try again")
    raise InputError(f"{url}: {answer.status}: {_ANSWERS.get(answer.status, 'no module')}")


def unboxed(data: bytes, where: str) -> bytes:
    """What is within gzip and tar; the bytes themselves if they are neither."""
    for _ in range(_DEEPEST):
        stream = Unpacked(BytesIO(data), where)
        head = stream.read(512)
        if is_tar(head):
            first = next(members(Unpacked(BytesIO(data), where)), None)
            data = first.read() if first is not None and first.kind == "a file" else b""
        elif stream.form:
            data = head + stream.read(LARGEST_MODULE + 1)
        else:
            break
    return data


def _name(url: str) -> str:
    """A name for the plugin: the file's, without what follows its first dot."""
    parts = urlsplit(url)
    stem = PurePosixPath(unquote(parts.path)).name.partition(".")[0]
    return stem or (parts.hostname or "plugin")
