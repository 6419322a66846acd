"""`simwasm compare` tells in which exchanges two builds or configurations differ, and says so by its exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from acting import acting
from process import ROOT, Run

from simwasm.conversation import client, conversation, upstream
from simwasm.exchange import Exchange, request, response
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.jsonl import write

RUST, GO, AS, C = (
    f"samples/{name}/plugin.wasm"
    for name in ("allow_header", "allow_header_go", "allow_header_as", "allow_header_c")
)
TRAFFIC = "traces/traffic/allow_header.har"
AUTH = "samples/http_auth/plugin.wasm"
ASKED = ("traces/traffic/http_auth.har", "--callout", "auth=traces/traffic/http_auth.callouts.json")
GREETING = (
    "--ignore", r"text:wasm-\w+", "--ignore", r"text:\w+ version", "--ignore", "header:content-length",
)  # fmt: skip


def test_a_build_does_not_differ_from_itself(simwasm: Run) -> None:
    done = simwasm("compare", RUST, RUST, TRAFFIC)
    assert (done.returncode, done.stdout) == (0, "the same: 5 exchanges\n")


@pytest.mark.parametrize("new", [GO, AS, C])
def test_the_same_plugin_of_another_toolchain_differs_in_its_texts_alone(simwasm: Run, new: str) -> None:
    done = simwasm("compare", RUST, new, TRAFFIC)
    assert done.returncode == 1
    assert 'response body: "Forbidden by ASM Wasm Plugin, rust version' in done.stdout
    assert "5 exchanges: 0 the same, 5 different" in done.stdout
    assert simwasm("compare", RUST, new, TRAFFIC, *GREETING).stdout == "the same: 5 exchanges\n"


def test_every_call_of_another_toolchain_is_another(simwasm: Run) -> None:
    done = simwasm("compare", RUST, C, TRAFFIC, "--only", "calls", *GREETING)
    assert done.returncode == 1
    assert "rows of calls differ" in done.stdout


def test_two_configurations_differ_by_the_call_that_decides(simwasm: Run) -> None:
    done = simwasm(
        "compare", AUTH, AUTH, *ASKED, "--config", '{"cluster":"auth"}', "--new-config", '{"cluster":"none"}'
    )
    assert done.returncode == 1
    assert "#1 GET /get  200 → 503\n" in done.stdout
    assert (
        'in proxy_on_request_headers, proxy_http_call was called otherwise: upstream: "auth" -> "none"'
        in done.stdout
    )
    assert "          2  status 200 → 503  (first #1)\n          2  " in done.stdout


def test_one_changed_byte_is_found(simwasm: Run, tmp_path: Path) -> None:
    build = (ROOT / RUST).read_bytes()
    assert build.count(b"rust version") == 1
    new = tmp_path / "new.wasm"
    new.write_bytes(build.replace(b"rust version", b"rusT version"))
    done = simwasm("compare", RUST, str(new), TRAFFIC)
    assert done.returncode == 1
    assert "5 exchanges: 3 the same, 2 different" in done.stdout


def test_rows_show_the_callback_side_by_side(simwasm: Run) -> None:
    shown = simwasm("compare", RUST, AS, TRAFFIC, "--rows", "--limit", "1").stdout
    assert "~     proxy_send_local_response(status_code: 403" in shown


def test_no_more_is_shown_than_wanted_and_all_is_counted(simwasm: Run) -> None:
    shown = simwasm("compare", RUST, AS, TRAFFIC, "--max-shown", "1").stdout
    assert "\n#2 " not in shown
    assert "… and 4 more that differ" in shown
    assert "5 exchanges: 0 the same, 5 different" in shown


def test_json_has_an_object_for_each_exchange_that_differs(simwasm: Run) -> None:
    done = simwasm("compare", RUST, AS, TRAFFIC, "--json", "--only", "response")
    *found, last = map(json.loads, done.stdout.splitlines())
    assert [each["exchange"] for each in found] == [1, 3]
    assert found[0]["status"] == [403, 403]
    assert {each["aspect"] for each in found[0]["differences"]} == {"response"}
    assert "proxy_send_local_response" in found[0]["first_call"]
    assert last["summary"]["compared"] == 5
    assert last["summary"]["different"] == 2
    assert not last["summary"]["same"]


def test_only_chosen_exchanges_are_compared(simwasm: Run) -> None:
    done = simwasm("compare", RUST, AS, TRAFFIC, "--filter", "path:/get*", "--only", "response")
    assert (done.returncode, done.stdout) == (0, "the same: 1 exchange\n")


def test_several_processes_tell_the_same(simwasm: Run, tmp_path: Path) -> None:
    """Blocks go to them in turn, so that each has some; this plugin keeps no state from one exchange to the next."""
    traffic = tmp_path / "many.jsonl"
    with traffic.open("wb") as file:
        exchanges = list(read_traffic(ROOT / TRAFFIC))
        write([replace(exchanges[at % 5], id=str(at)) for at in range(130)], file)
    words = ("compare", RUST, C, str(traffic), "--max-shown", "2", "--only", "response")
    alone = simwasm(*words)
    assert "130 exchanges: 78 the same, 52 different" in alone.stdout
    shared = simwasm(*words, "--workers", "2")
    assert (shared.returncode, shared.stdout) == (1, alone.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--filter", "path:/nowhere"],
            "there is no exchange in the traffic, so there is nothing to compare",
        ),
        (["--only", "respones"], "did you mean response?"),
        (["--ignore", "headers:x"], "`headers:x` is nothing that can be redacted"),
        (["--ignore", "keep:date"], "--ignore keep:date: nothing is built in here"),
        (["--max-shown", "-1"], "--max-shown -1"),
        (["--limit", "0"], "--limit: 0"),
        (["--workers", "0"], "--workers: 0"),
        (["--new-fail-policy", "ajar"], "--fail-policy: `ajar` is none"),
    ],
)
def test_what_cannot_be_used_is_told(simwasm: Run, words: list[str], said: str) -> None:
    done = simwasm("compare", RUST, RUST, TRAFFIC, *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_one_that_does_not_start_is_told(simwasm: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(acting(("trap", ()), on="proxy_on_vm_start").wasm)
    done = simwasm("compare", RUST, str(broken), TRAFFIC)
    assert done.returncode == 1
    assert "the new one does not start, the old one does: " in done.stdout
    shared = simwasm("compare", RUST, str(broken), TRAFFIC, "--workers", "2")
    assert (shared.returncode, shared.stdout) == (1, done.stdout)
    done = simwasm("compare", str(broken), str(broken), TRAFFIC)
    assert done.returncode == 1
    assert "neither the old nor the new one starts" in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_differs_is_known_though_nobody_reads_it_all(workers: str) -> None:
    words = [
        sys.executable,
        "-m",
        "simwasm",
        "compare",
        RUST,
        AS,
        *[TRAFFIC] * 200,
        "--workers",
        workers,
        "--json",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.stdout.close()
        assert run.wait(30) == 1


def test_what_was_broken_and_so_not_compared_is_told(simwasm: Run, tmp_path: Path) -> None:
    traffic = tmp_path / "broken.jsonl"
    with traffic.open("wb") as file:
        write([Exchange("1", 0, request("GET", "/"), response(200))], file)
        file.write(b"{\n")
    done = simwasm("compare", RUST, RUST, str(traffic))
    assert (done.returncode, done.stdout) == (0, "the same: 1 exchange (and 1 broken entry, left out)\n")
    assert "broken.jsonl, line 3" in done.stderr
    told = json.loads(simwasm("compare", RUST, RUST, str(traffic), "--json").stdout)["summary"]
    assert (told["compared"], told["broken"]) == (1, 1)


def test_connections_are_compared_too(simwasm: Run, tmp_path: Path) -> None:
    traffic, plugins = tmp_path / "tcp.jsonl", (tmp_path / "old.wasm", tmp_path / "new.wasm")
    with traffic.open("wb") as file:
        write([conversation("1", (client(b"PING"), upstream(b"PONG")))], file)
    plugins[0].write_bytes(acting(on="proxy_on_downstream_data").wasm)
    plugins[1].write_bytes(
        acting(("proxy_set_buffer_bytes", (2, 0, 100, "other")), on="proxy_on_downstream_data").wasm
    )
    done = simwasm("compare", *map(str, plugins), str(traffic), "--network")
    assert done.stdout.startswith("#1 TCP 127.0.0.1:50000\n")
    assert done.returncode == 1
    assert 'upstream\'s request body: "PING" -> "otherother"' in done.stdout


def test_ctrl_c_tells_what_was_compared(tmp_path: Path) -> None:
    asked = Exchange("1", 0, request("GET", "/"), response(200))
    script = f"""import sys, time
sys.stdout.buffer.write(open({str(tmp_path / "one.jsonl")!r}, "rb").read()); sys.stdout.flush(); time.sleep(60)"""
    with (tmp_path / "one.jsonl").open("wb") as file:
        write([asked] * 3000, file)
    with (
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as source,
        subprocess.Popen(
            [sys.executable, "-m", "simwasm", "compare", RUST, AS, "-", "--only", "logs"],
            stdin=source.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        ) as run,
    ):  # fmt: skip
        assert run.stdout is not None
        assert run.stdout.readline().startswith("#1 GET /")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        source.kill()
    assert run.returncode == 130
    assert " 0 the same, " in out
    assert "interrupted" in err
