"""`simwasm convert`: recorded traffic of one format written in another."""

from __future__ import annotations

import gzip
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zstandard
from process import ROOT, Run

from simwasm.cli import main
from simwasm.conversation import client, conversation
from simwasm.exchange import Exchange, request, response
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.jsonl import write

TRAFFIC = "traces/traffic/allow_header.har"
TALK = conversation("9", [client(b"PING")])


def _lines(path: Path, *exchanges: Exchange) -> Path:
    with path.open("wb") as stream:
        write(exchanges, stream)
    return path


def test_what_is_read_is_what_was_converted(simwasm: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = simwasm("convert", TRAFFIC, "-o", str(out))
    assert (done.returncode, done.stdout) == (0, "")
    assert list(read_traffic(out)) == list(read_traffic(ROOT / TRAFFIC))
    assert done.stderr == f"simwasm: 5 exchanges read, written to {out} as simwasm JSON Lines (.jsonl)\n"


def test_standard_output_needs_the_name_of_a_format(simwasm: Run) -> None:
    done = simwasm("convert", TRAFFIC)
    assert (done.returncode, done.stdout) == (2, "")
    assert "say it by --to" in done.stderr
    assert simwasm("convert", TRAFFIC, "--to", "jsonl").stdout.startswith('{"simwasm": "traffic"')


def test_standard_input_is_read(simwasm: Run) -> None:
    done = simwasm("convert", "-", "--to", "jsonl", stdin=(ROOT / TRAFFIC).read_text())
    assert done.stdout == simwasm("convert", TRAFFIC, "--to", "jsonl").stdout


def test_several_files_become_one_and_a_limit_ends_it(simwasm: Run) -> None:
    done = simwasm("convert", TRAFFIC, TRAFFIC, "--to", "jsonl", "--limit", "3")
    assert len(done.stdout.splitlines()) == 1 + 3


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_the_output_is_packed_as_it_is_called(simwasm: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.jsonl{suffix}"
    assert simwasm("convert", TRAFFIC, "-o", str(out)).returncode == 0
    with out.open("rb") as file:
        plain = gzip.GzipFile(fileobj=file) if suffix == ".gz" else zstandard.open(file)
        assert len(plain.read().splitlines()) == 1 + 5


def test_a_conversion_that_fails_leaves_the_file_as_it_was(simwasm: Run, tmp_path: Path) -> None:
    out, bad = tmp_path / "out.jsonl", tmp_path / "bad"
    out.write_text("before")
    bad.write_bytes(b"\x89PNG")
    done = simwasm("convert", TRAFFIC, str(bad), "-o", str(out))
    assert done.returncode == 2
    assert out.read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["bad", "out.jsonl"]


def test_what_is_read_is_not_written_over(simwasm: Run, tmp_path: Path) -> None:
    path = _lines(tmp_path / "day.jsonl", Exchange("1", 0, request("GET", "/"), response(200)))
    before = path.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(path)
    done = simwasm("convert", str(path), "-o", str(tmp_path / "link.jsonl"))
    assert done.returncode == 2
    assert "is read here, and would be written over; name another file" in done.stderr
    assert path.read_bytes() == before


def test_a_link_stays_a_link_and_a_file_keeps_its_rights(simwasm: Run, tmp_path: Path) -> None:
    path, link = tmp_path / "day.jsonl", tmp_path / "link.jsonl"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    assert simwasm("convert", TRAFFIC, "-o", str(link)).returncode == 0
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "what is to be converted? name a file"),
        ([TRAFFIC, "-o", "/"], "/: is a folder; name a file"),
        (
            [TRAFFIC, "-o", "/no/such/x", "--to", "jsonl"],
            "/no/such/x: cannot be written: No such file or directory",
        ),
        ([TRAFFIC, "--to", "jsonl", "--limit", "-1"], "--limit: -1 is no number of exchanges"),
    ],
)
def test_wrong_words_are_told(simwasm: Run, words: list[str], message: str) -> None:
    to = ["--to", "jsonl"] if "-o" in words and "--to" not in words else []
    done = simwasm("convert", *words, *to)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_filter_chooses_and_a_limit_counts_what_it_chose(simwasm: Run) -> None:
    done = simwasm("convert", TRAFFIC, "--to", "jsonl", "--filter", "method:POST")
    assert 1 < len(done.stdout.splitlines()) < 1 + 5
    done = simwasm("convert", TRAFFIC, "--to", "jsonl", "--filter", "nonsense:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("simwasm: --filter: unknown term `nonsense`")


def test_a_conversion_that_is_told_to_end_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simwasm", "convert", "-", "-o", str(tmp_path / "a.har")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        for _ in range(300):
            if any(tmp_path.iterdir()):
                break
            time.sleep(0.02)
        process.terminate()
        assert process.wait() == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_told(simwasm: Run) -> None:
    done = simwasm("convert", TRAFFIC, "-o", "/dev/full", "--to", "jsonl")
    assert done.returncode == 2
    assert done.stderr.endswith("simwasm: /dev/full: cannot be written: No space left on device\n")


def test_standard_input_that_is_closed_is_told() -> None:
    command = f"exec {shlex.quote(sys.executable)} -m simwasm convert - --to jsonl <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "simwasm: -: whoever started this has closed standard input; name a file\n"


def test_names_may_stand_on_both_sides_of_options(simwasm: Run) -> None:
    done = simwasm("convert", TRAFFIC, "--to", "jsonl", TRAFFIC, "--limit", "100")
    alone = simwasm("convert", TRAFFIC, "--to", "jsonl")
    assert len(done.stdout.splitlines()) == 2 * len(alone.stdout.splitlines()) - 1


def test_a_word_that_is_no_option_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["convert", TRAFFIC, "--to", "jsonl", "--nonsense"])
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


