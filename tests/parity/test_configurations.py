"""How a configuration and a module come to the plugin is as in the running Envoy."""

from __future__ import annotations

from typing import Any

import pytest
from hostcalls import read, told
from live import CLUSTERS, report
from switchboard import CONFIGURE, VM_START, Case, switchboard

from simwasm.engines import find
from simwasm.parity.account import Scenario
from simwasm.parity.bootstrap import Bootstrap, Json
from simwasm.parity.compare import verify
from simwasm.plugin import Plugin

pytestmark = pytest.mark.usefixtures("envoy_binary")

TYPE = "type.googleapis.com/google.protobuf."
CASE = Case("configured", {VM_START: told(read(6)), CONFIGURE: told(read(6), read(7))})
WASM = switchboard([CASE])
STRUCT = (
    b"\x0a\x1f\x0a\x01a\x12\x1a\x32\x18\x0a\x09\x11\0\0\0\0\0\0\xf0\x3f"
    b"\x0a\x02\x20\x01\x0a\x02\x08\0\x0a\x03\x1a\x01x"
)
"""`{"a": [1, true, null, "x"]}` as protobuf."""


def configured(plugin: Plugin, configuration: Json) -> dict[str, Json]:
    """The HTTP connection manager's filters, where Envoy is told the plugin's configuration like this."""
    whole: Any = Bootstrap((plugin,), ("127.0.0.1", 1)).as_json()
    manager = whole["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"][0]["typed_config"]["config"]["configuration"] = configuration
    return {"http_filters": manager["http_filters"]}


@pytest.mark.envoy(24)
@pytest.mark.parametrize(
    ("kind", "value", "arrives"),
    [
        ("StringValue", "some text, ä", "some text, ä".encode()),
        ("BytesValue", "AP8K", b"\0\xff\n"),
        ("Struct", {"a": [1, True, None, "x"]}, STRUCT),
        ("Struct", {}, b""),
        ("Duration", "3s", b"\x08\x03"),
    ],
    ids=["a text", "bytes", "a struct", "an empty struct", "another message"],
)
def test_a_configuration_arrives_by_its_type(kind: str, value: Json, arrives: bytes) -> None:
    plugin = Plugin("parity.switchboard", WASM, config=arrives)
    told_envoy = configured(plugin, {"@type": TYPE + kind, "value": value})
    scenario = Scenario((plugin,), (CASE.exchange(0),), CLUSTERS, http_manager=told_envoy)
    report(verify(scenario, find.engine()))


@pytest.mark.envoy(26)
@pytest.mark.parametrize("name", ["precompiled_v8_v14.0_linux_x86_64", "precompiled_wamr", ".aot"])
def test_machine_code_in_a_custom_section_is_not_used(name: str) -> None:
    content = bytes([len(name)]) + name.encode() + b"no code"
    plugin = Plugin("parity.switchboard", WASM + b"\0" + bytes([len(content)]) + content)
    report(verify(Scenario((plugin,), (CASE.exchange(0),), CLUSTERS), find.engine()))
