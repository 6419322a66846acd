"""`simwasm test`: exit status, reports, and what is chosen."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema

from simwasm.cli import main

ROOT = Path(__file__).parent.parent.parent
SUITES = ROOT / "traces" / "suites"
PLUGIN = ROOT / "samples" / "allow_header" / "plugin.wasm"
XSD = ROOT / "tests" / "support" / "junit.xsd"
TEXT = f"""
plugin: {PLUGIN}
cases:
  - name: denies
    request: GET /
    expect: {{status: 403}}
  - name: lets in
    request: {{headers: {{allow: "true"}}}}
    expect:
      status: 418
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of which the second case fails."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "suite.yaml"
    path.write_text(TEXT)
    return path


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(SUITES / "service_name.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 skipped, 1 passed in ")


def test_something_is_not_as_expected(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "suite.yaml", "--traces", "kept"]) == 1
    out = capsys.readouterr().out
    assert "suite.yaml:10: status: expected 418, came 200" in out
    command = next(line for line in out.splitlines() if "simwasm debug" in line)
    assert Path(command.split()[4]).is_file()


def test_a_suite_with_a_mistake_cannot_be_used(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite.write_text(TEXT.replace("status: 418", "statsu: 418"))
    assert main(["test", "suite.yaml", str(SUITES / "service_name.yaml")]) == 2
    out = capsys.readouterr().out
    assert "suite.yaml:10: `statsu` is no key of expect; did you mean `status`" in out
    assert out.splitlines()[-1].startswith("1 not checked, 1 skipped, 1 passed")
    assert main(["test", "suite.yaml", "--list"]) == 2
    assert capsys.readouterr().err.startswith("simwasm: suite.yaml:10:7: `statsu` is no key")


def test_only_some_cases(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "suite.yaml", "-k", "DENIES"]) == 0
    assert main(["test", "suite.yaml", "-k", "nobody"]) == 2
    assert "no case is called like that" in capsys.readouterr().err


def test_cases_are_listed(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "suite.yaml", "--list"]) == 0
    assert capsys.readouterr().out == "suite.yaml:4: denies\nsuite.yaml:7: lets in\n"


def test_an_annotation_points_at_the_expectation(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(suite), "--format", "github"]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "::error file=suite.yaml,line=10,title=lets in::status: expected 418, came 200%0A"
    )


@pytest.mark.parametrize("option", ["--junit", "--coverage"])
def test_where_nothing_can_be_written_nothing_is_run(
    suite: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "suite.yaml", option, "none/file"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err[:50]) == ("", f"simwasm: {option} none/file: there is no folder {suite}"[:50])


def test_a_junit_report_is_valid_and_tells_of_every_engine(suite: Path) -> None:
    assert main(["test", "suite.yaml", "--engine", "all", "-k", "denies", "--junit", "report.xml"]) == 0
    xmlschema.XMLSchema(str(XSD)).validate("report.xml")
    names = [each.get("name") for each in ElementTree.parse("report.xml").iter("testcase")]
    assert {"denies [wasmtime]", "denies [python]"} <= set(names)


def test_tap(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "suite.yaml", "--format", "tap"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert (lines[:3], lines[-1]) == (["TAP version 14", "ok 1 - denies", "not ok 2 - lets in"], "1..2")


def test_a_folder_is_looked_through_for_suites(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suite.parent / "other.yaml").write_text("kind: Service\n")
    (suite.parent / "google.textpb").write_text('test { name: "theirs" }\n')
    assert main(["test", str(suite.parent), "--list"]) == 0
    names = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert names == ["theirs", "denies", "lets in"]


def test_a_folder_without_suites_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(tmp_path)]) == 2
    assert "has no suites in it" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A suite of simwasm"


def test_without_a_suite_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test"]) == 2
    assert "name a suite" in capsys.readouterr().err


def test_what_the_cases_reached_is_kept(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from simwasm.coverage.file import read

    main(["test", "suite.yaml", "--coverage", "suite.cov"])
    (covered,) = read("suite.cov")
    assert covered.name == "allow_header"


def test_a_file_without_tests_is_told(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suite.parent / "none.textpb").write_text('env { wasm_path: "plugin.wasm" }')
    assert main(["test", "none.textpb"]) == 2
    assert capsys.readouterr().err == "simwasm: none.textpb: there is no test in it\n"
