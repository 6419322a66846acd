"""`simwasm run --golden` and `simwasm check`: goldens are written, played again, compared, and updated when asked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cases import ROOT
from golden_files import edited
from switchboard import DOWNSTREAM_DATA, Case, nth, switchboard

from simwasm.cli import main
from simwasm.engines.find import OWN

PLUGIN = ROOT / "samples" / "http_auth" / "plugin.wasm"
TRAFFIC = ROOT / "traces" / "traffic"
GOLDEN = "goldens/auth.jsonl"

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a golden, made as a user makes one."""
    folder = tmp_path_factory.mktemp("project")
    for file in (PLUGIN, TRAFFIC / "http_auth.har", TRAFFIC / "http_auth.callouts.json"):
        shutil.copy(file, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["--callout", "auth=http_auth.callouts.json", "--quiet", "--golden", GOLDEN]
        assert main(["run", "plugin.wasm", "http_auth.har", "--name", "auth", *words]) == 0
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the command; its status and what it printed."""

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main(["check", *words])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


Check = Callable[..., tuple[int, str]]


def header(**changes: Any) -> Callable[[Lines], object]:
    """Change a golden's recipe."""
    return lambda lines: lines[0]["recipe"].update(changes)


def test_a_golden_passes_on_every_engine_that_loads(project: Path, check: Check) -> None:
    status, told = check("goldens", "--engine", "all")
    assert status == 0
    loaded = [name for name in OWN if f"ok       {GOLDEN} [{name}]\n" in told]
    assert loaded in (["wasmer", "wasmtime", "python"], ["wasmtime", "python"])
    assert f"{len(loaded)} passed in " in told


def test_the_header_names_files_from_the_golden(project: Path) -> None:
    recipe = json.loads((project / GOLDEN).read_text().splitlines()[0])["recipe"]
    assert recipe == {
        "plugin": "../plugin.wasm",
        "traffic": ["../http_auth.har"],
        "name": "auth",
        "callout": ["auth=../http_auth.callouts.json"],
    }


def test_it_passes_from_another_folder(project: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "goldens")
    assert check("auth.jsonl")[0] == 0
    assert check(".", "../goldens/auth.jsonl")[1].count("ok  ") == 1


def test_a_run_that_differs_fails_with_the_first_difference(
    project: Path, check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    script = project / "http_auth.callouts.json"
    script.write_text(script.read_text().replace("401", "402"))
    status, told = check("goldens")
    assert status == 1
    assert f"FAILED   {GOLDEN}\n  {GOLDEN}:33: row " in told
    assert 'proxy_get_header_map_value(key: ":status") answered OK "402", and OK "401" before' in told
    assert f"write the golden anew by `simwasm check --update {GOLDEN}`" in told
    words = "plugin.wasm http_auth.har --name auth --callout auth=http_auth.callouts.json"
    row = re.search(f"To look at it: simwasm debug {words} --row ([0-9]+)\n", told)
    assert row
    (project / "where").write_text("")
    assert main(["debug", *words.split(), "--plain", "--row", row[1], "-x", "where", "--batch"]) == 0
    assert re.search(f'▶ *{row[1]} *proxy_get_header_map_value.* value: "402"', capsys.readouterr().out)


def test_only_update_writes_and_only_what_differs(project: Path, check: Check) -> None:
    golden, script = project / GOLDEN, project / "http_auth.callouts.json"
    before = golden.read_bytes(), golden.stat().st_mtime_ns
    status, told = check("goldens", "--update")
    assert (status, told.startswith(f"ok       {GOLDEN}\n1 passed in ")) == (0, True)
    script.write_text(script.read_text().replace("401", "402"))
    assert check("goldens")[0] == 1
    assert (golden.read_bytes(), golden.stat().st_mtime_ns) == before
    status, told = check("goldens", "--update")
    assert (status, f"ok       {GOLDEN} (written anew)" in told) == (0, True)
    assert check("goldens")[0] == 0
    assert b"402" in golden.read_bytes()


def test_the_report_may_be_junit_tap_or_annotations(project: Path, check: Check) -> None:
    edited(project / GOLDEN, lambda lines: lines.pop(15))
    status, told = check("goldens", "--format", "tap", "--junit", "report.xml")
    assert (status, told.startswith(f"TAP version 14\nnot ok 1 - {GOLDEN}\n")) == (1, True)
    (suite,) = ElementTree.parse(project / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    told = check("goldens", "--format", "github")[1]
    assert told.startswith(f"::error file={GOLDEN},line=")


@pytest.mark.parametrize("end", ["| true", ">&-"])
def test_what_fails_does_so_without_a_reader(project: Path, end: str) -> None:
    edited(project / GOLDEN, lambda lines: lines.pop(15))
    words = f"set -o pipefail; {sys.executable} -m simwasm check goldens {end}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_golden_of_pytest_is_left_to_it(project: Path, check: Check) -> None:
    edited(project / GOLDEN, lambda lines: lines[0].update(recipe=None, test="tests/test_a.py::test_b"))
    lines = (project / GOLDEN).read_text().replace('"recipe": null, ', "")
    (project / GOLDEN).write_text(lines)
    status, told = check(GOLDEN)
    assert (status, "(pytest plays it: tests/test_a.py::test_b)" in told) == (0, True)


def test_what_has_a_recipe_is_played_by_it(project: Path, check: Check) -> None:
    edited(project / GOLDEN, lambda lines: (lines[0].update(test="tests/test_a.py::test_b"), lines.pop(15)))
    assert check("goldens")[0] == 1


def test_traces_are_passed_over_in_a_folder_and_an_error_when_named(project: Path, check: Check) -> None:
    trace = ROOT / "traces" / "golden" / "http_auth" / "browser.jsonl"
    shutil.copy(trace, project / "goldens" / "plain.jsonl")
    shutil.copy(TRAFFIC / "http_auth.tap.jsonl", project / "goldens")
    status, told = check("goldens")
    assert (status, "skipped  goldens/plain.jsonl  (nothing in it tells how" in told) == (0, True)
    assert "tap" not in told
    (project / "goldens" / ".left").mkdir()
    shutil.copy(trace, project / "goldens" / ".left" / "behind.jsonl")
    assert "behind" not in check("goldens")[1]
    assert check("goldens/plain.jsonl")[0] == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (header(plugin="../nope.wasm"), ":1: nope.wasm: cannot be read: No such file"),
        (header(plugin="../http_auth.har"), ":1: http_auth.har"),
        (header(traffic=["../nope.har"]), ":1: nope.har: cannot be read: No such file"),
        (header(callout=["auth=nope.json"]), ":1: --callout auth: `nope.json` is no status"),
        (header(tracffic=1), ":1: recipe does not know 'tracffic'; known are"),
        (header(fault=["callout"]), ":1: --fault: "),
        (header(callout=["auth=https://a.example"]), ":1: --callout auth=https://a.example: a server may answer"),
        (header(config="@-"), ":1: --config @- can be read only once"),
        (header(fuel=-1), ":1: --fuel: -1 is not a positive number"),
        (lambda lines: lines[0].update(format=3), ":1: is of format 3, and this simwasm reads up to 2: update"),
        (lambda lines: lines[0].update(redacted=["x"]), ":1: `x` is nothing that can be redacted"),
        (lambda lines: lines[9].update(result="FINE"), ':10: has "FINE" for the result of'),
        (lambda lines: lines[0].pop("recipe"), ":1: its recipe is missing: restore it"),
        (lambda lines: lines[8].update(at="0"), ":9: has an `at` that is no number"),
        (lambda lines: lines.pop(11), ": the file ends while proxy_on_request_headers is open"),
        (lambda lines: lines.clear(), ": is empty; restore it, or write it anew by"),
    ],
)  # fmt: skip
def test_a_golden_that_cannot_be_checked_says_where_and_why(
    project: Path, check: Check, change: Callable[[Lines], object], why: str
) -> None:
    edited(project / GOLDEN, change)
    before = (project / GOLDEN).read_bytes()
    status, told = check("goldens")
    assert (status, "ERROR" in told, "Traceback" in told) == (2, True, False)
    assert why in told.replace(f"{GOLDEN}:62:", f"{GOLDEN}:").replace(f"  {GOLDEN}", "")
    assert (project / GOLDEN).read_bytes() == before


def test_binary_rubbish_is_told(project: Path, check: Check) -> None:
    (project / GOLDEN).write_bytes(bytes(range(256)) * 20)
    assert f"{GOLDEN}: is binary, and not a trace; restore it" in check("goldens")[1]


def test_the_golden_of_another_plugin_is_told(project: Path, check: Check) -> None:
    edited(project / GOLDEN, lambda lines: lines[0]["plugins"][0].update(name="other"))
    status, told = check("goldens")
    assert (status, "it is the golden of other (ABI 0.2.1), and auth (ABI 0.2.1) was run" in told) == (
        1,
        True,
    )


def test_what_was_broken_by_hand_is_written_anew_when_asked(project: Path, check: Check) -> None:
    whole = (project / GOLDEN).read_bytes()
    (project / GOLDEN).write_bytes(whole[:-300])
    assert check("goldens", "--update")[0] == 0
    assert (project / GOLDEN).read_bytes() == whole


def test_a_folder_without_goldens_and_a_path_that_is_none_are_told(project: Path, check: Check) -> None:
    (project / "none").mkdir()
    assert check("none") == (
        2, "simwasm: none: there is no golden in this folder; `simwasm run … --golden FILE` writes one\n"
    )  # fmt: skip
    status, told = check("nowhere")
    assert (status, "nowhere: cannot be read: No such file" in told) == (2, True)


def test_a_plugin_that_does_not_start_any_more_fails(project: Path, check: Check) -> None:
    edited(project / GOLDEN, header(allow=["proxy_log"]))
    status, told = check("goldens")
    assert (status, "Traceback" in told) == (1, False)


# Writing goldens.


def run(*words: str) -> int:
    return main(["run", "plugin.wasm", "http_auth.har", "--quiet", *words])


def test_a_golden_that_is_there_is_not_overwritten(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (project / GOLDEN).read_bytes()
    assert run("--golden", GOLDEN, "--callout", "auth=200") == 2
    assert f"--golden {GOLDEN}: is there already; `simwasm check --update" in capsys.readouterr().err
    assert (project / GOLDEN).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--golden", "-"), "a golden is a file"),
        (("--golden", "new.jsonl", "--config", "@-"), "--config @- can be read only once"),
        (("--golden", "new.jsonl", "--config", "@/dev/stdin"), "--config @/dev/stdin can be read only once"),
        (("--golden", "new.jsonl", "--redact", "dat"), "`dat` is nothing that can be redacted"),
        (("--golden", "new.jsonl", "--repeat", "2"), "a golden is of one round"),
        (("--redact", "header:a"), "only a golden is redacted: add --golden"),
    ],
)
def test_what_no_golden_can_be_made_of_is_told(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert run(*words) == 2
    assert why in capsys.readouterr().err
    assert not Path("new.jsonl").exists()


def test_redactions_of_the_users_are_played_again(project: Path, check: Check) -> None:
    words = ["--redact", "header:user-agent", "--redact", "keep:date", "--callout", "auth=200"]
    assert run("--golden", "new.jsonl", *words) == 0
    text = Path("new.jsonl").read_text()
    assert '"<user-agent>"' in text
    assert '"<date>"' not in text
    assert check("new.jsonl", "--engine", "python")[0] == 0


def test_faults_workers_and_all_together_are_played_again(project: Path, check: Check) -> None:
    words = ["--fault", "callout:auth#2=reset", "--concurrency", "2", "--together", "--callout", "auth=200"]
    assert run("--golden", "new.jsonl", *words) == 0
    assert '"result": "PAUSE"' in Path("new.jsonl").read_text()
    assert check("new.jsonl", "--engine", "python")[0] == 0


def test_a_network_plugin_has_goldens(project: Path, check: Check) -> None:
    wasm = switchboard([Case("", {DOWNSTREAM_DATA: []}, {nth(DOWNSTREAM_DATA, 1): 1})])
    (project / "gate.wasm").write_bytes(wasm)
    talk = '{"id": "1", "tcp": [{"client": "PING"}, {"client": "!"}, {"upstream": "PONG", "close": "end"}]}\n'
    (project / "talk.jsonl").write_text('{"simwasm": "traffic", "format": 1}\n' + talk)
    assert main(["run", "gate.wasm", "talk.jsonl", "--network", "--quiet", "--golden", "gate.jsonl"]) == 0
    assert "proxy_on_downstream_data" in Path("gate.jsonl").read_text()
    assert check("gate.jsonl", "--engine", "python")[0] == 0
