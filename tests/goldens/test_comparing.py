"""A run against its golden: nothing where it is the same, and else the first difference in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from golden_files import HTTP_AUTH, edited, text, written

from simwasm.engines.find import engine
from simwasm.errors import InputError, TraceError
from simwasm.goldens.comparing import Mismatch, compare_golden

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The golden of a sample."""
    return text(tmp_path_factory.mktemp("golden") / "auth.jsonl", engine())


@pytest.fixture
def golden(whole: str, tmp_path: Path) -> Path:
    """A file with it."""
    path = tmp_path / "auth.jsonl"
    path.write_text(whole)
    return path


def mismatch(golden: Path, whole: str, change: Callable[[Lines], object]) -> Mismatch:
    """What is told once a golden was changed."""
    found = compare_golden(edited(golden, change), whole)
    assert found is not None
    return found


def line_of(lines: Lines, function: str) -> dict[str, Any]:
    return next(line for line in lines if line.get("call") == function)


def test_the_same_run_is_no_mismatch(golden: Path, whole: str) -> None:
    assert compare_golden(golden, whole) is None


def test_a_golden_may_be_spelled_in_another_way(golden: Path, whole: str) -> None:
    edited(golden, lambda lines: None)
    lines = [json.loads(line) for line in golden.read_text().splitlines()]
    golden.write_text("\n\n".join(json.dumps(line, sort_keys=True) for line in lines))
    assert compare_golden(golden, whole) is None


def test_the_first_crossing_that_differs_is_told_with_its_callback(golden: Path, whole: str) -> None:
    def change(lines: Lines) -> None:
        line_of(lines, "proxy_get_header_map_value")["gives"]["value"] = "Basic"

    found = mismatch(golden, whole, change)
    assert found.headline == (
        "row 13, in proxy_on_request_headers of exchange 1 (GET /get): proxy_get_header_map_value"
        '(key: "authorization") answered OK "Bearer let-me-in", and OK "Basic" before'
    )
    assert found.line == 10
    assert "  → proxy_on_request_headers(context_id: 2," in found.details
    assert '  header authorization: "Basic" -> "Bearer let-me-in"' in found.details
    assert str(found).startswith(f"{golden}:10: row 13, in ")
    assert found.advice == (
        f"If this is what it should do, write the golden anew by `simwasm check --update {golden}`."
    )


def test_a_call_that_came_and_one_that_went_are_told(golden: Path, whole: str) -> None:
    assert " was not there before" in mismatch(golden, whole, lambda lines: lines.pop(15)).headline
    golden.write_text(whole)
    found = mismatch(golden, whole, lambda lines: lines.insert(15, lines[15]))
    assert " is not there any more" in found.headline


def test_an_outcome_that_differs_alone_is_told(golden: Path, whole: str) -> None:
    def change(lines: Lines) -> None:
        outcome = next(line["outcome"] for line in lines if "outcome" in line)
        outcome["status"] = 500
        outcome["response"]["headers"][0] = [":status", "500"]

    found = mismatch(golden, whole, change)
    assert found.headline == "exchange 1 (GET /get) status: 500 -> 200"
    assert found.details == '    the response\'s headers: :status: "500" -> "200"'
    assert "outcome" in whole.splitlines()[found.line - 1]


def test_an_exchange_that_is_not_there_any_more_is_told(golden: Path, whole: str) -> None:
    outcome = {"outcome": {"exchange": "9", "name": "GET /gone"}}
    found = mismatch(golden, whole, lambda lines: lines.append(outcome))
    assert found.headline == "exchange 4 (GET /gone) is not there any more"


def test_the_time_of_a_callback_counts(golden: Path, whole: str) -> None:
    def change(lines: Lines) -> None:
        line_of(lines, "proxy_on_http_call_response")["at"] = 5

    found = mismatch(golden, whole, change)
    assert found.headline == "proxy_on_http_call_response differs in at: 5 -> 2000000"
    assert found.line == 13


def test_rules_that_changed_are_told_beside_what_differs_and_alone_are_no_difference(
    golden: Path, whole: str
) -> None:
    edited(golden, lambda lines: lines[0].update(profile="envoy 1.39", seed=3))
    assert compare_golden(golden, whole) is None
    found = mismatch(golden, whole, lambda lines: lines.pop(15))
    assert found.details.endswith('profile: "envoy 1.39" -> "envoy 1.40"\nseed: 3 -> 0')


def test_the_golden_of_another_plugin_is_told_as_that_and_no_more(golden: Path, whole: str) -> None:
    found = mismatch(golden, whole, lambda lines: lines[0]["plugins"][0].update(name="rate\x1b_limit"))
    assert (
        found.headline == "it is the golden of rate\\x1b_limit (ABI 0.2.1), and http_auth (ABI 0.2.1) was run"
    )
    assert found.details == ""


def test_another_way_to_update_is_told_if_there_is_one(golden: Path, whole: str) -> None:
    edited(golden, lambda lines: lines.pop(15))
    found = compare_golden(golden, whole, update="`pytest --update-goldens`")
    assert found is not None
    assert found.advice.endswith(" by `pytest --update-goldens`.")


def test_a_long_comparison_is_cut(golden: Path, whole: str) -> None:
    log = {"context": 2, "call": "proxy_log", "args": {"level": "INFO", "message": "x"}, "result": "OK"}
    found = mismatch(golden, whole, lambda lines: lines.__setitem__(slice(-3, -3), [log] * 500))
    assert found.details.count("\n") < 120
    assert "… and more: 500 rows differ in all" in found.details


def test_a_golden_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"x\.jsonl: there is no such golden yet; write it by `simwasm check"
    ):
        compare_golden(tmp_path / "x.jsonl", "{}")


@pytest.mark.parametrize("cut", [10, 2000, -4])
def test_a_golden_that_was_cut_off_never_passes(golden: Path, whole: str, cut: int) -> None:
    golden.write_text(whole[:cut])
    with pytest.raises(TraceError, match=r"auth\.jsonl: "):
        compare_golden(golden, whole)


def test_a_golden_that_is_no_trace_any_more_is_told_by_its_line(golden: Path, whole: str) -> None:
    edited(golden, lambda lines: lines[9].update(result="FINE"))
    with pytest.raises(TraceError, match=r"auth\.jsonl: line 10 has \"FINE\" for the result") as error:
        compare_golden(golden, whole)
    assert error.value.line == 10


def test_a_plugin_that_does_something_else_is_told_from_the_configuration_on(tmp_path: Path) -> None:
    path = written(tmp_path / "auth.jsonl", engine())
    found = compare_golden(path, text(path, engine(), replace(HTTP_AUTH, config='{"cluster":"auth"}')))
    assert found is not None
    assert "proxy_on_configure was called otherwise: plugin_configuration_size: 0 -> 18" in found.headline
