"""A plugin's module, from wherever it is said to be.

    find("oci://registry.example/team/auth:v2").wasm          what a user types
    fetch("registry.example/team/auth:v2", pull="Always")     what a configuration says

Rules: what a user types without a scheme is a path, and in a configuration it is an image, as Istio reads it. A local
file is handed over as it is; whatever is packed or comes from elsewhere has to be a module. `told` hears, in a sentence,
what is worth knowing and stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256 as digest_of
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from simwasm.errors import InputError

Told = Callable[[str], None]


class Fetched(NamedTuple):
    """A module and where it came from."""

    wasm: bytes
    origin: str
    """Its path or address, with the digest where it is an image."""
    digest: str
    """What `sha256` of a configuration is compared with: an image's digest, or the module's own."""
    name: str
    """A name for a plugin of whom nobody says another."""
    folder: Path | None = None
    """Where files lie that tell of its source."""


def _nobody(text: str) -> None:
    """Hear nothing."""


def find(text: str, told: Told = _nobody) -> Fetched:
    """The module that a user has named: a path or an address."""
    scheme, _, _ = text.partition("://")
    if scheme in ("oci", "http", "https"):
        return _FETCH[scheme](text, "", "Always", told)
    return _local(_path_of(text, Path()) if text.startswith("file:") else Path(text), told)


def fetch(
    url: str, *, sha256: str = "", pull: str = "", beside: Path | None = None, told: Told = _nobody
) -> Fetched:
    """The module that a configuration names; `beside` is the folder of its file, from where paths start."""
    scheme, separator, _ = url.partition(":")
    if scheme == "file":
        return _from_file(url, sha256, beside or Path(), told)
    if scheme in _FETCH and separator:
        return _FETCH[scheme](url, sha256, pull, told)
    if "://" in url:
        raise InputError(f"{url}: a module is at a file://, oci://, http:// or https:// address")
    return _FETCH["oci"](f"oci://{url}", sha256, pull, told)


def _path_of(url: str, beside: Path) -> Path:
    """The path that a file:// address means; a relative one starts beside its configuration."""
    parts = urlsplit(url)
    return beside / unquote(parts.netloc + parts.path)


def _from_file(url: str, sha256: str, beside: Path, told: Told) -> Fetched:
    path = _path_of(url, beside)
    if not path.exists():
        raise InputError(
            f"{url}: {path} is not there. In a cluster it would be a path in the proxy's pod; name the file here by "
            "--module"
        )
    found = _local(path, told)
    if sha256 and sha256 != found.digest:
        told(f"{url}: its sha256 is {found.digest}, not {sha256}; Istio does not look, for a file")
    return found


def _local(path: Path, told: Told) -> Fetched:
    try:
        wasm = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return Fetched(wasm, str(path), digest_of(wasm).hexdigest(), _name(path), path.parent)


def _name(path: Path) -> str:
    """A file's name without its suffixes, or its folder's where it is called plugin.wasm."""
    stem = path.name.partition(".")[0]
    return path.resolve().parent.name if stem == "plugin" else stem


def _not_yet(url: str, sha256: str, pull: str, told: Told) -> Fetched:
    raise InputError(f"{url}: cannot be fetched: name the built file by --module FILE.wasm")


_FETCH: dict[str, Callable[[str, str, str, Told], Fetched]] = dict.fromkeys(
    ("oci", "http", "https"), _not_yet
)
