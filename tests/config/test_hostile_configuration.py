"""Whatever is handed over as a configuration, it is a deployment or an error in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.config.deployment import Deployment, read_deployment
from simwasm.errors import InputError

ROOT = Path(__file__).parents[2]
SAMPLES = [
    (ROOT / "samples" / name).read_text() for name in ("allow_header/wasmplugin.yaml", "http_auth/envoy.yaml")
]
FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: shop}
spec:
  priority: 1
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      proxy: {proxyVersion: x}
      listener: {filterChain: {filter: {name: envoy.http_connection_manager}}}
    patch: {operation: INSERT_BEFORE, value: {name: a, config_discovery: {type_urls: [b]}}}
  - applyTo: EXTENSION_CONFIG
    patch:
      operation: ADD
      value: {name: a, typed_config: {"@type": type.googleapis.com/x.Y, type_url: a/b, value: {}}}
---
kind: IstioOperator
spec: {meshConfig: {extensionProviders: [{name: a, wasm: {url: b}}], defaultConfig: {proxyMetadata: {WASM: 1}}}}
---
kind: VirtualService
spec: {http: [{wasm: {pluginName: a}, headers: {request: {add: {x-wasm: b}}}, route: [{destination: {host: c}}]}]}
"""
WHOLE = [*SAMPLES, FILTER]


def survives(text: str, file: str = "a.yaml") -> None:
    """It is read, or refused in a few words."""
    try:
        assert isinstance(read_deployment(file, text), Deployment)
    except InputError as error:
        assert str(error).startswith(file)


VALUES = (
    *(
        "~",
        "''",
        "5",
        "-1e999",
        "yes",
        "[]",
        "{}",
        "[[]]",
        "{a: b}",
        "'\\0'",
        "&a [*a]",
        "!!str x",
        '"\\ud800"',
    ),
    "{{ x }}",
)


@pytest.mark.parametrize("text", WHOLE, ids=["WasmPlugin", "bootstrap", "EnvoyFilter"])
@pytest.mark.parametrize("first", range(0, len(VALUES), 5))
def test_any_value_may_stand_in_any_place(text: str, first: int) -> None:
    lines = text.splitlines()
    for at, line in enumerate(lines):
        name, colon, _ = line.partition(":")
        if colon:
            survives(
                "\n".join([*lines[:at], f"{name}: {VALUES[(first + at) % len(VALUES)]}", *lines[at + 1 :]])
            )


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_a_file_that_is_damaged_is_read_or_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, min(len(text), at + 40)))
    survives(
        text[:at] + data.draw(st.text("\t\n :-{}[]&*!|>'\"%@`#,?a1\x00\ud800é", max_size=6)) + text[until:]
    )


NAMES = st.sampled_from(
    "kind apiVersion metadata name spec url config vm_config code local filename typed_config @type filters items "
    "http_filters static_resources listeners configs filter_chains configPatches applyTo patch value resources "
    "clusters".split()
)
SCALARS = st.sampled_from(
    [
        "WasmPlugin",
        "EnvoyFilter",
        "List",
        "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "",
        1,
        None,
    ]
) | st.text(max_size=5)
TREES = st.recursive(
    SCALARS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=5),
    max_leaves=20,
)


@settings(max_examples=50, deadline=None)
@given(TREES)
def test_names_in_any_order_are_read_or_refused(content: object) -> None:
    survives(json.dumps(content), "a.json")
