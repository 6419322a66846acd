"""Reports: what they say in each form, and that others can read it."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
import yaml  # type: ignore[import-untyped]  # it has no types

from simwasm.errors import InputError
from simwasm.reports.check import Check, Verdict, exit_status
from simwasm.reports.junit import junit
from simwasm.reports.report import FORMATS, Report, form

XSD = Path(__file__).parent.parent / "support" / "junit.xsd"
NOON = datetime(2026, 3, 4, 12, 30, 1)
GOOD = Check("lets in", "suites/auth.yaml", 3, took_s=0.25)
BAD = Check(
    "denies #1: 50%, all", "suites/auth.yaml", 12, Verdict.FAILED, "status: expected 403, came 200",
    "→ proxy_on_request_headers\n← CONTINUE", 0.5,
)  # fmt: skip
BROKEN = Check("starts", "suites/other.yaml", 0, Verdict.ERROR, "no such plugin")
LEFT_OUT = Check("later", "suites/other.yaml", 9, Verdict.SKIPPED, "not yet")
ALL = (GOOD, BAD, BROKEN, LEFT_OUT)
HOSTILE = Check(
    "\x1b[31mred\x00\n::error::\ud800",
    "s\x0b.yaml",
    1,
    Verdict.FAILED,
    "\udcff]]>&<\ufffe",
    "a\n\x07\nb\t\r",
    0.0,
)


def told(name: str, *checks: Check) -> list[str]:
    lines: list[str] = []
    report = Report(lines.append, form(name))
    for check in checks:
        report.add(check)
    report.end()
    return lines


def test_text_has_a_line_for_each_check_and_all_that_is_wrong_at_the_end() -> None:
    assert told("text", *ALL) == [
        "ok       lets in",
        "FAILED   denies #1: 50%, all",
        "  suites/auth.yaml:12: status: expected 403, came 200",
        "  → proxy_on_request_headers",
        "  ← CONTINUE",
        "ERROR    starts",
        "  suites/other.yaml: no such plugin",
        "skipped  later  (not yet)",
        "",
        "suites/auth.yaml:12: denies #1: 50%, all: status: expected 403, came 200",
        "suites/other.yaml: starts: no such plugin",
        "1 failed, 1 not checked, 1 skipped, 1 passed in 0.75 s",
    ]


def test_tap_escapes_what_would_be_a_directive_and_ends_with_its_plan() -> None:
    lines = told("tap", *ALL)
    assert lines[:3] == ["TAP version 14", "ok 1 - lets in", r"not ok 2 - denies \#1: 50%, all"]
    assert lines[-2:] == ["ok 4 - later # SKIP not yet", "1..4"]


@pytest.mark.parametrize("check", [BAD, BROKEN, HOSTILE], ids=["failed", "error", "hostile"])
def test_what_tap_tells_of_a_failure_is_yaml(check: Check) -> None:
    lines = told("tap", check)
    begin, end = lines.index("  ---"), lines.index("  ...")
    found = yaml.safe_load("\n".join(line[2:] for line in lines[begin:end]))
    assert found["severity"] == ("error" if check is BROKEN else "fail")
    assert found["at"].get("line", 0) == check.line
    lines_told = found.get("details", "").splitlines()
    assert len(lines_told) == (1 + len(check.details.split("\n")) if check.details else 0)


@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl, whose TAP::Parser reads reports")
def test_another_reader_of_tap_finds_the_same_failures() -> None:
    """That reader knows version 13, which has the same test points and YAML."""
    text = "\n".join(told("tap", *ALL, HOSTILE)).replace("TAP version 14", "TAP version 13")
    read = (
        "my $p = TAP::Parser->new({tap => do {local $/; <STDIN>}}); $p->run; "
        'print join(",", $p->failed), " of ", $p->plan, " ", $p->parse_errors + 0'
    )
    found = subprocess.run(
        ["perl", "-MTAP::Parser", "-e", read],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout == "2,3,5 of 1..5 0"


def test_an_annotation_is_one_line_with_its_place_and_its_text_escaped() -> None:
    assert told("github", GOOD, BAD) == [
        "::error file=suites/auth.yaml,line=12,title=denies #1%3A 50%25%2C all::"
        "status: expected 403, came 200%0A→ proxy_on_request_headers%0A← CONTINUE",
        "1 failed, 1 passed",
    ]


def test_an_annotation_of_what_was_skipped_is_a_notice() -> None:
    assert told("github", LEFT_OUT)[0] == "::notice file=suites/other.yaml,line=9,title=later::not yet"


def test_paths_of_annotations_are_seen_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check = Check("a", str(tmp_path / "suites" / "a.yaml"), 2, Verdict.FAILED, "no")
    assert told("github", check)[0] == "::error file=suites/a.yaml,line=2,title=a::no"


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_that_is_told_can_move_the_cursor_or_begin_a_line(name: str) -> None:
    lines = told(name, HOSTILE)
    assert all(char.isprintable() or char == "\t" for line in lines for char in line)
    assert not any(line.lstrip().startswith("::") and "file=" not in line for line in lines)


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(XSD))


@pytest.mark.parametrize("checks", [(), ALL, (HOSTILE,)], ids=["none", "all", "hostile"])
def test_junit_is_valid_by_its_schema(checks: tuple[Check, ...], schema: xmlschema.XMLSchema) -> None:
    schema.validate(junit(checks, NOON))


def test_the_schema_refuses_what_is_no_report(schema: xmlschema.XMLSchema) -> None:
    assert not schema.is_valid(
        junit(ALL, NOON).replace("<failure", "<failed").replace("</failure", "</failed")
    )


def test_junit_has_a_suite_for_each_file_with_its_counts() -> None:
    suites = ElementTree.fromstring(junit(ALL, NOON).encode())
    counts = [
        [each.get(key) for key in ("name", "tests", "failures", "errors", "skipped")] for each in suites
    ]
    assert counts == [["suites/auth.yaml", "2", "1", "0", "0"], ["suites/other.yaml", "2", "0", "1", "1"]]


def test_junit_tells_where_a_failed_case_is_and_all_its_details() -> None:
    failure = ElementTree.fromstring(junit((BAD,), NOON).encode()).find(".//failure")
    assert failure is not None
    assert failure.text == f"suites/auth.yaml:12: {BAD.message}\n{BAD.details}"


def test_characters_that_xml_forbids_are_told_by_their_number() -> None:
    case = ElementTree.fromstring(junit((HOSTILE,), NOON).encode()).find(".//testcase")
    assert case is not None
    assert case.get("name") == r"\x1b[31mred\x00 ::error::\ud800"


@pytest.mark.parametrize(("checks", "status"), [((), 0), ((GOOD, LEFT_OUT), 0), ((GOOD, BAD), 1), (ALL, 2)])
def test_the_exit_status_tells_the_worst(checks: tuple[Check, ...], status: int) -> None:
    assert exit_status(checks) == status


def test_a_junit_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--junit .*: cannot be written: No such file"):
        Report(lambda line: None, form("text")).end(str(tmp_path / "no" / "report.xml"))
