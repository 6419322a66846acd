"""The module in a container image, found as Istio finds it.

Rules, Istio's: the last layer is a tar with gzip, in which `plugin.wasm` is at any place; or it is an artifact of two
layers, of which one is the module itself. What goes beyond that is taken where it is clear what was meant, and told.
"""

from __future__ import annotations

from io import BytesIO

from simwasm.errors import InputError
from simwasm.modules.fetched import Told
from simwasm.modules.manifest import MANIFESTS, Image, Store, checked
from simwasm.modules.tar import Member, is_tar, members
from simwasm.modules.unpacking import LARGEST_MODULE, Unpacked

_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
_WASM_LAYERS = (_WASM_LAYER, "application/wasm", "application/vnd.wasm.content.layer.v1+wasm")
_USUAL = ("", "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_FILE = "plugin.wasm"
MAGIC = b"\0asm"
_SHOWN, _LONGEST = 6, 100


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
    return "" if image.config in _USUAL else f" ({image.config[:_LONGEST]})"


def _doubt(image: Image) -> str:
    """What Istio's own reader would not like about an image."""
    last = image.layers[-1].media_type
    found = f"its last layer is {last[:_LONGEST] or 'of no type'}"
    if image.media_type == MANIFESTS[0]:
        return "" if last == _DOCKER_LAYER else f"{found}, not {_DOCKER_LAYER}"
    if last == _OCI_LAYER:
        return ""
    if all(layer.media_type != _WASM_LAYER for layer in image.layers):
        return f"{found}, neither {_OCI_LAYER} nor {_WASM_LAYER}"
    count = len(image.layers)
    return "" if count == 2 else f"as an artifact it has two layers, and here are {count}"


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
    others: list[str] = []
    modules: list[str] = []
    for member in members(stream):
        *folders, name = member.name.split("/")
        if name == _FILE:
            return _content(member, folders, stream.where)
        kind = modules if name.endswith(".wasm") else others
        kind += [member.name[:_LONGEST]] if len(kind) <= _SHOWN else []
    there = modules or others
    told = ", ".join((*there[:_SHOWN], "…") if len(there) > _SHOWN else there) or "nothing"
    raise InputError(
        f"{stream.where}{which}: has no {_FILE}, and Istio looks nowhere else; in it is {told}. An image of a plugin "
        f"is built `FROM scratch` with `ADD built.wasm {_FILE}`"
    )


def _content(member: Member, folders: list[str], where: str) -> bytes:
    """The module that a member is, if it is a file within the image."""
    name = member.name if len(member.name) <= _LONGEST else f"…{member.name[-_LONGEST:]}"
    if ".." in folders:
        raise InputError(f"{where}: its {_FILE} wants to be at {name}, outside of the image")
    if member.kind != "a file":
        raise InputError(f"{where}: its {name} is {member.kind}; Istio looks for a file")
    return member.read()
