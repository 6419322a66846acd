"""Images that were made to do harm: paths that leave, links, bombs, endless archives, broken JSON."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import images
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from images import OCI_INDEX, OCI_MANIFEST, WASM, archive, digest, layer, plugin_image, saved, tar, with_layer

from simwasm.errors import InputError
from simwasm.modules import tar as tars
from simwasm.modules.archive import Layout
from simwasm.modules.download import unboxed
from simwasm.modules.find import find
from simwasm.modules.image import module_in, module_of
from simwasm.modules.manifest import Descriptor, choose, read_json


def refused(path: Path) -> str:
    """What a user is told about an image that cannot be used."""
    with pytest.raises(InputError) as error:
        find(str(path))
    return str(error.value)


@pytest.mark.parametrize("name", ["../plugin.wasm", "a/../../plugin.wasm", "/../plugin.wasm"])
def test_a_path_that_leaves_is_refused(tmp_path: Path, name: str) -> None:
    text = refused(with_layer(tmp_path / "x", layer(name=name)))
    assert text.endswith(f"its plugin.wasm wants to be at {name}, outside of the image")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (b"S", "a file with holes"),
    ],
)
def test_only_a_file_is_a_plugin(tmp_path: Path, kind: bytes, words: str) -> None:
    data = tar(("plugin.wasm", b""), type=kind, linkname="/etc/passwd")
    text = refused(with_layer(tmp_path / "x", gzip.compress(data)))
    assert text.endswith(f"its plugin.wasm is {words}; Istio looks for a file")


def test_a_plugin_that_is_deleted_again_is_none(tmp_path: Path) -> None:
    text = refused(with_layer(tmp_path / "x", gzip.compress(tar((".wh.plugin.wasm", b"")))))
    assert "has no plugin.wasm" in text


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_bomb_is_refused_and_costs_no_memory(
    tmp_path: Path, pack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered, since a gigabyte of zeros takes seconds."""
    most = 8 << 20
    monkeypatch.setattr("simwasm.modules.unpacking.Unpacked.__init__.__defaults__", (most,))
    member = tarfile.TarInfo("zeros")
    member.size = 4 * most
    if pack == "gzip":
        packer = zlib.compressobj(1, wbits=31)
        data = packer.compress(member.tobuf()) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(32))
        data += packer.flush()
    else:
        frames = zstandard.ZstdCompressor().compressobj()
        data = frames.compress(member.tobuf()) + b"".join(frames.compress(bytes(1 << 20)) for _ in range(32))
        data += frames.flush()
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"^here: unpacks to more than 8 MiB"):
            module_in(data, "here")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_module_larger_than_istio_takes_is_refused() -> None:
    member = tarfile.TarInfo("plugin.wasm")
    member.size = (256 << 20) + 1
    with pytest.raises(InputError, match=r"plugin\.wasm has 268,435,457 bytes; 268,435,456 are the most"):
        module_in(gzip.compress(member.tobuf()), "here")


def test_a_layer_larger_than_istio_takes_is_not_read(tmp_path: Path) -> None:
    layout = images.Layout(tmp_path / "x")
    big = layout.put(b"", "application/vnd.oci.image.layer.v1.tar+gzip") | {"size": 1 << 40}
    image = layout.put_json({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [big]})
    assert refused(layout.write(image)).endswith("its layer has 1048576 MiB; 256 are the most")


def test_endless_members_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MOST_MEMBERS", 50)
    with pytest.raises(InputError, match="has more than 50 members"):
        module_in(gzip.compress(tarfile.TarInfo("x").tobuf() * 51), "here")


def test_a_name_of_gigabytes_is_not_read() -> None:
    for kind in (b"x", b"g", b"L", b"K"):
        member = tarfile.TarInfo("x")
        member.type, member.size = kind, 1 << 32
        with pytest.raises(InputError, match=r"describes a member in 4,294,967,296 bytes"):
            module_in(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)), "here")


def test_long_names_are_not_kept() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as it:
        for _ in range(20):
            it.addfile(tarfile.TarInfo("x" * 500_000))
    data = gzip.compress(out.getvalue(), 1)
    with pytest.raises(InputError) as error:
        module_in(data, "here")
    assert len(str(error.value)) < 1000


def test_what_describes_all_members_is_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x", "path": "y"}
    ) as it:
        member = tarfile.TarInfo("plugin.wasm")
        member.size = len(WASM)
        it.addfile(member, io.BytesIO(WASM))
    assert module_in(out.getvalue(), "here") == WASM


@pytest.mark.parametrize("size", [b"-0000000001\0", b"\xff" * 12, b"99999999999\0", b"not a size!\0"])
def test_a_size_that_is_none_is_damage(size: bytes) -> None:
    header = bytearray(tarfile.TarInfo("plugin.wasm").tobuf())
    header[124:136] = size
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)
    with pytest.raises(InputError, match="here"):
        module_in(bytes(header), "here")


@pytest.mark.parametrize("keep", [100, 512, 700, 1500])
def test_a_cut_archive_is_told(keep: int) -> None:
    data = tar(("first", b"1" * 600), ("plugin.wasm", WASM))
    with pytest.raises(InputError, match=r"^here"):
        module_in(gzip.compress(data[:keep]), "here")


def test_a_cut_stream_is_told() -> None:
    with pytest.raises(InputError, match=r"^here: is damaged, or cut"):
        module_in(layer()[:300], "here")


def test_boxes_in_boxes_come_to_an_end() -> None:
    data = WASM
    for _ in range(10):
        data = gzip.compress(data)
    assert not unboxed(data, "here").startswith(b"\0asm")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"nul",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"size": ' + b"9" * 100_000 + b"}",
        b"1",
    ],
)
def test_json_that_is_none_is_an_error(text: bytes) -> None:
    with pytest.raises(InputError, match=r"^here: is not"):
        read_json(text, "here")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["schemaVersion", "mediaType", "manifests", "layers", "config", "digest", "size", "platform", "annotations"]
    ), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
@settings(max_examples=50)
def test_no_manifest_makes_a_traceback(content: object) -> None:
    data = json.dumps(content).encode()
    index = {"manifests": [{"digest": digest(data), "size": len(data)}]}
    for first in (data, json.dumps(index).encode()):
        blobs = {"index.json": first, f"blobs/{digest(data).replace(':', '/')}": data}
        layout = Layout("here", lambda name, most, blobs=blobs: blobs.get(name))  # type: ignore[misc]  # a default
        with pytest.raises(InputError):
            module_of(layout, choose(layout, first, Descriptor("", -1, OCI_INDEX), print), print)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, ...]:
    return (
        archive(plugin_image(tmp_path_factory.mktemp("y") / "x")),
        saved(),
        tar(("plugin.wasm", WASM)),
        layer(),
    )


@given(data=st.data())
@settings(max_examples=60)
def test_no_damage_makes_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, archives: tuple[bytes, ...], data: st.DataObject
) -> None:
    """Whatever is changed in an archive, there is a module that is as it was, or an error."""
    damaged = bytearray(data.draw(st.sampled_from(archives)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / "damaged.tar"
    path.write_bytes(damaged)
    try:
        find(str(path))
    except InputError as error:
        assert str(path) in str(error)
