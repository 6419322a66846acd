"""Files, folders, patterns, standard input and other storage are gone through as a user expects; packed ones too."""

from __future__ import annotations

import gzip
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange, request
from simwasm.traffic.importer import read_all, read_source
from simwasm.traffic.jsonl import write
from simwasm.traffic.notes import Notes, telling
from simwasm.traffic.opening import sources

Pack = Callable[[bytes], bytes]


def recording(*ids: str) -> bytes:
    stream = io.BytesIO()
    write([Exchange(each, 0, request("GET", "/")) for each in ids], stream)
    return stream.getvalue()


def put(path: Path, *ids: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(recording(*ids))
    return path


def read(*names: object, notes: list[str] | None = None) -> list[str]:
    heard: list[str] = [] if notes is None else notes
    return [exchange.id for exchange in read_all(map(str, names), telling(heard.append))]


def opened(data: bytes, tmp_path: Path) -> bytes:
    path = tmp_path / "packed"
    path.write_bytes(data)
    (source,) = sources([str(path)])
    with source.open() as stream:
        return stream.read()


# What names bring.


def test_a_folder_is_read_with_all_below_it_in_sorted_order(tmp_path: Path) -> None:
    put(tmp_path / "b.jsonl", "2")
    put(tmp_path / "a.jsonl", "1")
    put(tmp_path / "below" / "c.jsonl", "3")
    put(tmp_path / ".hidden.jsonl", "no")
    put(tmp_path / ".git" / "d.jsonl", "no")
    assert read(tmp_path) == ["1", "2", "3"]


def test_what_is_no_traffic_in_a_folder_is_left_out_and_told(tmp_path: Path) -> None:
    put(tmp_path / "a.jsonl", "1")
    other = tmp_path / "README"
    other.write_text("ours")
    notes: list[str] = []
    assert read(tmp_path, notes=notes) == ["1"]
    assert notes == [f"{other}: is of no format known here; left out"]


def test_much_that_is_no_traffic_is_counted_in_one_line(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number} a.md").write_text("ours")
    put(tmp_path / "a.jsonl", "1")
    notes: list[str] = []
    assert read(tmp_path, notes=notes) == ["1"]
    (note,) = notes
    assert note.startswith(
        f"{tmp_path}: 7 files are no traffic, left out: {tmp_path}/0 a.md is of no format "
    )
    assert note.endswith("; and 2 more")


def test_a_folder_without_any_traffic_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("ours")
    with pytest.raises(
        TrafficError, match=r"holds no traffic: .*a.md is of no format known here; is the path right\?"
    ):
        read(tmp_path)


def test_files_of_a_tap_come_as_they_were_written(tmp_path: Path) -> None:
    for written, name in enumerate(["tap_9999999999999", "tap_1000000000000", "tap_5555555555555"], 1):
        os.utime(put(tmp_path / f"{name}.json", str(written)), (written, written))
    put(tmp_path / "tap_10.json", "connection 10")
    put(tmp_path / "tap_9.json", "connection 9")
    assert read(tmp_path) == ["connection 9", "connection 10", "1", "2", "3"]


def test_links_are_not_passed_over_without_a_word(tmp_path: Path) -> None:
    put(tmp_path / "a.jsonl", "1")
    (tmp_path / "b").symlink_to(tmp_path)
    (tmp_path / "c.har").symlink_to(tmp_path / "nothing")
    notes: list[str] = []
    assert read(tmp_path, notes=notes) == ["1"]
    assert notes == [
        f"{tmp_path}/c.har: is a link that leads nowhere; left out",
        f"{tmp_path}/b: is a link to a folder, and not followed; name it to have it read; left out",
    ]


def test_a_broken_file_of_a_folder_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    broken = tmp_path / "a.har"
    broken.write_text('{"log": {"entries": ')
    put(tmp_path / "b.jsonl", "1")
    notes: list[str] = []
    assert read(tmp_path, notes=notes) == ["1"]
    assert notes[0].startswith(f"{broken}: is cut at line 1, column 21, after 20 bytes")


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "a.jsonl", "1")
    os.mkfifo(tmp_path / "b")
    assert read(tmp_path) == ["1"]


def test_a_pattern_brings_the_files_that_fit_it(tmp_path: Path) -> None:
    put(tmp_path / "b.jsonl", "2")
    put(tmp_path / "deep" / "er" / "a.jsonl", "1")
    put(tmp_path / "c.txt", "no")
    assert read(f"{tmp_path}/**/*.jsonl") == ["2", "1"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    assert read(put(tmp_path / "a[1].jsonl", "1")) == ["1"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("*.har", "fits no file"),
        ("nothing", "is a folder without files"),
        ("a.har", "No such file or directory"),
    ],
)
def test_a_name_that_brings_nothing_is_an_error(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(TrafficError, match=what):
        read(f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (("a.jsonl", "a.jsonl"), ["1", "1"]),
        (("", "a.jsonl"), ["1", "2"]),
        (("b.jsonl", ""), ["2", "1"]),
        (("*.jsonl", "./a.jsonl", ""), ["1", "2"]),
    ],
)
def test_only_a_name_that_is_typed_twice_is_read_twice(
    tmp_path: Path, names: tuple[str, ...], ids: list[str]
) -> None:
    put(tmp_path / "a.jsonl", "1")
    put(tmp_path / "b.jsonl", "2")
    assert read(*(f"{tmp_path}/{name}" for name in names)) == ids


