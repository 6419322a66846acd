"""A plugin's module, from wherever it is said to be.

    find("oci://registry.example/team/auth:v2").wasm          what a user types
    fetch("registry.example/team/auth:v2", pull="Always")     what a configuration says

Rules: what a user types without a scheme is a path, and in a configuration it is an image, as Istio reads it. A local
file that is not packed is handed over as it is; all else has to be a module. A registry is asked each time what a tag
means, for a user; for a configuration as its policy says. `told` hears, in a sentence, what stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from simwasm.errors import InputError
from simwasm.modules.fetched import Fetched, Told, digits_of, module, own_digest
from simwasm.plugin import read_bytes

_FILE, _IMAGE, _ALWAYS = "file", "oci", "Always"


def _nobody(text: str) -> None:
    """Hear nothing."""


def find(text: str, told: Told = _nobody) -> Fetched:
    """The module that a user has named: a path or an address."""
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() in _FETCH:
        return _FETCH[scheme.lower()](text, "", _ALWAYS, told)
    if text.startswith("file:"):
        return _local(_path_of(text, Path()))
    return _local(Path(text))


def fetch(
    url: str, *, sha256: str = "", pull: str = "", beside: Path | None = None, told: Told = _nobody
) -> Fetched:
    """The module that a configuration names; `beside` is the folder of its file, from where paths start."""
    digits = digits_of(sha256, url)
    if url.startswith("file:"):
        return _from_file(url, digits, beside or Path(), told)
    scheme, separator, _ = url.partition("://")
    if not separator:
        scheme, url = _IMAGE, f"{_IMAGE}://{url}"
    if scheme.lower() not in _FETCH:
        raise InputError(
            f"{url}: a module is at an address that begins with file://, oci://, http:// or https://"
        )
    return _FETCH[scheme.lower()](url, digits, pull, told)


def _image(url: str, sha256: str, policy: str, told: Told) -> Fetched:
    from simwasm.modules.pull import pull  # what speaks to servers takes long to load

    return pull(url, sha256, policy, told)


def _web(url: str, sha256: str, policy: str, told: Told) -> Fetched:
    from simwasm.modules.download import download

    return download(url, sha256, told)


_FETCH: dict[str, Callable[[str, str, str, Told], Fetched]] = {_IMAGE: _image, "http": _web, "https": _web}


def _path_of(url: str, beside: Path) -> Path:
    """The path that a file:// address means, as it stands there or decoded; a relative one starts beside its file."""
    plain = url.removeprefix("file:").removeprefix("//").removeprefix("localhost/")
    if url.startswith("file://localhost/"):
        plain = f"/{plain}"
    path = beside / plain
    return path if path.exists() else beside / unquote(plain)


def _from_file(url: str, sha256: str, beside: Path, told: Told) -> Fetched:
    path = _path_of(url, beside)
    if not path.exists():
        near = beside / path.name
        which = f", such as {near}" if path.name and near.is_file() else ""
        raise InputError(
            f"{url}: {path} is not there. In a cluster that is a path in the proxy's pod; name the built file here by "
            f"--module FILE.wasm{which}"
        )
    found = _local(path)
    if sha256 not in ("", found.digest):
        told(f"{url}: its sha256 is {found.digest}, not {sha256}; for a file Istio does not look")
    return found


def _local(path: Path) -> Fetched:
    """A module's file, or an image in a folder or file."""
    if not path.exists():
        raise InputError(f"{path}: cannot be read: No such file or directory{_meant(path)}")
    try:
        packed = path.is_dir() or (path.is_file() and _is_packed(path))
        wasm, digest = _unpacked(path) if packed else (read_bytes(path), "")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return Fetched(wasm, str(path), digest or own_digest(wasm), _name(path), path.parent)


def _meant(path: Path) -> str:
    """What a name means that is no file's, but an image's."""
    name, colon, tag = str(path).rpartition(":")
    if not colon or "/" in tag:
        return ""
    if Path(name).exists():
        return f"; {name} is here: leave out the tag"
    return f"; an image at a registry is written oci://{path}"


def _is_packed(path: Path) -> bool:
    from simwasm.modules.archive import is_archive

    return is_archive(path)


def _unpacked(path: Path) -> tuple[bytes, str]:
    from simwasm.modules.archive import image_in

    wasm, digest = image_in(path)
    return module(wasm, str(path)), digest


def _name(path: Path) -> str:
    """A file's name without its suffixes, or its folder's where it is called plugin.wasm."""
    stem = path.name.partition(".")[0]
    return path.resolve().parent.name if stem == "plugin" else stem