def test_a_pipe_is_written_to_by_its_name(simwasm: Run) -> None:
    done = simwasm("convert", "-", "-o", "/dev/stdout", "--to", "jsonl", stdin=(ROOT / TRAFFIC).read_text())
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 6)


def test_standard_input_is_not_written_over(tmp_path: Path) -> None:
    path = _lines(tmp_path / "day.jsonl", Exchange("1", 0, request("GET", "/"), response(200)))
    before = path.read_bytes()
    command = [sys.executable, "-m", "simwasm", "convert", "-", "-o", str(path)]
    with path.open("rb") as stdin:
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False)
    assert done.stderr.endswith("is read here, and would be written over; name another file\n")
    assert path.read_bytes() == before


def test_an_input_of_a_folder_is_not_written_over(simwasm: Run, tmp_path: Path) -> None:
    path = _lines(tmp_path / "day.jsonl", Exchange("1", 0, request("GET", "/"), response(200)))
    before = path.read_bytes()
    assert "would be written over" in simwasm("convert", str(tmp_path), "-o", str(path)).stderr
    assert path.read_bytes() == before


def test_the_formats_are_listed(simwasm: Run) -> None:
    done = simwasm("convert", "--formats")
    assert "  HAR (.har)\n" in done.stdout
    assert "  jsonl simwasm " in done.stdout
    assert done.stdout == simwasm("convert", "--to", "help").stdout


def test_notes_without_end_are_counted(simwasm: Run, tmp_path: Path) -> None:
    entry = '{"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 0}}'
    har = tmp_path / "x.har"
    har.write_text(f'{{"log": {{"entries": [{", ".join([entry] * 30)}]}}}}')
    done = simwasm("convert", str(har), "--to", "jsonl", "--strict")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 20 + 2
    assert (
        "0 exchanges read, written as simwasm JSON Lines (.jsonl); 30 notes on what was left out"
        in done.stderr
    )


def test_nothing_lost_is_strictly_well(simwasm: Run) -> None:
    assert simwasm("convert", TRAFFIC, "--to", "jsonl", "--strict").returncode == 0
