"""`simwasm run` with what makes it fit for much traffic: choosing, sharing, stopping, summing up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from process import ROOT, Run
from wat import callback, plugin

PLUGIN = "samples/allow_header/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"
MANY = [TRAFFIC] * 30


def test_what_is_shared_is_told_as_if_it_was_not(simwasm: Run) -> None:
    alone = simwasm("run", PLUGIN, *MANY, "--quiet", "--cost", "--expect", "403")
    shared = simwasm("run", PLUGIN, *MANY, "--quiet", "--cost", "--expect", "403", "--workers", "2")
    assert shared.stdout.splitlines()[65:] == alone.stdout.splitlines()[65:]
    assert len(shared.stdout.splitlines()) == 150
    assert shared.returncode == alone.returncode == 1
    assert "#2 ended with 418, not 403" in shared.stderr
    assert "418 → 403: 60 · 200: 60 · 418: 30" in shared.stderr


@pytest.mark.parametrize("other", ["--together", "--trace=t.jsonl", "--golden=g.jsonl"])
def test_what_is_of_one_process_is_refused_before_anything_is_run(simwasm: Run, other: str) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, "--workers", "2", other)
    assert (done.returncode, done.stdout) == (2, "")
    assert "leave out --workers" in done.stderr


def test_a_filter_chooses_and_a_limit_ends(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, *MANY, "--quiet", "--filter", "method:post or path:/get*", "--limit", "3")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["GET", "POST", "GET"]


def test_a_filter_does_not_ask_for_what_no_recording_has(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, "--filter", "ret:Pause")
    assert done.returncode == 2
    assert "`ret` is asked of the rows of a trace" in done.stderr


def test_a_summary_as_json_is_a_last_line_where_it_is_asked_for(simwasm: Run) -> None:
    lines = simwasm("run", PLUGIN, TRAFFIC, "--json", "--summary", "always").stdout.splitlines()
    assert json.loads(lines[-1])["summary"]["statuses"][0] == {"before": "418", "after": "403", "count": 2}
    assert len(lines) == 6


def test_a_plugin_that_does_not_start_is_told_by_a_worker_as_well(simwasm: Run, tmp_path: Path) -> None:
    module = tmp_path / "traps.wasm"
    module.write_bytes(plugin(callback("proxy_on_vm_start", "unreachable")).wasm)
    told = [simwasm("run", str(module), TRAFFIC, "--quiet", "--workers", n) for n in ("1", "2")]
    assert told[0].returncode == told[1].returncode == 1
    assert told[0].stderr == told[1].stderr


def test_ctrl_c_ends_an_endless_plugin_and_tells_what_ran(tmp_path: Path) -> None:
    module = tmp_path / "spins.wasm"
    loop = "(loop $again (br $again))"
    module.write_bytes(plugin(callback("proxy_on_request_headers", loop)).wasm)
    command = [sys.executable, "-m", "simwasm", "run", str(module), TRAFFIC, "--fuel", str(10**15)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        printed = b""
        while b"proxy_on_request_headers" not in printed:
            printed += (more := os.read(process.stdout.fileno(), 4096))
            assert more
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "summary: 1 exchange" in told
    assert "simwasm: interrupted" in told


@pytest.mark.parametrize("option", ["--report", "--trace", "--coverage"])
def test_what_is_read_is_never_written_over(simwasm: Run, tmp_path: Path, option: str) -> None:
    traffic = tmp_path / "login.har"
    traffic.write_bytes((ROOT / TRAFFIC).read_bytes())
    done = simwasm("run", PLUGIN, str(tmp_path / "*.har"), option, str(traffic))
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"simwasm: {option} {traffic}: is read here, and would be written over; name another file\n"
    )
    assert traffic.read_bytes() == (ROOT / TRAFFIC).read_bytes()


def test_a_filter_that_fits_nothing_is_told(simwasm: Run) -> None:
    done = simwasm("run", PLUGIN, TRAFFIC, "--quiet", "--filter", "path:/nowhere")
    assert done.stderr == "simwasm: there was no exchange in the traffic that --filter path:/nowhere fits\n"
    assert done.returncode == 2
