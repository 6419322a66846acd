"""`simwasm run`, and the commands that only print."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from process import Run

from simwasm.abi.table import FUNCTIONS

PLUGIN = "samples/allow_header/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"


def test_a_replay_prints_crossings_and_then_a_line_for_each_exchange(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC)
    assert done.returncode == 0
    assert "→ proxy_on_request_headers(context_id: 2, num_headers: " in done.stdout
    *_, one, two, three, four, five = done.stdout.splitlines()
    assert one.startswith("#1 GET /status/418  418 → 403  local reply · upstream not asked · ")
    assert two.startswith("#2 GET /status/418  418  from upstream · ")
    assert (three[:2], four[:2], five[:2]) == ("#3", "#4", "#5")


def test_quiet_prints_only_the_lines(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, "--quiet")
    assert [line[:2] for line in done.stdout.splitlines()] == ["#1", "#2", "#3", "#4", "#5"]
    assert done.stderr == ""


@pytest.mark.parametrize("less", ["--quiet", "--json"])
def test_however_little_is_printed_a_trap_is_told(simwasm: Run, less: str) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, less, "--fuel", "1000")
    assert done.returncode == 1
    assert "out of fuel" in done.stderr
    assert less == "--json" or done.stdout.count("local reply · the plugin has trapped · ") == 5


def test_json_is_one_outcome_a_line(simwasm: Run) -> None:
    outcomes = [json.loads(line) for line in simwasm("run", PLUGIN, TRAFFIC, "--json").stdout.splitlines()]
    assert [outcome["status"] for outcome in outcomes] == [403, 418, 403, 200, 200]
    assert outcomes[0]["actions"][0] == ["proxy_on_request_headers", "PAUSE"]


def test_several_files_are_one_replay(simwasm: Run) -> None:
    assert len(simwasm("run", PLUGIN, TRAFFIC, TRAFFIC, "--quiet").stdout.splitlines()) == 10


def test_every_expectation_has_to_hold(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, "--quiet", "--expect", "403")
    assert done.returncode == 1
    assert "simwasm: #2 ended with 418, not 403" in done.stderr


def test_a_pipe_that_closes_early_is_no_error() -> None:
    command = f"{sys.executable} -m simwasm run {PLUGIN} {TRAFFIC} | head -1"
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=root, check=True, timeout=60
    )
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to stand for a full disk")
@pytest.mark.parametrize(
    "words", [("run", PLUGIN, TRAFFIC), ("abi",), ("send", PLUGIN, "GET", "/", "--quiet")]
)
def test_a_full_disk_is_one_sentence(words: tuple[str, ...]) -> None:
    command = f"{sys.executable} -m simwasm {' '.join(words)} > /dev/full"
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=root, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == "simwasm: input or output failed: No space left on device\n"


def test_a_trace_that_does_not_fit_is_one_sentence(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, *[TRAFFIC] * 3, "--quiet", "--trace", "/dev/full")
    assert done.returncode == 2
    assert done.stderr == "simwasm: input or output failed: No space left on device\n"


def test_colours_come_when_asked_for(simwasm: Run) -> None:
    assert "\x1b[" in simwasm("run", PLUGIN, TRAFFIC, "--color", "always").stdout
    assert "\x1b[" not in simwasm("run", PLUGIN, TRAFFIC).stdout


def test_inspect_tells_what_is_in_a_plugin(simwasm: Run) -> None:
    told = simwasm("inspect", PLUGIN).stdout
    for expected in (
        "ABI         0.2.1",
        "Rust SDK",
        "rustc 1.63.0",
        "env.proxy_log",
        "biggest of",
        "names only",
    ):
        assert expected in told


def test_inspect_finds_the_debug_information_of_the_debug_build(simwasm: Run) -> None:
    assert "debug info  DWARF ok" in simwasm("inspect", "samples/allow_header/plugin.debug.wasm").stdout


def test_inspect_as_json_joins_the_table(simwasm: Run) -> None:
    found = json.loads(simwasm("inspect", "samples/allow_header_go/plugin.wasm", "--json").stdout)
    assert set(found["import_status"]) == {"ok"}
    assert found["abi_markers"] == ["proxy_abi_version_0_2_0"]


def test_the_reference_lists_every_row(simwasm: Run) -> None:
    told = simwasm("abi").stdout
    assert all(f"  {row.name}(" in told for row in FUNCTIONS)


def test_the_reference_of_a_version_leaves_out_what_it_lacks(simwasm: Run) -> None:
    assert "proxy_get_log_level" not in simwasm("abi", "--version", "0.2.0").stdout
    assert "proxy_get_log_level" in simwasm("abi", "--version", "0.2.1").stdout


def test_the_reference_explains_a_name(simwasm: Run) -> None:
    told = simwasm("abi", "proxy_get_header_map_value").stdout
    assert "MapType: 0 HTTP_REQUEST_HEADERS" in told
    assert "i32 i32 i32 i32 i32 -> i32" in told


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_completion_script_knows_the_commands(simwasm: Run, shell: str) -> None:
    script = simwasm("completion", shell).stdout
    assert all(command in script for command in ("run", "send", "inspect", "--callout"))


def test_the_bash_completion_completes(simwasm: Run, tmp_path: Path) -> None:
    script = tmp_path / "simwasm.bash"
    script.write_text(simwasm("completion", "bash").stdout)
    probe = f"source {script}; COMP_WORDS=(simwasm in); COMP_CWORD=1; _shtab_simwasm; echo ${{COMPREPLY[@]}}"
    assert (
        subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=True).stdout.strip()
        == "inspect"
    )


def test_the_bash_completion_completes_files(simwasm: Run, tmp_path: Path) -> None:
    script = tmp_path / "simwasm.bash"
    script.write_text(simwasm("completion", "bash").stdout)
    (tmp_path / "plugin.wasm").touch()
    probe = f"cd {tmp_path}; source {script}; COMP_WORDS=(simwasm inspect plu); COMP_CWORD=2; "
    probe += "_shtab_simwasm; echo ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "plugin.wasm"


@pytest.mark.parametrize("command", [(), ("run",), ("send",), ("inspect",), ("abi",), ("completion",)])
def test_help_has_examples(simwasm: Run, command: tuple[str, ...]) -> None:
    done = simwasm(*command, "--help")
    assert done.returncode == 0
    assert "simwasm" in done.stdout
    assert not command or "example" in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("run", "nowhere.wasm", TRAFFIC), "nowhere.wasm: cannot be read: No such file or directory"),
        (("run", PLUGIN, "nowhere.har"), "nowhere.har"),
        (("run", "README.md", TRAFFIC), "README.md: not a Wasm module"),
        (("run", TRAFFIC, PLUGIN), "did you swap plugin and traffic?"),
        (("debug", "--batch", TRAFFIC, PLUGIN), "did you swap plugin and traffic?"),
        (("debug", "--batch", PLUGIN, TRAFFIC, "--engine", "v8"), "no engine is called v8"),
        (("run", "team/auth:v2", TRAFFIC), "an image at a registry is written oci://team/auth:v2"),
        (("run", "samples:v2", TRAFFIC), "; samples is here: leave out the tag"),
        (("run", PLUGIN, TRAFFIC, "--engine", "v8"), "no engine is called v8"),
        (("run", PLUGIN, PLUGIN), "is a WebAssembly module"),
        (("send", PLUGIN, "GET", "relative"), "the path is `relative`"),
        (("send", PLUGIN, "GET", "/", "-H", "nocolon"), "-H: `nocolon` is not a header"),
        (("send", PLUGIN, "GET", "/", "-H", "two words: x"), "-H: `two words: x` is not a header"),
        (("send", PLUGIN, "GET", "/", "-H", "a: 1\nb: 2"), "is not one header"),
        (("send", PLUGIN, "GET", "/a b"), "a blank in it is written %20"),
        (("send", PLUGIN, "", "/"), "the method is ''"),
        (("send", PLUGIN, "GET", "/", "--upstream", "ftp://x"), "is not an http or https address"),
        (("send", PLUGIN, "GET", "/", "--upstream", "http://x:99999"), "is not an http or https address"),
        (("send", PLUGIN, "GET", "/", "--upstream", "http://x", "--respond", "200"), "give one of them"),
        (("send", PLUGIN, "GET", "/", "--respond", "nowhere"), "neither a status nor a file"),
        (("send", PLUGIN, "GET", "/", "--config", "@nowhere"), "nowhere: cannot be read"),
        (("send", PLUGIN, "GET", "/", "--callout", "auth"), "is not NAME=VALUE"),
        (("send", PLUGIN, "GET", "/", "--callout", "auth=nowhere"), "is no status (200)"),
        (("send", PLUGIN, "GET", "/", "--callout", "auth=README.md"), "README.md: is not JSON"),
        (("send", PLUGIN, "GET", "/", "--engine", "v8"), "no engine is called v8"),
        (("send", PLUGIN, "GET", "/", "--fuel", "0"), "0 is not a positive number"),
        (("send", PLUGIN, "GET", "/", "--trace", "/nowhere/t"), "cannot be written"),
        (("abi", "proxy_nothing"), "nothing is called `proxy_nothing`"),
        (("inspect", "README.md"), "README.md: not a Wasm module"),
        (("inspect", PLUGIN, "--functions", "-1"), "--functions: -1 is less than none"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(simwasm: Run, args: tuple[str, ...], says: str) -> None:
    done = simwasm(*args)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_wrong_usage_is_exit_status_2(simwasm: Run) -> None:
    assert simwasm("run").returncode == 2
    assert "replay recorded traffic" in simwasm().stderr
    assert simwasm("frobnicate").returncode == 2
    assert simwasm("send", PLUGIN, "GET", "/", "--fuel", "many").returncode == 2


def test_costs_are_listed_behind_everything_else(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, "--quiet", "--cost")
    assert "instructions" in done.stdout.splitlines()[0]
    lines = done.stderr.splitlines()
    assert lines[0].split() == ["instructions", "calls", "total", "each", "least", "most"]
    dearest = next(line.split() for line in lines if "proxy_on_request_headers" in line)
    assert [number for number in dearest[1:] if not number.replace(",", "").isdigit()] == []
    assert any(line.startswith("  proxy_log") for line in lines)


def test_costs_are_told_as_json_too(simwasm: Run) -> None:
    lines = simwasm("run", PLUGIN, TRAFFIC, "--json", "--cost").stdout
    assert json.loads(lines.splitlines()[0])["instructions"] > 10_000
    assert json.loads(lines.splitlines()[-1])["cost"]["proxy_on_request_headers"]["calls"] == 5
