"""A configuration with several plugins through the commands: each crossing is told with whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deployed import chained, sample, says, three
from process import Run
from scripted import TRAP

from simwasm.testing import load_plugin

TRAFFIC = "traces/traffic/allow_header.har"
AUTH = ("--callout", "auth=200")
ENVOY = """\
static_resources:
  listeners:
  - name: main
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          http_filters:
          - name: auth
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: auth
                vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: FILE}}}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - {name: auth, type: STATIC}
"""


@pytest.fixture
def chain(tmp_path: Path) -> str:
    return str(three(tmp_path / "chain.yaml"))


@pytest.fixture
def small(tmp_path: Path) -> str:
    plugins = (
        (name, says(tmp_path, name), {"priority": priority})
        for name, priority in (("second", 1), ("first", 2))
    )
    return str(chained(tmp_path / "small.yaml", *plugins))


def test_send_goes_through_the_chain_in_its_order(simwasm: Run, chain: str) -> None:
    done = simwasm("send", chain, "GET", "/", "-H", "allow: true", "-v", *AUTH)
    called = [
        line.split("]")[0][2:] for line in done.stderr.splitlines() if "proxy_on_request_headers" in line
    ]
    assert called == ["[shop.allow", "[shop.auth", "[shop.body"]
    assert done.stdout.startswith("HTTP/1.1 200 OK")


def test_a_plugin_of_the_middle_answers_and_the_last_one_meets_only_the_answer(
    simwasm: Run, chain: str
) -> None:
    done = simwasm("send", chain, "GET", "/", "-H", "allow: true", "-v", "--callout", "auth=403")
    assert done.stdout.startswith("HTTP/1.1 403 Forbidden")
    assert "[shop.body] proxy_on_request_headers" not in done.stderr


def test_a_plugin_that_traps_with_fail_open_leaves_the_others_alone(simwasm: Run, tmp_path: Path) -> None:
    path = chained(
        tmp_path / "chain.yaml",
        ("bad", says(tmp_path, "trapping", TRAP), {"failStrategy": "FAIL_OPEN", "phase": "AUTHN"}),
        ("good", says(tmp_path, "passing"), {}),
    )
    done = simwasm("run", str(path), TRAFFIC, "--json")
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [outcome["status"] for outcome in outcomes[1:]] == [418, 418, 200, 200]


def test_problems_are_told_with_whose_they_are(simwasm: Run, chain: str) -> None:
    done = simwasm("run", chain, TRAFFIC, "--quiet")
    assert (
        "unknown-cluster: BAD_ARGUMENT: proxy_http_call  3 times, first in exchange 2, row 72, of shop.auth"
        in (done.stderr)
    )


def test_run_replays_through_all_of_them(simwasm: Run, chain: str) -> None:
    done = simwasm("run", chain, TRAFFIC, "--quiet", *AUTH)
    assert [line.split()[3] for line in done.stdout.splitlines()] == ["418", "418", "418", "200", "200"]
    assert done.returncode == 0


def test_a_golden_is_played_again_with_the_whole_chain(simwasm: Run, chain: str, tmp_path: Path) -> None:
    golden = str(tmp_path / "golden.jsonl")
    assert (
        simwasm("run", chain, TRAFFIC, "--quiet", "--limit", "2", "--golden", golden, *AUTH).returncode == 0
    )
    assert simwasm("check", golden).returncode == 0
    three(Path(chain)).write_text(
        Path(chain).read_text().replace("phase: AUTHZ", "phase: STATS\n  priority: 9")
    )
    assert simwasm("check", golden).returncode == 0  # in the same order, so nothing is otherwise
    Path(chain).write_text(Path(chain).read_text().replace("phase: AUTHN", "phase: STATS"))
    assert simwasm("check", golden).returncode == 1


def test_coverage_is_of_each_plugin(simwasm: Run, small: str, tmp_path: Path) -> None:
    kept = str(tmp_path / "chain.cov")
    simwasm("run", small, TRAFFIC, "--quiet", "--coverage", kept)
    told = simwasm("coverage", kept).stdout
    assert [name in told for name in ("shop.first (", "shop.second (")] == [True, True]


def test_costs_are_of_each_plugin(simwasm: Run, small: str) -> None:
    told = json.loads(simwasm("run", small, TRAFFIC, "--json", "--cost").stdout.splitlines()[-1])["cost"]
    assert {name: cost["proxy_on_request_headers"]["calls"] for name, cost in told.items()} == {
        "shop.first": 5,
        "shop.second": 5,
    }


def test_profile_counts_each_plugin(simwasm: Run, small: str) -> None:
    done = simwasm("profile", small, TRAFFIC, "--limit", "2", "--json")
    assert [json.loads(line)["plugin"] for line in done.stdout.splitlines()] == ["shop.first", "shop.second"]


def test_the_debugger_stops_in_one_plugin_of_the_chain(simwasm: Run, chain: str, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    commands.write_text("break proxy_on_request_headers vm:*auth\ncontinue\nprint plugin\ninfo plugin\n")
    done = simwasm("debug", chain, TRAFFIC, "--batch", "-x", str(commands), *AUTH)
    assert "▶● 70 ← [shop.auth] proxy_on_request_headers(context_id: 3" in done.stdout
    assert '"shop.auth"' in done.stdout
    assert "  shop.body  abi 0.2.1" in done.stdout


def test_the_real_envoy_does_the_same_with_the_chain(simwasm: Run, chain: str) -> None:
    done = simwasm("verify", chain, TRAFFIC, "--limit", "2", *AUTH)
    assert done.stdout.splitlines()[-1] == "2 exchanges: simwasm does what Envoy does", done.stdout


def test_clusters_of_a_configuration_are_there_and_one_that_nobody_answers_is_told(
    simwasm: Run, tmp_path: Path
) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_text(ENVOY.replace("FILE", sample("http_auth").removeprefix("file://")))
    done = simwasm("send", str(path), "GET", "/")
    assert "simwasm: auth was asked, and nobody answers: say who does by --callout auth=200" in done.stderr
    assert simwasm("send", str(path), "GET", "/", *AUTH).stdout.startswith("HTTP/1.1 200")


def test_a_configuration_may_come_from_standard_input(simwasm: Run, small: str) -> None:
    done = simwasm("run", "-", TRAFFIC, "--quiet", stdin=Path(small).read_text())
    assert len(done.stdout.splitlines()) == 5, done.stderr


def test_a_module_that_is_not_there_is_told_with_its_place(simwasm: Run, tmp_path: Path) -> None:
    path = chained(tmp_path / "chain.yaml", ("auth", f"file://{tmp_path}/no.wasm", {}))
    done = simwasm("run", str(path), TRAFFIC)
    assert done.returncode == 2
    assert done.stderr.startswith(f"simwasm: {path}:5:")
    assert "no.wasm is not there" in done.stderr


def test_a_plugin_whose_file_is_no_module_is_told_with_its_place(simwasm: Run, tmp_path: Path) -> None:
    path = chained(tmp_path / "chain.yaml", ("auth", f"file://{Path(__file__)}", {}))
    done = simwasm("send", str(path), "GET", "/")
    assert done.stderr.startswith(f"simwasm: {path}:5:")
    assert "shop.auth: not a Wasm module: it is text" in done.stderr


class TestLoading:
    """The same in tests."""

    def test_phases_are_told_apart_by_plugin(self, chain: str) -> None:
        with load_plugin(chain, callout={"auth": 200}) as plugin:
            result = plugin.send("GET", "/", headers={"allow": "true"})
        assert plugin.name == "shop.allow, shop.auth, shop.body"
        assert result.action("proxy_on_request_headers", plugin="auth").name == "PAUSE"
        assert [phase.plugin for phase in result.phases if phase.callback == "proxy_on_log"] == [
            "shop.allow",
            "shop.auth",
            "shop.body",
        ]

    def test_traffic_may_be_a_folder_of_which_some_is_meant(self, chain: str) -> None:
        with load_plugin(chain, callout={"auth": 200}) as plugin:
            assert len(plugin.replay("traces/traffic/allow_header.har", filter="path:/get*", limit=3)) == 1
