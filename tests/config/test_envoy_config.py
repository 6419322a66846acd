"""Envoy's own configuration: which chain is meant, what its plugins are, and what is told of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simwasm.config.deployment import ClusterAt, Deployed, Deployment, read_deployment
from simwasm.errors import ConfigError
from simwasm.plugin import FailPolicy

ROOT = Path(__file__).parents[2]
TYPE = "type.googleapis.com/"
WASM = f"{TYPE}envoy.extensions.filters.http.wasm.v3.Wasm"
TEXT = f"{TYPE}google.protobuf.StringValue"
VM: dict[str, Any] = {"code": {"local": {"filename": "a.wasm"}}}


def read(content: object, listener: str = "", file: str = "e.yaml") -> Deployment:
    return read_deployment(file, json.dumps(content), listener=listener)


def plugin(**config: Any) -> dict[str, Any]:
    """A filter with one plugin."""
    whole = {"name": "p", "vm_config": VM, **config}
    return {"name": "wasm", "typed_config": {"@type": WASM, "config": whole}}


def only(**config: Any) -> Deployed:
    (found,) = read(plugin(**config)).plugins
    return found


def listener(name: str, *http: dict[str, Any], network: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    kind = f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = {"name": "r", "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"}}
    manager = {"name": "hcm", "typed_config": {"@type": kind, "http_filters": [*http, router]}}
    return {"name": name, "filter_chains": [{"filters": [*network, manager]}]}


def bootstrap(*listeners: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"static_resources": {"listeners": list(listeners), **more}}


def test_a_sample_is_read_whole() -> None:
    path = ROOT / "samples" / "http_auth" / "envoy.yaml"
    found = read_deployment(path)
    (auth,) = found.plugins
    assert (auth.name, auth.vm_id, auth.config) == ("http_auth", "http_auth", b'{"cluster": "auth"}')
    assert (auth.fail_policy, auth.reload_after_ms) == (FailPolicy.FAIL_RELOAD, 2000)
    assert auth.module.path == "plugin.wasm"
    assert [(each.name, each.addresses) for each in found.clusters] == [
        ("app", ("localhost:8000",)),
        ("auth", ("localhost:9000",)),
    ]
    assert found.told == (f"{path}:12:17: the HTTP connection manager's `route_config`: not looked at here",)


class TestPlugin:
    """The fields of one plugin."""

    def test_what_a_plugin_is_told(self) -> None:
        found = only(
            root_id="root",
            configuration={"@type": TEXT, "value": "hello"},
            vm_config={
                **VM, "vm_id": "vm", "configuration": {"@type": f"{TYPE}google.protobuf.BytesValue", "value": "AP8"},
                "environment_variables": {"host_env_keys": ["A", "B"], "key_values": {"C": "d"}},
            },
            allow_on_headers_stop_iteration=True,
            capability_restriction_config={"allowed_capabilities": {"proxy_log": {}, "proxy_on_tick": None}},
        ).plugin(b"", host={"A": "a"})  # fmt: skip
        assert (found.root_id, found.config, found.vm_id, found.vm_config) == (
            "root",
            b"hello",
            "vm",
            b"\0\xff",
        )
        assert (dict(found.env), set(found.allowed)) == ({"C": "d", "A": "a"}, {"proxy_log", "proxy_on_tick"})
        assert found.stop_iteration_on_headers

    @pytest.mark.parametrize(
        ("fields", "policy"),
        [
            ({}, FailPolicy.FAIL_CLOSED),
            ({"fail_open": True}, FailPolicy.FAIL_OPEN_AT_ONCE),
            ({"failure_policy": "FAIL_OPEN"}, FailPolicy.FAIL_OPEN),
            ({"failurePolicy": "fail_reload"}, FailPolicy.FAIL_RELOAD),
            ({"failure_policy": 2}, FailPolicy.FAIL_CLOSED),
            ({"failure_policy": "3"}, FailPolicy.FAIL_OPEN),
        ],
    )
    def test_what_happens_when_it_fails(self, fields: dict[str, Any], policy: FailPolicy) -> None:
        assert only(**fields).fail_policy is policy

    @pytest.mark.parametrize(
        ("kind", "value", "arrives"),
        [
            ("StringValue", "some text, ä", "some text, ä".encode()),
            ("Struct", {"a": [1, True, None, "x"]}, bytes.fromhex(
                "0a1f0a016112 1a 3218 0a09 11000000000000f03f 0a022001 0a020800 0a031a0178".replace(" ", "")
            )),
            ("Int32Value", 5, b"\x08\x05"),
            ("BoolValue", True, b"\x08\x01"),
            ("Empty", None, b""),
        ],
    )  # fmt: skip
    def test_a_configuration_arrives_by_its_type(self, kind: str, value: object, arrives: bytes) -> None:
        typed = {"@type": f"{TYPE}google.protobuf.{kind}", **({} if value is None else {"value": value})}
        assert only(configuration=typed).config == arrives

    @pytest.mark.parametrize(
        ("code", "module"),
        [
            ({"local": {"inline_bytes": "AGFzbQ=="}}, ("", "", b"\0asm", "")),
            ({"local": {"inline_string": "text"}}, ("", "", b"text", "")),
            ({"remote": {"http_uri": {"uri": "http://a/b.wasm", "cluster": "c", "timeout": "1s"}, "sha256": "ab"}},
             ("http://a/b.wasm", "", b"", "ab")),
        ],
    )  # fmt: skip
    def test_where_its_module_is(self, code: dict[str, Any], module: tuple[str, str, bytes, str]) -> None:
        assert only(vm_config={"code": code}).module[:4] == module

    def test_a_typed_struct_stands_for_its_type(self) -> None:
        config = {"vmConfig": VM, "name": "p"}
        typed = {"@type": f"{TYPE}xds.type.v3.TypedStruct", "typeUrl": WASM, "value": {"config": config}}
        assert [each.name for each in read({"name": "f", "typedConfig": typed}).plugins] == ["p"]

    def test_what_does_not_matter_here_is_told(self) -> None:
        more = {
            "allow_precompiled": True,
            "nack_on_code_cache_miss": True,
            "runtime": "envoy.wasm.runtime.wamr",
        }
        told = read(plugin(vm_config={**VM, **more})).told
        assert [text.partition(": ")[2] for text in told] == [
            "the runtime `envoy.wasm.runtime.wamr` is not looked at: --engine chooses one here",
            "`allow_precompiled` changes nothing here: the module itself is run",
            "`nack_on_code_cache_miss` changes nothing here: the module is fetched before anything runs",
        ]

    def test_a_capability_that_nobody_has_is_told(self) -> None:
        allowed: dict[str, Any] = {"proxy_log": {}, "proxy_get_headr_map_value": {}}
        told = read(plugin(capability_restriction_config={"allowed_capabilities": allowed})).told
        assert [text.partition(": ")[2] for text in told] == [
            "there is no capability `proxy_get_headr_map_value` (did you mean `proxy_get_header_map_value`?): it "
            "allows nothing"
        ]

    def test_one_that_is_a_part_of_envoy_is_left_out(self) -> None:
        native = plugin(
            vm_config={"runtime": "envoy.wasm.runtime.null", "code": {"local": {"inline_string": "stats"}}}
        )
        found = read([native, plugin()])
        assert len(found.plugins) == 1
        assert "the plugin is a part of Envoy (runtime null)" in found.told[0]

    @pytest.mark.parametrize(
        ("config", "said"),
        [
            ({"rootid": "a"}, "has no field `rootid` (did you mean `root_id`?)"),
            ({"root_id": 5}, "`root_id` is a number, not a text"),
            ({"root_id": "a", "rootId": "a"}, "has `root_id` already, under its other name"),
            ({"failure_policy": "NEVER"}, "`failure_policy` is one of UNSPECIFIED, FAIL_RELOAD"),
            (
                {"fail_open": True, "failure_policy": "FAIL_OPEN"},
                "only one of `fail_open` and `failure_policy`",
            ),
            ({"fail_open": 1}, "`fail_open` is a number, not true or false"),
            ({"reload_config": {"backoff": {"base_interval": 2}}}, "`base_interval` is a number, not a text"),
            ({"reload_config": {"backoff": {}}}, "`base_interval` is a duration like 1s"),
            ({"reload_config": {"backoff": {"base_interval": "0.0001s"}}}, "Envoy wants at least 0.001s"),
            ({"configuration": "text"}, "`configuration` is a text, not a message with its type"),
            ({"configuration": {"value": "a"}}, "its `@type` is missing"),
            ({"configuration": {"@type": "google.protobuf.StringValue"}}, "is no type: it begins with"),
            ({"configuration": {"@type": TEXT, "value": 5}}, "`value` is a number, not a text"),
            ({"configuration": {"@type": TEXT, "text": "a"}}, "a StringValue has no field `text`"),
            ({"vm_config": {}}, "`code` is missing"),
            ({"vm_config": {"code": {"local": {}}}}, "`local` is empty"),
            (
                {"vm_config": {"code": {"local": {"filename": "a", "inline_string": "b"}}}},
                "only one of `filename`",
            ),
            ({"vm_config": {"code": {"local": {"inline_bytes": "!"}}}}, "`inline_bytes` is not base 64"),
            ({"vm_config": {"code": {"remote": {"http_uri": {"uri": "http://a"}}}}}, "`sha256` is missing"),
            (
                {"vm_config": {**VM, "environment_variables": {"host_env_keys": ["A", "A"]}}},
                "`A` is there twice",
            ),
            ({"vm_config": {**VM, "environment_variables": {"key_values": {"A": 5}}}}, "put it into quotes"),
            (
                {"capability_restriction_config": {"allowed_capabilities": ["proxy_log"]}},
                "is a list, not a mapping",
            ),
        ],
    )
    def test_what_envoy_refuses_is_refused(self, config: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigError) as caught:
            only(**config)
        assert said in str(caught.value)
        assert str(caught.value).startswith("e.yaml:")


class TestChain:
    """Which filters run, in which order."""

    def test_plugins_run_in_the_order_of_the_filters(self) -> None:
        tcp = {
            "name": "n",
            "typed_config": {
                **plugin(name="first")["typed_config"],
                "@type": WASM.replace("http", "network"),
            },
        }
        found = read(bootstrap(listener("in", plugin(name="a"), plugin(name="b"), network=(tcp,))))
        assert [(each.name, each.network) for each in found.plugins] == [
            ("first", True),
            ("a", False),
            ("b", False),
        ]

    def test_one_that_is_disabled_is_left_out_and_others_are_named(self) -> None:
        lua = {"name": "lua", "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.lua.v3.Lua"}}
        found = read(bootstrap(listener("in", lua, {**plugin(name="a"), "disabled": True}, plugin(name="b"))))
        assert [each.name for each in found.plugins] == ["b"]
        assert "listener `in`: filters that are not simulated: `http.lua.v3.Lua`" in found.told[-1]
        assert "the filter `wasm` is disabled and left out" in found.told[0]

    def test_what_envoy_refuses_of_a_chain_is_told(self) -> None:
        late = listener("in", plugin(name="a"), {"name": "untyped"})
        late["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"].append(plugin(name="b"))
        assert [text.partition(": ")[2] for text in read(bootstrap(late)).told] == [
            "the filter `untyped` has no `typed_config`, and is passed over: Envoy knows a filter by its type",
            "the filter `wasm` stands behind `r`, which has to be the last: Envoy refuses this",
        ]

    def test_routes_that_change_what_a_plugin_does_are_told(self) -> None:
        off = {"wasm": {"@type": f"{TYPE}envoy.config.route.v3.FilterConfig", "disabled": True}, "other": {}}
        routes = {"resources": [{
            "@type": f"{TYPE}envoy.config.route.v3.RouteConfiguration",
            "virtual_hosts": [{"routes": [{"typed_per_filter_config": off}, {"typedPerFilterConfig": off}]}],
        }]}  # fmt: skip
        found = read([bootstrap(listener("in", plugin())), routes])
        assert [text.partition(": ")[2] for text in found.told] == [
            "routes say of the filter `wasm` what it does there (2 × `typed_per_filter_config`): not looked at, the "
            "plugin runs for every request"
        ]

    def test_of_several_listeners_one_is_chosen(self) -> None:
        both = bootstrap(
            listener("in", plugin(name="a")), listener("out", plugin(name="b")), listener("none")
        )
        with pytest.raises(ConfigError, match="choose one by --listener NAME; there are `in`, `out`"):
            read(both)
        assert [each.name for each in read(both, "out").plugins] == ["b"]
        with pytest.raises(ConfigError, match="has no listener called `other`"):
            read(both, "other")

    def test_of_several_with_the_same_plugins_nobody_has_to_choose(self) -> None:
        found = read(bootstrap(listener("in", plugin()), listener("out", plugin())))
        assert len(found.plugins) == 1
        assert "1 other chains have the same plugins" in found.told[0]

    def test_wasm_that_is_no_filter_is_told(self) -> None:
        log = {"name": "l", "typed_config": {
            "@type": f"{TYPE}envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", "config": {"vm_config": VM},
        }}  # fmt: skip
        found = read(bootstrap({**listener("in", plugin()), "access_log": [log]}))
        assert [text.partition(": ")[2] for text in found.told] == [
            "the listener's `access_log`: not looked at here",
            "an access logger is written in Wasm here, which simwasm does not run",
        ]

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            (WASM.replace("http", "network"), "is a filter for TCP connections among those for HTTP"),
            (
                f"{TYPE}envoy.config.filter.http.wasm.v2.Wasm",
                "is no type of a filter today: a Wasm filter is a",
            ),
        ],
    )
    def test_a_filter_in_the_wrong_place_or_of_another_time_is_refused(self, kind: str, said: str) -> None:
        wrong = {"name": "net", "typed_config": {**plugin()["typed_config"], "@type": kind}}
        with pytest.raises(ConfigError, match=said):
            read(bootstrap(listener("in", wrong)))


class TestShapes:
    """What may be handed over."""

    @pytest.mark.parametrize(
        "content",
        [
            bootstrap(listener("in", plugin())),
            listener("in", plugin()),
            [listener("in", plugin())],
            listener("in", plugin())["filter_chains"][0],
            {"http_filters": [plugin()]},
            [plugin()],
            plugin()["typed_config"],
            {"config": plugin()["typed_config"]["config"]},
            plugin()["typed_config"]["config"],
            {"resources": [{"@type": f"{TYPE}envoy.config.listener.v3.Listener", **listener("in", plugin())}]},
        ],
        ids="bootstrap listener listeners chain manager filters typed wasm plugin resources".split(),
    )  # fmt: skip
    def test_any_piece_with_a_plugin_is_read(self, content: object) -> None:
        assert [each.name for each in read(content).plugins] == ["p"]

    def test_a_dump_of_the_admin_port_has_listeners_clusters_endpoints_and_what_was_discovered(self) -> None:
        admin = f"{TYPE}envoy.admin.v3."
        found = {"name": "late", "config_discovery": {"config_source": {"ads": {}}, "type_urls": [WASM]}}
        endpoint = {"endpoint": {"address": {"socket_address": {"address": "10.0.0.1", "port_value": 80}}}}
        dump = {"configs": [
            {"@type": f"{admin}BootstrapConfigDump", "bootstrap": bootstrap(listener("in", plugin()))},
            {"@type": f"{admin}ListenersConfigDump", "dynamic_listeners": [
                {"name": "in", "active_state": {"listener": listener("in", plugin(), found)}},
            ]},
            {"@type": f"{admin}ClustersConfigDump", "dynamic_active_clusters": [{"cluster": {"name": "c"}}]},
            {"@type": f"{admin}EndpointsConfigDump", "dynamic_endpoint_configs": [
                {"endpoint_config": {"cluster_name": "c", "endpoints": [{"lb_endpoints": [endpoint]}]}},
            ]},
            {"@type": f"{admin}EcdsConfigDump", "ecds_filters": [
                {"ecds_filter": {"name": "late", "typed_config": plugin(name="q")["typed_config"]}},
            ]},
        ]}  # fmt: skip
        deployment = read(dump, file="dump.json")
        assert [each.name for each in deployment.plugins] == ["p", "q"]
        assert [each[:2] for each in deployment.clusters] == [("c", ("10.0.0.1:80",))]

    def test_a_filter_that_is_configured_elsewhere_is_told(self) -> None:
        default = {"@type": f"{TYPE}envoy.extensions.filters.http.composite.v3.Composite"}
        late = {"name": "late", "config_discovery": {"type_urls": [WASM], "default_config": default}}
        found = read([late, {"name": "later", "config_discovery": {"type_urls": [WASM]}}, plugin()])
        assert [text.partition(": ")[2] for text in found.told] == [
            "the Wasm filter `late` is configured elsewhere (config_discovery): its default is run",
            "the Wasm filter `later` is configured elsewhere (config_discovery): left out; a whole /config_dump has "
            "it, too",
            "the filters: filters that are not simulated: `http.composite.v3.Composite`",
        ]

    def test_where_the_only_plugin_is_configured_elsewhere_that_is_the_answer(self) -> None:
        late = {"name": "late", "config_discovery": {"config_source": {"ads": {}}, "type_urls": [WASM]}}
        with pytest.raises(ConfigError, match="the Wasm filter `late` is configured elsewhere"):
            read([listener("in", late), listener("out", {**plugin(), "disabled": True})])

    def test_a_cluster_says_how_it_is_spoken_to(self) -> None:
        options: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
        name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        cluster = {"name": "c", "typed_extension_protocol_options": {name: options}}
        (found,) = read(bootstrap(listener("in", plugin()), clusters=[cluster])).clusters
        assert found[:3] == ClusterAt("c", (), True)[:3]

    def test_a_recipe_for_configurations_is_nothing_of_envoys(self) -> None:
        with pytest.raises(ConfigError, match="has no `kind`, and is nothing of Envoy's"):
            read({"resources": ["a.yaml"], "namePrefix": "x-"})
