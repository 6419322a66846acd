"""Files of that tester's among suites: found, run, and reported like any other case."""

from __future__ import annotations

from pathlib import Path

from simwasm.reports.check import Verdict
from simwasm.suites.bench import Options
from simwasm.suites.find import cases
from simwasm.suites.run import Kept, run

ALLOW = Path(__file__).parents[3] / "samples/allow_header/plugin.wasm"
OPTIONS = Options("wasmtime", str(ALLOW))
DENIED = 'test {\n name: "denied"\n request_headers { result { immediate {} %s } }\n}'


def test_a_folder_is_looked_through(tmp_path: Path) -> None:
    (tmp_path / "a.textpb").write_text('test { name: "a" }')
    (tmp_path / "b.yaml").write_text("test: [{name: b}]")
    (tmp_path / "config.textpb").write_text('cookies { name: "c" }')
    (tmp_path / "values.yaml").write_text("replicas: 1")
    assert [case.name for case in cases([str(tmp_path)])] == ["a", "b"]


def test_a_case_that_fails_tells_its_line_and_keeps_its_trace(tmp_path: Path) -> None:
    path = tmp_path / "tests.textpb"
    path.write_text(DENIED % 'log { exact: "x" }')
    (case,) = cases([str(path)])
    check = run(case, OPTIONS, Kept(tmp_path / "traces"))
    assert (check.verdict, check.place) == (Verdict.FAILED, f"{path}:3")
    assert check.message == "request_headers: log: expected one that is `x`"
    assert "proxy_send_local_response" in check.details
    assert [*(tmp_path / "traces").iterdir()] == [Kept(tmp_path / "traces").path(case, case.name)]


def test_a_case_with_a_regex_that_does_not_compile_is_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "tests.textpb"
    path.write_text(DENIED % 'log { regex: "(" }')
    (case,) = cases([str(path)])
    check = run(case, OPTIONS)
    assert (check.verdict, check.place) == (Verdict.ERROR, f"{path}:3")
    assert check.message.startswith("this regex does not compile")


def test_a_case_that_is_as_expected_passes(tmp_path: Path) -> None:
    path = tmp_path / "tests.textpb"
    path.write_text(DENIED % 'log { regex: ".*deny by default" }')
    (case,) = cases([str(path)])
    assert run(case, OPTIONS).verdict is Verdict.PASSED
