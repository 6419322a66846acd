"""Images in files: a folder or archive of OCI's layout, and what `docker save` writes.

Rules: an archive is read from its start for each part of an image, so that nothing of it is unpacked to disk, and never
more than one part is in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from simwasm.errors import InputError
from simwasm.modules.image import MAGIC, module_in, module_of
from simwasm.modules.manifest import INDEXES, LARGEST_MANIFEST, Descriptor, choose, parts_of, read_json
from simwasm.modules.tar import is_tar, members
from simwasm.modules.unpacking import LARGEST_MODULE, Unpacked

_INDEX, _SAVED = "index.json", "manifest.json"
Read = Callable[[str, int], bytes | None]


class Layout:
    """A folder or archive of OCI's layout."""

    def __init__(self, where: str, read: Read) -> None:
        self.where = where
        self._read = read

    def manifest(self, descriptor: Descriptor) -> bytes:
        return self.blob(descriptor, LARGEST_MANIFEST)

    def blob(self, descriptor: Descriptor, most: int) -> bytes:
        algorithm, digits = parts_of(descriptor.digest, self.where)
        data = self._read(f"blobs/{algorithm}/{digits}", most)
        if data is None:
            raise InputError(f"{self.where}: {descriptor.digest} is not in it; was it copied as a whole?")
        return data


def image_in(path: Path) -> tuple[bytes, str]:
    """The module in an image that is a folder or file, and the image's digest, where it tells one."""
    where = str(path)
    if path.is_file() and (wasm := _module_alone(path)):
        return wasm, ""
    read = _folder(path) if path.is_dir() else _archive(path)
    index = read(_INDEX, LARGEST_MANIFEST)
    if index is not None:
        layout = Layout(where, read)
        image = choose(layout, index, Descriptor("", -1, INDEXES[1]), _nobody)
        return module_of(layout, image, _nobody), image.digest.removeprefix("sha256:")
    saved = read(_SAVED, LARGEST_MANIFEST)
    if saved is None:
        raise InputError(
            f"{where}: is no image: it has neither {_INDEX} nor {_SAVED} (`docker save`, "
            "`skopeo copy … oci:FOLDER` and `oci-archive:FILE` write them)"
        )
    return _saved(where, saved, read), ""


def is_archive(path: Path) -> bool:
    """Whether a file is a tar archive, perhaps packed."""
    with open(path, "rb") as file:
        stream = Unpacked(file, str(path))
        return stream.form != "" or is_tar(stream.read(512))


def _module_alone(path: Path) -> bytes:
    """A module that is packed and nothing else; nothing if it is in an archive."""
    with open(path, "rb") as file:
        stream = Unpacked(file, str(path), LARGEST_MODULE)
        head = stream.read(512)
        if head.startswith(MAGIC):
            return head + stream.read(LARGEST_MODULE)
        if not is_tar(head):
            raise InputError(
                f"{path}: is packed by {stream.form}, and what is in it is neither a module nor an image"
            )
        return b""


def _nobody(text: str) -> None:
    """Istio's remarks on forms: they change when such an image is pushed."""


def _folder(path: Path) -> Read:
    def read(name: str, most: int) -> bytes | None:
        file = path / name
        if not file.is_file():
            return None
        with open(file, "rb") as stream:
            data = stream.read(most + 1)
        return _bounded(data, most, f"{path}: {name}")

    return read


def _archive(path: Path) -> Read:
    def read(name: str, most: int) -> bytes | None:
        with open(path, "rb") as file:
            for member in members(Unpacked(file, str(path))):
                if member.kind == "a file" and member.name.removeprefix("./") == name:
                    return member.read(most)
        return None

    return read


def _bounded(data: bytes, most: int, where: str) -> bytes:
    if len(data) > most:
        raise InputError(f"{where}: has more than {most:,} bytes")
    return data


def _saved(where: str, data: bytes, read: Read) -> bytes:
    """The module in the only image of an older `docker save`."""
    images = read_json(b'{"images": ' + data + b"}", f"{where}: {_SAVED}")["images"]
    if not isinstance(images, list) or not all(isinstance(each, dict) for each in images):
        raise InputError(f"{where}: {_SAVED} is no list of images")
    if len(images) != 1:
        there = ", ".join(
            str(tag)[:100] for each in images[:6] for tag in each.get("RepoTags") or ["untagged"]
        )
        raise InputError(f"{where}: has {len(images)} images ({there or 'none'}): save the plugin's alone")
    layers = _names(images[0].get("Layers"), where)
    if not layers:
        raise InputError(f"{where}: is an image without layers")
    layer = _file(where, read, layers[-1], LARGEST_MODULE)
    config = images[0].get("Config")
    if isinstance(config, str):
        _check_layer(where, read, config, len(layers), layer)
    return module_in(layer, where, f", its last layer of {len(layers)}")


def _names(found: Any, where: str) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InputError(f"{where}: {_SAVED} has no list of Layers")
    return found


def _file(where: str, read: Read, name: str, most: int) -> bytes:
    data = read(name, most)
    if data is None:
        raise InputError(f"{where}: {name[:200]} is not in it, or is a link; was it written as a whole?")
    return data


def _check_layer(where: str, read: Read, name: str, layers: int, layer: bytes) -> None:
    """See that the configuration has the digest that it is named by, and the layer the one that it tells."""
    data = _file(where, read, name, LARGEST_MANIFEST)
    digits = name.rpartition("/")[2].removesuffix(".json")
    if len(digits) == 64 and sha256(data).hexdigest() != digits:
        raise InputError(
            f"{where}: {name} has the digest sha256:{sha256(data).hexdigest()}, not that of its name"
        )
    rootfs = read_json(data, f"{where}: {name}").get("rootfs")
    told = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    found = f"sha256:{_unpacked_digest(layer, where)}"
    if isinstance(told, list) and len(told) == layers and told[-1] != found:
        raise InputError(f"{where}: its last layer has the digest {found}, not {told[-1]!s:.80}")


def _unpacked_digest(layer: bytes, where: str) -> str:
    stream, digest = Unpacked(BytesIO(layer), where), sha256()
    while piece := stream.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()
