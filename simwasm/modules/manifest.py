"""What an image consists of, as its manifest tells, and which of several images Istio would take.

Rules: only what has the digest and size that were announced is looked at; of an index it is the image for linux/amd64,
then the one for WebAssembly, then the only one.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple, Protocol

from simwasm.errors import InputError
from simwasm.modules.fetched import Told

LARGEST_MANIFEST = 4 << 20
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
_FIRST_FORM = "application/vnd.docker.distribution.manifest.v1"
_ISTIOS = ("linux", "amd64")
_DEEPEST, _MOST = 4, 1000
_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]{64,128})")
_LENGTHS = {"sha256": 64, "sha512": 128}
_SHOWN, _LONGEST = 6, 80


class Descriptor(NamedTuple):
    """How a manifest names what it consists of."""

    digest: str
    size: int
    media_type: str
    platform: tuple[str, str] | None = None
    name: str = ""


class Image(NamedTuple):
    """One image: its own digest, and its layers."""

    digest: str
    media_type: str
    config: str
    """The media type of its configuration."""
    layers: tuple[Descriptor, ...]


class Store(Protocol):
    """Where the parts of an image are."""

    where: str

    def manifest(self, descriptor: Descriptor) -> bytes: ...
    def blob(self, descriptor: Descriptor, most: int) -> bytes: ...


def parts_of(digest: str, where: str) -> tuple[str, str]:
    """A digest's algorithm and its digits."""
    form = _DIGEST.fullmatch(digest)
    if form is None or len(form[2]) != _LENGTHS[form[1]]:
        raise InputError(f"{where}: `{digest[:80]}` is no digest: it is sha256: and 64 hexadecimal digits")
    return form[1], form[2]


def checked(data: bytes, descriptor: Descriptor, where: str) -> bytes:
    """The bytes, if they are what was announced."""
    if descriptor.size not in (-1, len(data)):
        raise InputError(
            f"{where}: {descriptor.digest} has {len(data):,} bytes, not {descriptor.size:,} as announced"
        )
    algorithm, digits = parts_of(descriptor.digest, where)
    found = hashlib.new(algorithm, data).hexdigest()
    if found != digits:
        raise InputError(
            f"{where}: what is there has the digest {algorithm}:{found}, not {descriptor.digest}"
        )
    return data


def read_json(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object of which nothing is known yet."""
    try:
        found = json.loads(data, parse_int=_small_number)
    except (ValueError, RecursionError):
        raise InputError(f"{where}: is not JSON") from None
    if not isinstance(found, dict):
        raise InputError(f"{where}: is not a JSON object")
    return found


def _small_number(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number of so many digits")
    return int(text)


def choose(store: Store, data: bytes, descriptor: Descriptor, told: Told) -> Image:
    """The image that a manifest is, or the one of an index that Istio would take."""
    for _ in range(_DEEPEST):
        content = read_json(data, f"{store.where}: its manifest")
        kind = _text(content, "mediaType") or descriptor.media_type
        if kind.startswith(_FIRST_FORM) or content.get("schemaVersion") == 1:
            raise InputError(
                f"{store.where}: has a manifest of Docker's first form: push it again with a newer docker"
            )
        if kind in INDEXES or (kind not in MANIFESTS and "manifests" in content):
            descriptor = _one_of(_descriptors(content, "manifests", store.where), store.where, told)
            data = checked(store.manifest(descriptor), descriptor, store.where)
            continue
        config = content.get("config")
        layers = _descriptors(content, "layers", store.where)
        config_type = _text(config, "mediaType") if isinstance(config, dict) else ""
        return Image(descriptor.digest, kind, _text(content, "artifactType") or config_type, layers)
    raise InputError(f"{store.where}: indexes within indexes, more than {_DEEPEST}")


def _text(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _descriptors(content: dict[str, Any], key: str, where: str) -> tuple[Descriptor, ...]:
    found = content.get(key) or []
    if not isinstance(found, list) or len(found) > _MOST:
        raise InputError(f"{where}: its manifest's `{key}` is no list, or a very long one")
    return tuple(_descriptor(each, where) for each in found if not _tells_of_another(each))


def _tells_of_another(content: Any) -> bool:
    """Whether it is what a builder attests about another image."""
    notes = content.get("annotations") if isinstance(content, dict) else None
    return isinstance(notes, dict) and "vnd.docker.reference.type" in notes


def _descriptor(content: Any, where: str) -> Descriptor:
    if not isinstance(content, dict):
        raise InputError(f"{where}: its manifest has {type(content).__name__} where a descriptor belongs")
    size, platform = content.get("size"), content.get("platform")
    digest = _text(content, "digest")
    parts_of(digest, where)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InputError(f"{where}: its manifest has no size for {digest}")
    notes = content.get("annotations")
    return Descriptor(
        digest,
        size,
        _text(content, "mediaType"),
        (_text(platform, "os"), _text(platform, "architecture")) if isinstance(platform, dict) else None,
        _text(notes, "org.opencontainers.image.ref.name") if isinstance(notes, dict) else "",
    )


def _one_of(found: tuple[Descriptor, ...], where: str, told: Told) -> Descriptor:
    """The image that Istio takes out of an index; otherwise the one for WebAssembly, or the only one."""
    istios = [each for each in found if each.platform in (None, _ISTIOS)]
    if len(istios) == 1 or len({each.digest for each in istios}) == 1:
        return istios[0]
    wasm = [
        each for each in found if each.platform is not None and {"wasm", "wasi", "wasip1"} & {*each.platform}
    ]
    best = istios or wasm or list(found)
    if len(best) != 1:
        there = ", ".join(_shown(each) for each in found[:_SHOWN]) or "none"
        raise InputError(
            f"{where}: has {len(found)} images, and it is not clear which is meant ({there}): name it by its digest, "
            "or have only that one there"
        )
    told(f"{where}: Istio takes the image for linux/amd64, and this one is for {_shown(best[0])}")
    return best[0]


def _shown(descriptor: Descriptor) -> str:
    platform = "/".join(descriptor.platform or ())[:_LONGEST]
    return " ".join(each for each in (descriptor.name[:_LONGEST], platform, descriptor.digest[:19]) if each)
