"""Container images of plugins, built as `docker build` builds them: `FROM scratch`, `ADD built.wasm plugin.wasm`."""

from __future__ import annotations

import gzip
import json
import tarfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

WASM = (Path(__file__).parents[2] / "samples" / "allow_header_c" / "plugin.wasm").read_bytes()
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WASM_CONFIG = "application/vnd.module.wasm.config.v1+json"
WASM_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
Json = dict[str, Any]


def tar(*files: tuple[str, bytes], **fields: Any) -> bytes:
    """An archive of files; the fields are those of each member."""
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in fields.items():
                setattr(member, field, value)
            archive.addfile(member, BytesIO(content))
    return out.getvalue()


def layer(wasm: bytes = WASM, name: str = "plugin.wasm") -> bytes:
    """A layer with a module in it."""
    return gzip.compress(tar((name, wasm)), 1, mtime=0)


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


class Layout:
    """A folder of OCI's layout that is being filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.images: list[Json] = []

    def put(self, data: bytes, media_type: str, **more: Any) -> Json:
        """Put a blob in; its descriptor."""
        name = digest(data)
        (self.folder / "blobs" / name.replace(":", "/")).write_bytes(data)
        return {"mediaType": media_type, "digest": name, "size": len(data), **more}

    def put_json(self, content: Json, **more: Any) -> Json:
        return self.put(json.dumps(content).encode(), content["mediaType"], **more)

    def image(self, *layers: tuple[bytes, str], config: str = OCI_CONFIG, **more: Any) -> Json:
        """Put an image in that has these layers; its descriptor."""
        known = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": _plain(layers)},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.put(json.dumps(known).encode(), config),
            "layers": [self.put(data, kind) for data, kind in layers],
        }
        return self.put_json(manifest, **more)

    def write(self, *images: Json) -> Path:
        """Write the index; the folder."""
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(images)}
        (self.folder / "index.json").write_text(json.dumps(index))
        return self.folder


def _plain(layers: tuple[tuple[bytes, str], ...]) -> list[str]:
    return [digest(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data) for data, _ in layers]


def plugin_image(folder: Path, wasm: bytes = WASM) -> Path:
    """The layout of an image that has a plugin."""
    layout = Layout(folder)
    return layout.write(layout.image((layer(wasm), OCI_LAYER)))


def with_layer(folder: Path, data: bytes, kind: str = OCI_LAYER) -> Path:
    """The layout of an image with this layer alone."""
    layout = Layout(folder)
    return layout.write(layout.image((data, kind)))


def saved(wasm: bytes = WASM, images: int = 1) -> bytes:
    """What `docker save` of old writes."""
    data = tar(("plugin.wasm", wasm))
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [digest(data)]}}).encode()
    name = f"{digest(config)[7:]}.json"
    row = {"Config": name, "RepoTags": ["team/auth:v1"], "Layers": ["0a/layer.tar"]}
    return tar(("0a/layer.tar", data), (name, config), ("manifest.json", json.dumps([row] * images).encode()))


def archive(folder: Path) -> bytes:
    """A folder as an archive, its files in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tar(*((f"./{path.relative_to(folder)}", path.read_bytes()) for path in files))
