"""`simwasm diff` tells what is not the same in two runs, and says so by its exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest
from cases import ROOT
from process import Run

from simwasm.cli import main
from simwasm.errors import TraceError
from simwasm.trace.compare import compare

GOLDEN = ROOT / "traces/golden"
ALLOW = GOLDEN / "allow_header/browser.jsonl"


@pytest.fixture
def simwasm(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run simwasm in this process, which starts sooner."""

    def run(*args: str, **_: object) -> CompletedProcess[str]:
        capfd.readouterr()
        status = main(args)
        return CompletedProcess(args, status, *capfd.readouterr())

    return run


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., str]:
    """A golden in which texts were replaced."""

    def make(*changes: tuple[str, str], of: Path = ALLOW) -> str:
        text = of.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "changed.jsonl"
        path.write_text(text)
        return str(path)

    return make


def test_a_trace_is_the_same_as_itself(simwasm: Run) -> None:
    ended = simwasm("diff", str(ALLOW), str(ALLOW))
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "the same: 5 exchanges, 114 rows"


def test_what_differs_does_so_without_a_reader(changed: Callable[..., str]) -> None:
    other = changed(('"status_code": 403', '"status_code": 404'))
    words = f"set -o pipefail; {sys.executable} -m simwasm diff {ALLOW} {other} --json | true"
    assert run(["bash", "-c", words], timeout=60).returncode == 1


def test_the_first_difference_is_a_sentence(simwasm: Run, changed: Callable[..., str]) -> None:
    ended = simwasm("diff", str(ALLOW), changed(('"status_code": 403', '"status_code": 404')))
    assert ended.returncode == 1
    assert (
        "first difference: row 15, in proxy_on_request_headers of exchange 1 (GET /status/418): "
        "proxy_send_local_response was called otherwise: status_code: 403 -> 404\n"
    ) in ended.stdout


def test_an_answer_is_told_with_the_one_before(simwasm: Run, changed: Callable[..., str]) -> None:
    ended = simwasm(
        "diff", changed(('"result": "NOT_FOUND"', '"result": "OK", "gives": {"value": "true"}')), str(ALLOW)
    )
    assert (
        'proxy_get_header_map_value(key: "allow") answered NOT_FOUND (there is no header `allow`), and OK "true"'
        in ended.stdout
    )


def test_the_callback_of_the_first_difference_is_shown(simwasm: Run, changed: Callable[..., str]) -> None:
    lines = simwasm(
        "diff", str(ALLOW), changed(('"status_code": 403', '"status_code": 404'))
    ).stdout.splitlines()
    at = lines.index("@@ row 11 | row 11 · proxy_on_request_headers, context 2 @@")
    assert lines[at + 1].startswith("  → proxy_on_request_headers(")
    assert lines[at + 5].startswith("~     proxy_send_local_response(status_code: 404")
    assert lines[at + 6].strip() == "status_code: 403 -> 404"


def test_outcomes_that_differ_are_told(simwasm: Run, changed: Callable[..., str]) -> None:
    ended = simwasm("diff", str(ALLOW), changed(('"status": 418', '"status": 200'), ("teapot", "coffee")))
    assert ended.returncode == 1
    assert "exchange 2 (GET /status/418) ended otherwise\n    status: 418 -> 200\n" in ended.stdout
    assert "    the response's body: " in ended.stdout


def test_another_build_is_told_and_is_no_difference(simwasm: Run, changed: Callable[..., str]) -> None:
    ended = simwasm(
        "diff", str(ALLOW), changed(('"sha256": "', '"sha256": "0000'), ('"seed": 0', '"seed": 7'))
    )
    assert ended.returncode == 0
    assert "   build of allow_header: " in ended.stdout
    assert "   seed: 0 -> 7\n" in ended.stdout


def test_a_summary_counts_alone(simwasm: Run, changed: Callable[..., str]) -> None:
    ended = simwasm("diff", str(ALLOW), changed(('"status_code": 403', '"status_code": 404')), "--summary")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-3:] == [
        "exchanges: 3 the same, 2 different",
        "rows:      112 the same, 2 called otherwise",
        "outcomes:  5 the same",
    ]


def test_json_has_each_row_that_differs(simwasm: Run, changed: Callable[..., str]) -> None:
    ended = simwasm("diff", str(ALLOW), changed(('"status_code": 403', '"status_code": 404')), "--json")
    *rows, total = map(json.loads, ended.stdout.splitlines())
    assert [(row["row"], row["left"], row["why"]) for row in rows] == [
        ("arguments", 15, "status_code: 403 -> 404"),
        ("arguments", 55, "status_code: 403 -> 404"),
    ]
    assert total["exchanges"] == {"same": 3, "different": 2, "only_left": 0, "only_right": 0}


def test_what_is_very_different_is_told_up_to_a_limit(simwasm: Run, tmp_path: Path) -> None:
    head, *lines = ALLOW.read_text().splitlines(keepends=True)
    sides = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for side, word in zip(sides, ("wasm-rust", "another"), strict=True):
        side.write_text(head + "".join(lines * 60).replace("wasm-rust", word))
    ended = simwasm("diff", *map(str, sides), "--around", "0")
    assert "places more; --json prints each row that differs" in ended.stdout
    assert len(ended.stdout.splitlines()) < 300


def test_colours_are_only_added(simwasm: Run, changed: Callable[..., str]) -> None:
    other = changed(('"status_code": 403', '"status_code": 404'))
    painted = simwasm("diff", str(ALLOW), other, "--color", "always").stdout
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[1;36m", "\x1b[0m"):
        painted = painted.replace(code, "")
    assert painted == simwasm("diff", str(ALLOW), other).stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("{}\n", "does not begin as a trace does"),
        ('{"simwasm": "traffic", "format": 1}\n', "is recorded traffic"),
    ],
)
def test_what_is_no_trace_is_one_sentence(simwasm: Run, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    ended = simwasm("diff", str(ALLOW), str(path))
    assert ended.returncode == 2
    assert told in ended.stderr


def test_a_broken_line_is_told_by_its_number(tmp_path: Path) -> None:
    lines = ALLOW.read_text().splitlines(keepends=True)
    path = tmp_path / "x.jsonl"
    path.write_text("".join([*lines[:20], "{oh no}\n", *lines[20:]]))
    with pytest.raises(TraceError, match="line 21 is not JSON"):
        compare(ALLOW, path)


def test_names_with_escape_sequences_never_get_out(simwasm: Run, changed: Callable[..., str]) -> None:
    other = changed(
        ("deny by default", "\\u001b[31m"), ("GET /status/418", "\\u001b[2J"), ("teapot", "\\u009b")
    )
    ended = simwasm("diff", str(ALLOW), other)
    assert all(line.isprintable() for line in ended.stdout.splitlines())


def test_around_is_a_number_of_rows(simwasm: Run) -> None:
    assert simwasm("diff", str(ALLOW), str(ALLOW), "--around", "-1").returncode == 2