def test_what_is_read_once_though_it_is_named_twice_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", "1")
    notes: list[str] = []
    read(tmp_path, path, notes=notes)
    assert notes == [f"{path}: is named more than once; read once"]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(recording("1")))))
    assert read("-") == ["1"]
    assert not sys.stdin.buffer.closed


def test_a_pipe_that_tells_little_at_a_time_is_recognised() -> None:
    receiving, sending = os.pipe()
    data = recording("1")
    with open(sending, "wb", buffering=0) as file:
        file.write(data[:3])
        file.write(data[3:])
    assert read(f"/dev/fd/{receiving}") == ["1"]
    os.close(receiving)


def test_other_storage_is_read_by_address_folder_and_pattern() -> None:
    storage = pytest.importorskip("fsspec").filesystem("memory")
    storage.pipe("/day/a.jsonl", recording("1"))
    storage.pipe("/day/b.jsonl.gz", gzip.compress(recording("2")))
    assert read("memory://day/a.jsonl") == ["1"]
    assert read("memory://day") == ["1", "2"]
    assert read("memory://day/*.gz") == ["2"]
    storage.rm("/day", recursive=True)


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("memory://nowhere/a.jsonl", "is not there; is the address right"),
        ("klingon://a", "cannot be read: Protocol not known"),
    ],
)
def test_an_address_that_brings_nothing_is_an_error(address: str, what: str) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(TrafficError, match=f"^{address}: {what}"):
        read(address)


def test_a_source_knows_its_size_and_how_much_of_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(recording("1")))
    (source,) = sources([str(path)])
    assert (source.size, source.position()) == (path.stat().st_size, 0)
    assert len(list(read_source(source))) == 1
    assert source.position() == source.size


# What is packed.

CONTENT = bytes(range(256)) * 4000
PACKED = {
    "plain": CONTENT,
    "gzip": gzip.compress(CONTENT),
    "gzip of several members": gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:]),
    "gzip filled up with zeros": gzip.compress(CONTENT) + bytes(1000),
    "zstd": zstandard.compress(CONTENT),
    "zstd of several frames": zstandard.compress(CONTENT[:999]) + zstandard.compress(CONTENT[999:]),
    "zstd with a frame to skip": b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zstandard.compress(CONTENT),
    "zstd without a size": zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(CONTENT),
    "zstd in gzip": gzip.compress(zstandard.compress(CONTENT)),
    "with a byte order mark": b"\xef\xbb\xbf" + CONTENT,
    "a mark within": gzip.compress(b"\xef\xbb\xbf" + CONTENT),
}  # fmt: skip


@pytest.mark.parametrize("data", PACKED.values(), ids=list(PACKED))
def test_what_is_packed_is_unpacked_by_its_content(data: bytes, tmp_path: Path) -> None:
    assert opened(data, tmp_path) == CONTENT


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_that_is_cut_gives_what_was_before_and_tells_where(pack: Pack, tmp_path: Path) -> None:
    data = pack(recording(*map(str, range(40))) + os.urandom(300_000).hex().encode() + b"\n")[:-30_000]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data)
    notes: list[str] = []
    assert read(path, notes=notes) == [str(number) for number in range(40)]
    assert f"data is cut near byte {len(data)} of the file; what came before was read" in notes[-1]


DAMAGED = {
    "gzip: cut at once": (gzip.compress(CONTENT)[:12], "the gzip data is cut near byte 12"),
    "gzip: damaged": (gzip.compress(CONTENT)[:40] + b"\xff" * 40, "the gzip data is damaged: Error -3"),
    "zstd: cut at once": (zstandard.compress(CONTENT)[:5], "the zstd data is cut near byte 5"),
    "zstd: damaged": (zstandard.compress(CONTENT)[:9] + b"\xff" * 90, "the zstd data is damaged: no block"),
}


@pytest.mark.parametrize(("data", "what"), DAMAGED.values(), ids=list(DAMAGED))
def test_damaged_data_of_which_nothing_can_be_read_is_an_error(
    data: bytes, what: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(data)
    with pytest.raises(TrafficError, match=f"a.gz: {what}"):
        read(path)


def test_what_is_packed_three_times_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(gzip.compress(gzip.compress(recording("1")))))
    with pytest.raises(TrafficError, match="is packed more than twice: unpack it first"):
        read(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_is_unpacked_piece_by_piece(pack: Pack, tmp_path: Path) -> None:
    """64 MB of zeros are a few kilobytes; of them no more is unpacked than somebody reads."""
    path = tmp_path / "bomb"
    path.write_bytes(pack(bytes(1 << 26)))
    (source,) = sources([str(path)])
    with source.open() as stream:
        stream.read(1 << 16)
        largest = max(len(piece) for piece in iter(lambda: stream.read1(1 << 26), b""))
    assert largest <= 1 << 18


def test_a_default_reader_fails_where_something_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(recording("1") + b"{\n")
    with pytest.raises(TrafficError, match="line 3"):
        list(read_all([str(path)], Notes()))
