"""Envoy's own configuration files are read as Envoy reads them: what it takes, what it refuses, what plugins get."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from simwasm.config.deployment import Deployed, read_deployment
from simwasm.config.tree import Place, tree_of
from simwasm.errors import ConfigError
from simwasm.parity.process import spawn, stop

ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "samples" / "http_auth" / "envoy.yaml").read_text()
MODULE = ROOT / "samples" / "http_auth" / "plugin.wasm"
CONFIG = 'configuration:\n                          "@type"'
NAME = "name: http_auth"
ANY_PORT = SAMPLE.replace("8080", "0")
PATIENCE = 30.0


def told(lines: str) -> str:
    """The sample with more lines for its plugin."""
    return SAMPLE.replace(NAME, f"{NAME}\n" + indent(lines, " " * 24), 1)


REFUSED = {
    "an unknown field": told("rootid: a"),
    "a number for a text": told("root_id: 5"),
    "a word for true or false": told("root_id: yes"),
    "two policies": told("fail_open: true"),
    "an unknown policy": SAMPLE.replace("FAIL_RELOAD", "NEVER"),
    "no duration": SAMPLE.replace("base_interval: 2s", "base_interval: 2"),
    "too short": SAMPLE.replace("base_interval: 2s", "base_interval: 0.0001s"),
    "no backoff": SAMPLE.replace("base_interval: 2s", ""),
    "another type": SAMPLE.replace("http.wasm.v3.Wasm", "http.wasm.v2.Wasm"),
    "a filter for connections": SAMPLE.replace("filters.http.wasm.v3", "filters.network.wasm.v3"),
    "a type without a host": SAMPLE.replace("type.googleapis.com/google", "google"),
    "a list of capabilities": told("capability_restriction_config: {allowed_capabilities: [proxy_log]}"),
    "a wrapper's field": SAMPLE.replace("value: '{", "text: '{"),
    "no code": SAMPLE.replace("local: { filename: plugin.wasm }", ""),
    "two places of code": SAMPLE.replace("filename: plugin.wasm", "filename: plugin.wasm, inline_string: a"),
    "no base 64": SAMPLE.replace("filename: plugin.wasm", "inline_bytes: '!'"),
    "no digest": SAMPLE.replace(
        "local: { filename: plugin.wasm }",
        "remote: { http_uri: { uri: http://a/b, cluster: auth, timeout: 1s } }",
    ),
    "the untyped form": SAMPLE.replace("- name: envoy.filters.http.wasm\n                    typed_config",
                                       "- name: envoy.filters.http.wasm\n                    config"),
    "a merge": SAMPLE.replace("vm_id: http_auth", "<<: { vm_id: http_auth }"),
    "a broken line": SAMPLE.replace("clusters:", "clusters: ["),
}  # fmt: skip
TAKEN = {
    "the other spelling": told("rootId: a").replace("failure_policy", "failurePolicy"),
    "small letters": SAMPLE.replace("FAIL_RELOAD", "fail_reload"),
    "a policy's number": SAMPLE.replace("FAIL_RELOAD", "1"),
    "nothing": told("root_id: null"),
    "a boolean in quotes": told("allow_on_headers_stop_iteration: 'true'"),
    "a wrapper as a mapping": told("allow_on_headers_stop_iteration: {value: yes}"),
    "a number that is a text": told("root_id: 2.5"),
    "a restriction": told(
        "capability_restriction_config: {allowed_capabilities: {proxy_log: null, own: {}}}"
    ),
}


def validated(envoy: Path, folder: Path, text: str) -> bool:
    """Whether Envoy takes a configuration."""
    (folder / "envoy.yaml").write_text(text.replace("filename: plugin.wasm", f"filename: {MODULE}"))
    command = [
        str(envoy),
        "--mode",
        "validate",
        "-c",
        str(folder / "envoy.yaml"),
        "--disable-hot-restart",
        "-l",
        "off",
    ]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 0


@pytest.mark.parametrize("text", REFUSED.values(), ids=list(REFUSED))
def test_what_envoy_refuses_is_refused(envoy_binary: Path, tmp_path: Path, text: str) -> None:
    assert not validated(envoy_binary, tmp_path, text)
    with pytest.raises(ConfigError, match=r"^e\.yaml:\d+:\d+: "):
        read_deployment("e.yaml", text)


def test_what_envoy_takes_is_read(envoy_binary: Path, tmp_path: Path) -> None:
    for what, text in TAKEN.items():
        assert len(read_deployment("e.yaml", text).plugins) == 1, what
    several = [cut(text).replace("ingress", f"in{at}") for at, text in enumerate(TAKEN.values())]
    assert validated(envoy_binary, tmp_path, ANY_PORT.replace(cut(SAMPLE), "".join(several)))


def cut(text: str) -> str:
    """The listener of a configuration, on any port."""
    return text[text.index("    - name: ingress") : text.index("  clusters:")].replace("8080", "0")


@contextmanager
def running(envoy: Path, folder: Path, config: dict[str, Any]) -> Iterator[str]:
    """The address of the admin port of an Envoy with a configuration."""
    (folder / "envoy.json").write_text(json.dumps(config))
    process = spawn(envoy, folder, "info")
    try:
        end = time.monotonic() + PATIENCE
        while not (address := (folder / "admin.txt").read_text() if (folder / "admin.txt").exists() else ""):
            assert process.poll() is None and time.monotonic() < end, (folder / "envoy.log").read_text()
            time.sleep(0.01)
        yield address
    finally:
        stop(process)


def same(deployed: Deployed) -> Deployed:
    """A plugin without where it is written."""
    return replace(deployed, place=Place(), module=deployed.module._replace(place=Place()))


def test_a_dump_of_the_admin_port_is_read_as_what_it_was_started_with(
    envoy_binary: Path, tmp_path: Path
) -> None:
    more = (
        "environment_variables: {host_env_keys: [HOME], key_values: {A: b, C: '5'}}\nallow_precompiled: true"
    )
    text = told("root_id: r\nallow_on_headers_stop_iteration: true").replace(
        "vm_id: http_auth", "vm_id: http_auth\n" + indent(more, " " * 26), 1
    )
    text = (
        text.replace("filename: plugin.wasm", f"filename: {MODULE}").replace("8080", "0").replace("9901", "0")
    )
    config = tree_of(text, "e.yaml").plain()
    with (
        running(envoy_binary, tmp_path, config) as address,
        asked(f"{address}/config_dump?include_eds") as dump,
    ):
        after = read_deployment("dump.json", dump.read().decode())
    before = read_deployment("e.yaml", text)
    assert [same(each) for each in after.plugins] == [same(each) for each in before.plugins]
    assert [each[:3] for each in after.clusters] == [each[:3] for each in before.clusters]


def asked(address: str) -> Any:
    return urllib.request.urlopen(f"http://{address}", timeout=PATIENCE)
