"""The module in a container image, found as Istio finds it.

Rules, Istio's: the last layer is a tar with gzip, in which `plugin.wasm` is at any place; or it is an artifact of two
layers, of which one is the module itself. What goes beyond that is taken where it is clear what was meant, and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from simwasm.errors import InputError
from simwasm.modules.fetched import Told
from simwasm.modules.manifest import MANIFESTS, Image, Store, checked
from simwasm.modules.tar import is_tar, members
from simwasm.modules.unpacking import LARGEST_MODULE, Unpacked

_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
_WASM_LAYERS = (_WASM_LAYER, "application/wasm", "application/vnd.wasm.content.layer.v1+wasm")
_USUAL = ("", "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_FILE = "plugin.wasm"
MAGIC = b"\0asm"
_SHOWN = 6


def module_of(store: Store, image: Image, told: Told) -> bytes:
    """The module that is in an image."""
    if not image.layers:
        raise InputError(f"{store.where}: is an image without layers{_kind_of(image)}")
    wasm = [layer for layer in image.layers if layer.media_type in _WASM_LAYERS]
    layer = wasm[0] if wasm else image.layers[-1]
    doubt = _doubt(image)
    if doubt:
        told(f"{store.where}: Istio would not take this image: {doubt}")
    if layer.size > LARGEST_MODULE:
        raise InputError(
            f"{store.where}: its layer has {layer.size >> 20} MiB; {LARGEST_MODULE >> 20} are the most"
        )
    data = checked(store.blob(layer, LARGEST_MODULE), layer, store.where)
    return module_in(data, store.where, f", its last layer of {len(image.layers)}{_kind_of(image)}")


def _kind_of(image: Image) -> str:
    return "" if image.config in _USUAL else f" ({image.config})"


def _doubt(image: Image) -> str:
    """What Istio's own reader would not like about an image."""
    last = image.layers[-1].media_type
    if image.media_type == MANIFESTS[0]:
        return (
            "" if last == _DOCKER_LAYER else f"its last layer is {last or 'of no type'}, not {_DOCKER_LAYER}"
        )
    if last == _OCI_LAYER:
        return ""
    if all(layer.media_type != _WASM_LAYER for layer in image.layers):
        return f"its last layer is {last or 'of no type'}, neither {_OCI_LAYER} nor {_WASM_LAYER}"
    return (
        ""
        if len(image.layers) == 2
        else f"as an artifact it has two layers, and here are {len(image.layers)}"
    )


def module_in(data: bytes, where: str, which: str = "") -> bytes:
    """The module that a layer is, or that is in it as plugin.wasm."""
    stream = Unpacked(BytesIO(data), where)
    head = stream.read(512)
    if head.startswith(MAGIC):
        return head + stream.read(LARGEST_MODULE)
    if not is_tar(head) and head.strip(b"\0"):
        raise InputError(f"{where}{which}: is neither a module nor a tar archive with {_FILE} in it")
    return _plugin_in(Unpacked(BytesIO(data), where), which)


def _plugin_in(stream: Unpacked, which: str) -> bytes:
    others = []
    for member in members(stream):
        *folders, name = member.name.split("/")
        if name != _FILE:
            others.append(member.name)
            continue
        if ".." in folders:
            raise InputError(
                f"{stream.where}: its {_FILE} wants to be at {member.name}, outside of the image"
            )
        if member.kind != "a file":
            raise InputError(f"{stream.where}: its {member.name} is {member.kind}; Istio looks for a file")
        return member.read()
    there = ", ".join(_most_telling(others)) or "nothing"
    raise InputError(
        f"{stream.where}{which}: has no {_FILE}, and Istio looks nowhere else; in it is {there}. An image of a "
        f"plugin is built `FROM scratch` with `ADD built.wasm {_FILE}`"
    )


def _most_telling(names: list[str]) -> Iterator[str]:
    wasm = [name for name in names if name.endswith(".wasm")]
    yield from (wasm or names)[:_SHOWN]
    if len(wasm or names) > _SHOWN:
        yield f"… ({len(names):,} in all)"
