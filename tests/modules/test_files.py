"""Modules in local files: as they are, packed, and in images that are folders or archives."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import images
import pytest
import zstandard
from images import OCI_LAYER, WASM, WASM_LAYER, Layout, layer, plugin_image, saved, tar, with_layer

from simwasm.errors import InputError
from simwasm.modules.find import fetch, find


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path) -> str:
    """What a user is told about a file that cannot be used."""
    with pytest.raises(InputError) as error:
        find(str(path))
    return str(error.value)


# What users type.


def test_a_file_is_handed_over_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "auth.wasm", WASM)
    found = find(str(path))
    assert found == (WASM, str(path), sha256(WASM).hexdigest(), "auth", tmp_path)


def test_a_plugin_wasm_is_called_like_its_folder(tmp_path: Path) -> None:
    assert find(str(written(tmp_path / "plugin.wasm", WASM))).name == tmp_path.name


def test_a_file_that_is_no_module_is_handed_over_too(tmp_path: Path) -> None:
    """Whoever reads modules says best what is wrong with one."""
    assert find(str(written(tmp_path / "x.wasm", b"hello"))).wasm == b"hello"


def test_a_missing_file_is_not_looked_for_in_a_registry(tmp_path: Path) -> None:
    assert refused(tmp_path / "auth") == f"{tmp_path / 'auth'}: cannot be read: No such file or directory"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, WASM)
    os.close(writing)
    assert find(f"/dev/fd/{reading}").wasm == WASM
    os.close(reading)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_packed_module_is_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert find(str(written(tmp_path / "auth.wasm.gz", pack(WASM)))).wasm == WASM


# file:// addresses.


def test_a_relative_address_starts_beside_its_configuration(tmp_path: Path) -> None:
    written(tmp_path / "auth.wasm", WASM)
    for url in ("file://auth.wasm", "file://./auth.wasm", "file:auth.wasm"):
        assert fetch(url, beside=tmp_path).wasm == WASM


def test_an_absolute_address_is_a_path(tmp_path: Path) -> None:
    path = written(tmp_path / "auth.wasm", WASM)
    assert fetch(f"file://{path}").wasm == find(f"file://{path}").wasm == WASM
    assert fetch(f"file://localhost{path}").wasm == WASM


def test_an_address_is_taken_as_it_stands_before_it_is_decoded(tmp_path: Path) -> None:
    written(tmp_path / "a b.wasm", WASM)
    assert fetch("file://a%20b.wasm", beside=tmp_path).wasm == WASM
    written(tmp_path / "a%20b.wasm", WASM + b"\0\1\0")
    assert fetch("file://a%20b.wasm", beside=tmp_path).wasm == WASM + b"\0\1\0"


def test_a_path_in_the_pod_is_explained(tmp_path: Path) -> None:
    near = written(tmp_path / "auth.wasm", WASM)
    with pytest.raises(InputError) as error:
        fetch("file:///opt/filters/auth.wasm", beside=tmp_path)
    assert str(error.value) == (
        "file:///opt/filters/auth.wasm: /opt/filters/auth.wasm is not there. In a cluster that is a path in the "
        f"proxy's pod; name the built file here by --module FILE.wasm, such as {near}"
    )


def test_a_file_with_another_digest_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "auth.wasm", WASM)
    told: list[str] = []
    assert fetch(f"file://{path}", sha256="0" * 64, told=told.append).wasm == WASM
    assert told == [
        f"file://{path}: its sha256 is {sha256(WASM).hexdigest()}, not {'0' * 64}; for a file Istio does not look"
    ]


def test_a_digest_has_64_digits() -> None:
    with pytest.raises(InputError, match=r"file://x: its sha256 is not 64 hexadecimal digits: 12ab$"):
        fetch("file://x", sha256="12ab")


def test_other_schemes_are_named() -> None:
    with pytest.raises(
        InputError, match="ftp://x/y: a module is at an address that begins with file://, oci://"
    ):
        fetch("ftp://x/y")


# Images in folders and archives.


def test_a_layout_is_a_folder(tmp_path: Path) -> None:
    folder = plugin_image(tmp_path / "auth")
    found = find(str(folder))
    manifest = json.loads((folder / "index.json").read_bytes())["manifests"][0]["digest"]
    assert (found.wasm, found.digest, found.name) == (WASM, manifest[7:], "auth")


def test_a_layout_is_an_archive(tmp_path: Path) -> None:
    data = images.archive(plugin_image(tmp_path / "layout"))
    assert find(str(written(tmp_path / "auth.tar", data))).wasm == WASM
    assert find(str(written(tmp_path / "auth.tar.gz", gzip.compress(data)))).wasm == WASM
    assert (
        find(str(written(tmp_path / "auth.tar.zst", zstandard.ZstdCompressor().compress(data)))).wasm == WASM
    )


def test_docker_save_of_old_is_an_archive(tmp_path: Path) -> None:
    assert find(str(written(tmp_path / "auth.tar", saved()))).wasm == WASM
    assert find(str(written(tmp_path / "auth.tgz", gzip.compress(saved())))).wasm == WASM


def test_docker_save_of_today_has_a_layout_with_plain_layers(tmp_path: Path) -> None:
    folder = with_layer(tmp_path / "x", tar(("plugin.wasm", WASM)), "application/vnd.oci.image.layer.v1.tar")
    (folder / "manifest.json").write_text('[{"Config": "blobs/sha256/0", "Layers": ["blobs/sha256/1"]}]')
    assert find(str(written(tmp_path / "auth.tar", images.archive(folder)))).wasm == WASM


def test_an_artifact_has_the_module_as_a_layer(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    image = layout.image((WASM, WASM_LAYER), (b"{}", images.WASM_CONFIG), config=images.WASM_CONFIG)
    assert find(str(layout.write(image))).wasm == WASM


def test_a_layer_of_an_unusual_type_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    """As `oras push` writes one, whatever it holds."""
    assert find(str(with_layer(tmp_path / "x", WASM, "application/vnd.oci.image.layer.v1.tar"))).wasm == WASM


@pytest.mark.parametrize("name", ["plugin.wasm", "./plugin.wasm", "/plugin.wasm", "opt/filters/plugin.wasm"])
def test_plugin_wasm_may_be_anywhere_in_the_layer(tmp_path: Path, name: str) -> None:
    assert find(str(with_layer(tmp_path / "x", layer(name=name)))).wasm == WASM


def test_a_layer_may_be_packed_by_zstd(tmp_path: Path) -> None:
    data = zstandard.ZstdCompressor().compress(tar(("plugin.wasm", WASM)))
    assert (
        find(str(with_layer(tmp_path / "x", data, "application/vnd.oci.image.layer.v1.tar+zstd"))).wasm
        == WASM
    )


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_form_of_tar_has_long_names(tmp_path: Path, form: int) -> None:
    name = "/".join(["a" * 60] * (2 if form == tarfile.USTAR_FORMAT else 5)) + "/plugin.wasm"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(WASM)
        archive.addfile(tarfile.TarInfo("ü" * 120 if form != tarfile.USTAR_FORMAT else "first"))
        archive.addfile(member, io.BytesIO(WASM))
    assert find(str(with_layer(tmp_path / "x", gzip.compress(out.getvalue())))).wasm == WASM


# Several images.


def test_of_several_platforms_istio_takes_linux_on_amd64(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    wasi = layout.image((layer(b"\0asm\1\0\0\0"), OCI_LAYER), platform={"os": "wasi", "architecture": "wasm"})
    linux = layout.image((layer(), OCI_LAYER), platform={"os": "linux", "architecture": "amd64"})
    assert find(str(layout.write(wasi, linux))).wasm == WASM


def test_otherwise_it_is_the_one_for_webassembly(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    arm = layout.image(
        (layer(b"\0asm\1\0\0\0"), OCI_LAYER), platform={"os": "linux", "architecture": "arm64"}
    )
    wasi = layout.image((layer(), OCI_LAYER), platform={"os": "wasi", "architecture": "wasm"})
    assert find(str(layout.write(arm, wasi))).wasm == WASM


def test_an_index_may_be_in_an_index_and_attestations_are_passed_over(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    image = layout.image((layer(), OCI_LAYER), platform={"os": "linux", "architecture": "amd64"})
    proof = layout.image(
        (b"{}", "application/vnd.in-toto+json"),
        annotations={"vnd.docker.reference.type": "attestation-manifest"},
    )
    inner = layout.put_json({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [proof, image]})
    assert find(str(layout.write(inner))).wasm == WASM


def test_several_images_without_a_difference_are_listed(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    both = [
        layout.image((layer(wasm), OCI_LAYER), annotations={"org.opencontainers.image.ref.name": name})
        for name, wasm in (("v1", WASM), ("v2", WASM[:8]))
    ]
    text = refused(layout.write(*both))
    assert "has 2 images, and it is not clear which is meant (v1 sha256:" in text and ", v2 sha256:" in text


def test_an_archive_of_several_images_is_no_plugin(tmp_path: Path) -> None:
    path = written(tmp_path / "x.tar", saved(images=2))
    assert refused(path) == f"{path}: has 2 images (team/auth:v1, team/auth:v1): save the plugin's alone"


def test_indexes_within_indexes_come_to_an_end(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    found = layout.image((layer(), OCI_LAYER))
    for _ in range(5):
        found = layout.put_json({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [found]})
    assert "indexes within indexes" in refused(layout.write(found))


# What is no plugin.


def test_a_program_has_no_plugin_in_it(tmp_path: Path) -> None:
    path = with_layer(tmp_path / "x", gzip.compress(tar(("bin/sh", b"#!"), ("etc/passwd", b"root"))))
    assert refused(path) == (
        f"{path}, its last layer of 1: has no plugin.wasm, and Istio looks nowhere else; in it is bin/sh, etc/passwd. "
        "An image of a plugin is built `FROM scratch` with `ADD built.wasm plugin.wasm`"
    )


def test_a_module_of_another_name_is_shown(tmp_path: Path) -> None:
    files = [(f"f{number}", b"") for number in range(20)]
    path = with_layer(tmp_path / "x", gzip.compress(tar(*files, ("out/filter.wasm", WASM))))
    assert "; in it is out/filter.wasm. An image" in refused(path)


def test_a_plugin_that_is_no_module_is_told(tmp_path: Path) -> None:
    path = with_layer(tmp_path / "x", layer(b"#!/bin/sh"))
    assert refused(path).startswith(f"{path}: not a Wasm module: it is text (starts with '#!/bin/sh')")


def test_other_artifacts_are_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    chart = "application/vnd.cncf.helm.config.v1+json"
    image = layout.image((gzip.compress(tar(("chart/Chart.yaml", b""))), OCI_LAYER), config=chart)
    assert f"its last layer of 1 ({chart}): has no plugin.wasm" in refused(layout.write(image))


def test_a_folder_that_is_no_image_says_what_would_be_one(tmp_path: Path) -> None:
    assert refused(tmp_path).startswith(
        f"{tmp_path}: is no image: it has neither index.json nor manifest.json"
    )


def test_an_image_without_layers_is_told(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    assert refused(layout.write(layout.image())).endswith("is an image without layers")


def test_the_first_form_of_manifests_is_told(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "x")
    old = layout.put_json(
        {"schemaVersion": 1, "mediaType": "application/vnd.docker.distribution.manifest.v1+json"}
    )
    assert "has a manifest of Docker's first form" in refused(layout.write(old))


def test_what_is_packed_and_neither_module_nor_image_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "x.gz", gzip.compress(b'{"log": {}}' * 100))
    assert refused(path) == f"{path}: is packed by gzip, and what is in it is neither a module nor an image"


# Digests.


def test_a_blob_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = plugin_image(tmp_path / "x")
    name = images.digest(layer())
    blob = folder / "blobs" / name.replace(":", "/")
    blob.write_bytes(blob.read_bytes()[:-1] + b"\1")
    assert "what is there has the digest sha256:" in refused(folder) and f", not {name}" in refused(folder)


def test_a_blob_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = plugin_image(tmp_path / "x")
    name = images.digest(layer())
    (folder / "blobs" / name.replace(":", "/")).write_bytes(layer() + b"more")
    assert f"{name} has {len(layer()) + 4:,} bytes, not {len(layer()):,} as announced" in refused(folder)


def test_a_blob_that_is_not_there_is_told(tmp_path: Path) -> None:
    folder = plugin_image(tmp_path / "x")
    (folder / "blobs" / images.digest(layer()).replace(":", "/")).unlink()
    assert refused(folder).endswith("is not in it; was it copied as a whole?")


def test_a_saved_layer_that_was_changed_is_refused(tmp_path: Path) -> None:
    other = WASM[:-1] + bytes([WASM[-1] ^ 1])
    path = written(tmp_path / "x.tar", saved().replace(WASM, other))
    assert "its last layer has the digest sha256:" in refused(path)


def test_a_saved_configuration_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.tar", saved().replace(b'"type": "layers"', b'"type": "leyers"'))
    assert "not that of its name" in refused(path)


@pytest.mark.parametrize(
    "name", ["sha256:../../../../etc/passwd", "sha256:12", "md5:" + "0" * 64, "/etc/passwd"]
)
def test_a_digest_is_no_path(tmp_path: Path, name: str) -> None:
    layout = Layout(tmp_path / "x")
    assert "is no digest" in refused(
        layout.write({"mediaType": images.OCI_MANIFEST, "digest": name, "size": 1})
    )
