"""EnvoyFilters: what their patches put where, in Istio's order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simwasm.config.deployment import Deployment, read_deployment
from simwasm.errors import ConfigError

TYPE = "type.googleapis.com/"
WASM = f"{TYPE}envoy.extensions.filters.http.wasm.v3.Wasm"
MANAGER = "envoy.filters.network.http_connection_manager"
VM: dict[str, Any] = {"code": {"local": {"filename": "a.wasm"}}}


def read(*resources: object, listener: str = "") -> Deployment:
    return read_deployment("f.yaml", "\n---\n".join(map(json.dumps, resources)), listener=listener)


def names(*resources: object) -> list[str]:
    return [each.name for each in read(*resources).plugins]


def resource(*patches: object, name: str = "f", **spec: Any) -> dict[str, Any]:
    namespace = spec.pop("namespace", "shop")
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"configPatches": list(patches), **spec},
    }


def wasm(name: str, **config: Any) -> dict[str, Any]:
    typed = {"@type": WASM, "config": {"name": name, "vm_config": VM, **config}}
    return {"name": name, "typed_config": typed}


def put(
    operation: str, value: object, beside: str = "", context: str = "ANY", **match: Any
) -> dict[str, Any]:
    """A patch of HTTP filters."""
    inner = {"subFilter": {"name": beside}} if beside else {}
    where = {"context": context, "listener": {"filterChain": {"filter": {"name": MANAGER, **inner}}}, **match}
    return {"applyTo": "HTTP_FILTER", "match": where, "patch": {"operation": operation, "value": value}}


def plugin(name: str, **spec: Any) -> dict[str, Any]:
    """A WasmPlugin, between which the filters stand."""
    spec = {"url": "x/y:1", **spec}
    return {"kind": "WasmPlugin", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


AUTHN, AUTHZ, LAST = plugin("authn", phase="AUTHN"), plugin("authz", phase="AUTHZ"), plugin("last")


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (put("INSERT_FIRST", wasm("new")), "new authn authz last"),
        (put("INSERT_BEFORE", wasm("new")), "new authn authz last"),
        (put("INSERT_BEFORE", wasm("new"), "envoy.filters.http.jwt_authn"), "authn new authz last"),
        (put("INSERT_AFTER", wasm("new"), "envoy.filters.http.rbac"), "authn authz new last"),
        (put("INSERT_BEFORE", wasm("new"), "envoy.router"), "authn authz last new"),
        (put("INSERT_BEFORE", wasm("new"), "of.mine"), "authn authz last new"),
        (
            put("INSERT_AFTER", wasm("new"), "extensions.istio.io/wasmplugin/shop.authn"),
            "authn new authz last",
        ),
        (put("REPLACE", wasm("new"), "extensions.istio.io/wasmplugin/shop.authz"), "authn new last"),
        (put("REMOVE", None, "extensions.istio.io/wasmplugin/shop.authz"), "authn last"),
        (put("REPLACE", wasm("new"), "of.mine"), "authn authz last"),
    ],
)
def test_a_patch_puts_a_filter_where_it_says(patch: object, expected: str) -> None:
    found = names(AUTHN, AUTHZ, LAST, resource(patch))
    assert [name.removeprefix("shop.") for name in found] == expected.split()


def test_resources_are_applied_by_priority_then_those_of_the_root_namespace_then_by_name() -> None:
    found = names(
        resource(put("INSERT_FIRST", wasm("late")), name="late", priority=10),
        resource(put("INSERT_FIRST", wasm("b")), name="b"),
        resource(put("INSERT_FIRST", wasm("a1")), put("INSERT_FIRST", wasm("a2")), name="a"),
        resource(put("INSERT_FIRST", wasm("root")), namespace="istio-system", name="z"),
        resource(put("INSERT_FIRST", wasm("early")), name="early", priority=-10),
    )
    assert found == ["late", "b", "a2", "a1", "root", "early"]


def test_a_filter_is_configured_by_its_name_elsewhere() -> None:
    discovered = {"name": "opa", "config_discovery": {"config_source": {"ads": {}}, "type_urls": [WASM]}}
    config = {
        "configuration": {"@type": f"{TYPE}google.protobuf.StringValue", "value": "hello"},
        "vm_config": VM,
    }
    typed = {"@type": f"{TYPE}udpa.type.v1.TypedStruct", "type_url": WASM, "value": {"config": config}}
    extension = {
        "applyTo": "EXTENSION_CONFIG",
        "patch": {"operation": "ADD", "value": {"name": "opa", "typed_config": typed}},
    }
    (found,) = read(resource(put("INSERT_FIRST", discovered), extension)).plugins
    assert (found.name, found.config) == ("opa", b"hello")


def test_a_module_that_istios_agent_fetches_needs_no_digest() -> None:
    remote = {"remote": {"http_uri": {"uri": "oci://x/y:1"}, "sha256": "nil"}}
    (found,) = read(resource(put("INSERT_FIRST", wasm("a", vm_config={"code": remote})))).plugins
    assert found.module[:4] == ("oci://x/y:1", "", b"", "")


def test_a_filter_for_connections_is_put_before_the_connection_manager() -> None:
    kind = WASM.replace("http", "network")
    value = {"name": "tcp", "typed_config": {**wasm("tcp")["typed_config"], "@type": kind}}
    match = {"listener": {"filterChain": {"filter": {"name": "envoy.tcp_proxy"}}}}
    patch = {
        "applyTo": "NETWORK_FILTER",
        "match": match,
        "patch": {"operation": "INSERT_BEFORE", "value": value},
    }
    (found,) = read(resource(patch)).plugins
    assert (found.name, found.network) == ("tcp", True)


def test_a_cluster_that_is_added_can_be_called() -> None:
    endpoint = {"endpoint": {"address": {"socket_address": {"address": "auth.shop", "port_value": 80}}}}
    cluster = {"name": "auth", "load_assignment": {"endpoints": [{"lb_endpoints": [endpoint]}]}}
    added = {"applyTo": "CLUSTER", "patch": {"operation": "ADD", "value": cluster}}
    (found,) = read(resource(put("INSERT_FIRST", wasm("a")), added)).clusters
    assert (found.name, found.addresses) == ("auth", ("auth.shop:80",))


def test_of_contexts_the_first_is_run_or_the_one_that_is_named() -> None:
    both = resource(
        put("INSERT_FIRST", wasm("in"), context="SIDECAR_INBOUND"),
        put("INSERT_FIRST", wasm("gate"), context="GATEWAY"),
    )
    found = read(both)
    assert [each.name for each in found.plugins] == ["in"]
    assert "patches for GATEWAY are left out, as those for SIDECAR_INBOUND are run" in found.told[0]
    assert [each.name for each in read(both, listener="GATEWAY").plugins] == ["gate"]
    told = read(both, listener="GATE").told
    assert told[0].endswith("no patch is for `GATE` (--listener): they are for SIDECAR_INBOUND, GATEWAY")


def test_of_versions_of_the_proxy_the_last_is_run() -> None:
    def version(text: str) -> dict[str, Any]:
        return put("INSERT_FIRST", wasm(text), proxy={"proxyVersion": text})

    found = read(resource(version("^1.8.*"), version("^1.9.*")))
    assert [each.name for each in found.plugins] == ["^1.9.*"]
    assert "patches for proxyVersion `^1.8.*` are left out" in found.told[0]


def said_of(*patches: object) -> list[str]:
    """What is told, without places."""
    return [text.partition(": ")[2] for text in read(resource(*patches)).told]


def test_what_a_patch_says_that_is_not_looked_at_is_told() -> None:
    filter_chain = {"filter": {"name": MANAGER}, "sni": "a.example"}
    patch = put("INSERT_FIRST", wasm("a"), proxy={"proxyVersion": "^1.9.*", "metadata": {"A": "b"}},
                listener={"portNumber": 80, "filterChain": filter_chain, "filterChian": {}})  # fmt: skip
    patch["patch"]["filterClass"] = "AUTHN"
    assert said_of(patch) == [
        "`filterClass` does nothing in Istio: `match` and `operation` say the place",
        "`metadata` of the proxy is not looked at: the patch is run",
        "`listener` has no field `filterChian` (did you mean `filterChain`?): Kubernetes drops it or refuses it",
        "`portNumber` of the listener is not looked at: simwasm has one listener, with all traffic",
        "`sni` of the filter chain is not looked at: simwasm has one filter chain, with all traffic",
        "proxyVersion `^1.9.*` is not compared with any version: the patch is run",
    ]


@pytest.mark.parametrize("patch", [put("ADD", wasm("a")), put("INSERT_AFTER", wasm("a"), "envoy.router")])
def test_a_filter_behind_the_router_is_told_as_envoy_refuses_it(patch: object) -> None:
    router = "`envoy.filters.http.router`"
    assert said_of(patch) == [
        f"the filter `a` stands behind {router}, which has to be the last: Envoy refuses this"
    ]


def test_a_filter_without_a_type_is_told() -> None:
    assert said_of(put("INSERT_FIRST", {"name": "a"}), put("INSERT_FIRST", wasm("b"))) == [
        "the filter `a` has no `typed_config`, and is passed over: Envoy knows a filter by its type"
    ]


def test_the_oldest_form_is_answered() -> None:
    old = {**resource(), "spec": {"filters": [{"filterName": "envoy.filters.http.wasm"}]}}
    with pytest.raises(ConfigError, match="each is one of `configPatches` today"):
        read(old)


def test_what_is_no_wasm_is_told() -> None:
    lua = {"name": "lua", "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.lua.v3.Lua"}}
    route = {"applyTo": "HTTP_ROUTE", "patch": {"operation": "MERGE", "value": {}}}
    told = read(
        resource(put("INSERT_FIRST", lua), route, put("INSERT_FIRST", wasm("a")), workloadSelector={})
    ).told
    assert [text.partition(": ")[2] for text in told] == [
        "`workloadSelector` is not looked at: simwasm runs the plugin on all traffic that it is given",
        "a patch of HTTP_ROUTE is no filter, and passed over",
        "the filter `lua` is no Wasm, and passed over",
    ]


def test_the_old_form_is_read_and_told() -> None:
    value = {
        "name": "old",
        "config": {"config": {"name": "old", "vm_config": VM, "rootId": "r", "strange": 1}},
    }
    found = read(resource(put("INSERT_FIRST", value)))
    assert [(each.name, each.root_id) for each in found.plugins] == [("old", "r")]
    assert ["`config` is not known to Envoy any more" in found.told[0], "has no field `strange`" in found.told[1]] == [
        True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({}, "`applyTo` is missing"),
        ({"applyTo": "FILTER"}, "`applyTo` is one of LISTENER"),
        ({"applyTo": "HTTP_FILTER"}, "`patch` is missing"),
        ({"applyTo": "HTTP_FILTER", "patch": {}}, "`operation` is missing"),
        ({"applyTo": "HTTP_FILTER", "patch": {"operation": "ADD"}}, "`value` is missing: ADD needs one"),
        (put("INSERT_FIRST", {}, context="SIDECAR"), "`context` is one of ANY"),
        (
            {**put("INSERT_BEFORE", {}, "envoy.router"), "applyTo": "NETWORK_FILTER"},
            "with applyTo: HTTP_FILTER only",
        ),
        (put("INSERT_FIRST", {}, listener={"filterChain": {"filter": {}}}), "`filter` has no `name`"),
    ],
)
def test_what_istio_refuses_is_refused(patch: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(resource(patch))
    assert said in str(caught.value)
