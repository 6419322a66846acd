"""`simwasm run --coverage` and `simwasm coverage`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from process import Run

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


def test_less_than_has_to_be_is_status_1(simwasm: Run, refused: str) -> None:
    done = simwasm("coverage", refused, "--fail-under", "95")
    assert done.returncode == 1
    assert done.stderr == "simwasm: 94.4 % was reached, which is less than 95 %\n"
    assert "94%  39" in done.stdout


def test_json_tells_all(simwasm: Run, refused: str) -> None:
    done = simwasm("coverage", refused, "--json", "--fail-under", "94")
    (found,) = json.loads(done.stdout)["plugins"]
    assert done.returncode == 0
    assert found["lines"] == {"reached": 17, "of": 18, "percent": 94.44}
    assert found["sources"][0]["missing"] == "39"
    assert found["callbacks"]["proxy_on_request_headers"] == 1
    assert found["host_calls"]["proxy_send_local_response"] == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("none.cov",), "none.cov: cannot be read: No such file"),
        (("README.md",), "README.md: no coverage that simwasm has written"),
        (("none.cov", "--fail-under", "101"), "--fail-under: 101 is not between 0 and 100"),
    ],
)
def test_wrong_words_are_told(simwasm: Run, words: tuple[str, ...], complaint: str) -> None:
    done = simwasm("coverage", *words)
    assert (done.returncode, complaint in done.stderr) == (2, True)


def test_a_plugin_that_traps_is_covered_all_the_same(simwasm: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "a.cov")
    done = simwasm("run", C, TRAFFIC, "--fault", "trap:proxy_log#1", "--coverage", file, "--quiet")
    assert done.returncode == 1
    shown = simwasm("coverage", file).stdout
    assert "no lines of source, as there is no debug information" in shown
    assert "proxy_on_request_headers" in shown


def test_a_file_that_cannot_be_written_is_told_before_the_run(simwasm: Run) -> None:
    done = simwasm("run", C, TRAFFIC, "--coverage", "none/a.cov")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--coverage none/a.cov: there is no folder" in done.stderr
