"""`simwasm run --coverage` and `simwasm coverage`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from process import Run

from simwasm.cli import main

ROOT = Path(__file__).parents[2]
DEBUG, C = "samples/allow_header/plugin.debug.wasm", "samples/allow_header_c/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"


@pytest.fixture(scope="module")
def refused(simwasm: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a request reaches that is refused."""
    file = str(tmp_path_factory.mktemp("coverage") / "refused.cov")
    done = simwasm("send", DEBUG, "GET", "/", "--engine", "wasmtime", "--coverage", file)
    assert done.returncode == 0, done.stderr
    return file


def test_runs_are_collected_added_up_and_shown(simwasm: Run, refused: str, tmp_path: Path) -> None:
    file, sum, pages, lcov = (str(tmp_path / name) for name in ("run.cov", "sum.cov", "html", "plugin.info"))
    done = simwasm("run", DEBUG, TRAFFIC, "--engine", "wasmtime", "--coverage", file, "--quiet")
    assert done.returncode == 0, done.stderr
    shown = simwasm("coverage", refused, file, "-o", sum, "--html", pages, "--lcov", lcov)
    assert shown.returncode == 0, shown.stderr
    assert "samples/allow_header/src/lib.rs      18       0    100%" in shown.stdout
    assert "        6  proxy_on_request_headers\n" in shown.stdout
    assert simwasm("coverage", sum).stdout == shown.stdout
    assert "DA:39,1" in Path(lcov).read_text()
    assert "index.html is the page to begin with" in shown.stderr
    (page,) = Path(pages).glob("samples*.html")
    assert "Action::Continue" in page.read_text()


Coverage = Callable[..., tuple[int, str, str]]


@pytest.fixture
def coverage(capsys: pytest.CaptureFixture[str]) -> Coverage:
    """`simwasm coverage` in this process: its status and what it printed."""

    def coverage(*words: str) -> tuple[int, str, str]:
        status = main(["coverage", *words])
        out, err = capsys.readouterr()
        return status, out, err

    return coverage


def test_of_nothing_no_percent_is_enough(coverage: Coverage, tmp_path: Path) -> None:
    (tmp_path / "no.cov").write_text('{"simwasm_coverage": 1, "plugins": []}')
    status, out, err = coverage(str(tmp_path / "no.cov"), "--fail-under", "0")
    assert (status, out[:48]) == (1, "there is nothing that could have been reached: n")
    assert err.endswith("so --fail-under 0 does not hold\n")


def test_less_than_has_to_be_is_status_1(coverage: Coverage, refused: str) -> None:
    status, out, err = coverage(refused, "--fail-under", "95")
    assert (status, err) == (1, "simwasm: 94.4 % was reached, which is less than 95 %\n")
    assert "94%  39" in out


def test_json_tells_all(coverage: Coverage, refused: str) -> None:
    status, out, _ = coverage(refused, "--json", "--fail-under", "94")
    (found,) = json.loads(out)["plugins"]
    assert status == 0
    assert found["lines"] == {"reached": 17, "of": 18, "percent": 94.44}
    assert found["sources"][0]["missing"] == "39"
    assert found["callbacks"]["proxy_on_request_headers"] == 1
    assert found["host_calls"]["proxy_send_local_response"] == 1


def test_libraries_are_shown_when_that_is_asked_for(coverage: Coverage, refused: str) -> None:
    few, all = (json.loads(coverage(refused, "--json", *more)[1])["plugins"][0] for more in ((), ("--all",)))
    assert len(few["sources"]) == 1 < len(all["sources"])
    assert few["functions"]["of"] == 4 < all["functions"]["of"]


def test_lcov_may_go_to_standard_output(coverage: Coverage, refused: str) -> None:
    status, out, _ = coverage(refused, "--lcov", "-")
    assert (status, out.splitlines()[0], out.splitlines()[-1]) == (0, "TN:allow_header", "end_of_record")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("none.cov",), "none.cov: cannot be read: No such file"),
        ((str(ROOT / "README.md"),), "README.md: no coverage that simwasm has written"),
        (("none.cov", "--fail-under", "101"), "--fail-under: 101 is not between 0 and 100"),
        (("none.cov", "--fail-under", "nan"), "--fail-under: nan is not between 0 and 100"),
    ],
)
def test_wrong_words_are_told(coverage: Coverage, words: tuple[str, ...], complaint: str) -> None:
    status, _, err = coverage(*words)
    assert (status, complaint in err) == (2, True)


def test_a_plugin_that_traps_is_covered_all_the_same(
    simwasm: Run, coverage: Coverage, tmp_path: Path
) -> None:
    file = str(tmp_path / "a.cov")
    done = simwasm("run", C, TRAFFIC, "--fault", "trap:proxy_log#1", "--coverage", file, "--quiet")
    assert done.returncode == 1
    _, out, _ = coverage(file)
    assert "no lines of source, as there is no debug information" in out
    assert "proxy_on_request_headers" in out


def test_a_file_that_cannot_be_written_is_told_before_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(ROOT / C), str(ROOT / TRAFFIC), "--coverage", "none/a.cov"]) == 2
    out, err = capsys.readouterr()
    assert (out, "--coverage none/a.cov: there is no folder" in err) == ("", True)
