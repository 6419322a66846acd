"""A WasmPlugin becomes what Istio's control plane would make of it. Envoy is given only the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.config.deployment import Deployed, Deployment, read_deployment
from simwasm.errors import ConfigError
from simwasm.plugin import FailPolicy
from simwasm.recipe import Recipe
from simwasm.recipe import plugin as plugin_of

ROOT = Path(__file__).parents[2]
HEAD = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  name: auth\n"
URL = "  url: file:///plugin.wasm\n"


def read(spec: str, head: str = HEAD) -> Deployed:
    (found,) = read_all(f"{head}spec:\n{spec}").plugins
    return found


def read_all(text: str) -> Deployment:
    return read_deployment("p.yaml", text)


def document(name: str, spec: str = "", metadata: str = "") -> str:
    return f"kind: WasmPlugin\nmetadata: {{name: {name}, {metadata}}}\nspec:\n{URL}{spec}"


def names(*documents: str) -> list[str]:
    return [each.name for each in read_all("---\n".join(documents)).plugins]


class TestName:
    """Its name, its root and its configuration."""

    pytestmark = pytest.mark.envoy(196)

    def test_the_name_has_the_namespace_before_it(self) -> None:
        assert read(URL, HEAD + "  namespace: shop\n").name == "shop.auth"
        assert read(URL).name == "default.auth"

    def test_plugin_name_is_the_root_id(self) -> None:
        assert read(URL + "  pluginName: my_root\n").plugin(b"").root_id == "my_root"

    def test_the_configuration_is_json_and_nothing_where_there_is_none(self) -> None:
        config = "  pluginConfig:\n    b: [1, 2.5, true, null, é]\n    a: {x: 1e3, z: 2026-11-21, y: <}\n"
        assert (
            read(URL + config).config.decode()
            == '{"a":{"true":"\\u003c","x":1000,"z":"2026-11-21"},"b":[1,2.5,true,null,"é"]}'
        )
        assert read(URL).config == read(URL + "  pluginConfig: {}\n").config == b""


@pytest.mark.envoy(197)
@pytest.mark.parametrize(
    ("strategy", "policy"),
    [
        ("", "FAIL_CLOSED"),
        ("FAIL_CLOSE", "FAIL_CLOSED"),
        ("FAIL_OPEN", "FAIL_OPEN"),
        ("FAIL_RELOAD", "FAIL_RELOAD"),
    ],
)
def test_the_fail_strategy_is_the_fail_policy(strategy: str, policy: str) -> None:
    spec = URL + (f"  failStrategy: {strategy}\n" if strategy else "")
    assert read(spec).plugin(b"").fail_policy is FailPolicy[policy]


@pytest.mark.envoy(198)
def test_the_environment_is_given_or_the_proxys_own() -> None:
    variables = (
        "    - {name: A, value: one}\n    - {name: B, valueFrom: HOST}\n    - {name: C, valueFrom: HOST}\n"
    )
    found = read(f"{URL}  vmConfig:\n    env:\n{variables}")
    assert found.plugin(b"", host={"B": "two", "D": "no"}).env == {"A": "one", "B": "two"}


@pytest.mark.envoy(198)
def test_a_variable_that_is_there_twice_is_refused() -> None:
    env = "  vmConfig:\n    env:\n    - {name: A, value: one}\n    - {name: A, valueFrom: HOST}\n"
    with pytest.raises(ConfigError, match=r"p\.yaml:10:8: the variable `A` is there twice"):
        read(URL + env)


class TestPlace:
    """Where the module is, and where the plugin stands in the chain."""

    pytestmark = pytest.mark.envoy(199)

    def test_plugins_run_by_phase_and_then_by_priority(self) -> None:
        found = names(
            document("last"),
            document("stats", "  phase: STATS\n"),
            document("authz", "  phase: AUTHZ\n  priority: 1\n"),
            document("authz-first", "  phase: AUTHZ\n  priority: 10\n"),
            "kind: Service\n",
            document("authn", "  phase: AUTHN\n  priority: -5\n"),
        )
        assert found == [
            "default.authn",
            "default.authz-first",
            "default.authz",
            "default.stats",
            "default.last",
        ]

    def test_one_without_a_priority_runs_behind_those_with_one(self) -> None:
        assert names(document("a"), document("b", "  priority: -1000\n")) == ["default.b", "default.a"]

    def test_of_the_same_priority_the_root_namespace_is_last_then_the_older_first_then_the_name(self) -> None:
        found = names(
            document("a", metadata="namespace: istio-system"),
            document("d", metadata="namespace: shop, creationTimestamp: '2026-01-02T00:00:00Z'"),
            document("c", metadata="namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'"),
            document("b", metadata="namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z'"),
        )
        assert found == ["shop.b", "shop.c", "shop.d", "istio-system.a"]

    def test_lists_are_what_is_in_them(self) -> None:
        plugin = "{kind: WasmPlugin, metadata: {name: a}, spec: {url: x/y:1}}"
        assert names(f"kind: List\nitems:\n- {plugin}\n- {{kind: Service}}") == ["default.a"]
        assert names(f'{{"kind": "WasmPluginList", "items": [{plugin}]}}') == ["default.a"]

    @pytest.mark.parametrize(
        "url",
        [
            "ghcr.io/shop/auth:1",
            "registry:5000/auth:1",
            "oci://ghcr.io/shop/auth:1",
            "https://shop.example/auth.wasm",
        ],
    )
    def test_a_url_is_an_image_if_it_has_no_scheme(self, url: str) -> None:
        assert read(f"  url: {url}\n").module.url == url

    def test_how_it_is_fetched_is_said_beside_it(self) -> None:
        digest = "a" * 64
        found = read(f"  url: x/y:1\n  sha256: {digest}\n  imagePullPolicy: Always\n").module
        assert (found.sha256, found.pull) == (digest, "Always")

    def test_the_type_says_whether_it_is_for_connections(self) -> None:
        assert read(URL + "  type: NETWORK\n").plugin(b"").network
        assert not read(URL).plugin(b"").network


@pytest.mark.envoy(200)
@pytest.mark.parametrize(
    ("strategy", "said"),
    [("FAIL_OPEN", "lets every request pass"), ("FAIL_CLOSE", "refuses every request with 403"),
     ("FAIL_RELOAD", "refuses every request with 403")],
)  # fmt: skip
def test_a_module_that_is_not_there_says_what_istio_would_do(strategy: str, said: str) -> None:
    assert said in read(f"{URL}  failStrategy: {strategy}\n").without


def test_what_is_ignored_and_what_is_not_known_is_told_with_its_place() -> None:
    spec = (
        "  selector: {matchLabels: {app: shop}}\n  match: [{mode: SERVER, ports: [{number: 80}]}]\n"
        "  verificationKey: key\n  imagePullSecret: secret\n  plugin_config: {}\n"
    )
    assert read_all(f"{HEAD}spec:\n{URL}{spec}").told == (
        "p.yaml:11:3: a WasmPlugin's spec has no field `plugin_config` (did you mean `pluginConfig`?): Kubernetes "
        "drops it or refuses it",
        "p.yaml:7:3: `selector` is not looked at: simwasm runs the plugin on all traffic that it is given",
        "p.yaml:8:3: `match` is not looked at: simwasm runs the plugin on all traffic that it is given",
        "p.yaml:9:3: `verificationKey` is not looked at, by Istio neither",
        "p.yaml:10:3: `imagePullSecret` is a Secret of the cluster: here docker's login is used",
    )  # fmt: skip


class TestRun:
    """A WasmPlugin in the place of the module."""

    MODULE = ROOT / "samples" / "config_loading" / "plugin.wasm"

    def test_it_is_the_plugin_that_it_describes(self, tmp_path: Path) -> None:
        path = tmp_path / "plugin.yaml"
        path.write_text(
            HEAD + f"spec:\n  url: file://{self.MODULE}\n  pluginConfig: {{header: x}}\n  pluginName: r\n"
        )
        found = plugin_of(Recipe(str(path), env=("A=b",)))
        assert (found.name, found.root_id, found.config) == ("default.auth", "r", b'{"header":"x"}')
        assert (found.wasm, dict(found.env)) == (self.MODULE.read_bytes(), {"A": "b"})


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "p.yaml:1:1: WasmPlugin auth: its `spec` is missing"),
        ("  pluginName: x\n", "p.yaml:6:3: `url` is missing"),
        ("  url: 5\n", "p.yaml:6:8: a WasmPlugin's spec: `url` is a number, not a text"),
        ("  url: ftp://x/y\n", "`ftp://x/y`: Istio refuses it: a url is oci://"),
        ("  url: /opt/x.wasm\n", "a path of the proxy is file:///path"),
        (URL + "  sha256: abc\n", "p.yaml:7:3: `sha256` is 64 of 0-9 and a-f"),
        (f"  url: x@sha256:{'a' * 64}\n  sha256: {'b' * 64}\n", "is not the digest that the `url` has"),
        (URL + "  failStrategy: never\n", "is one of FAIL_CLOSE, FAIL_OPEN, FAIL_RELOAD, not `never`"),
        (URL + "  phase: AUTH\n", "not `AUTH` (did you mean `AUTHZ`?)"),
        (URL + "  priority: high\n", "p.yaml:7:13: a WasmPlugin's spec: `priority` is a text, not a whole number"),
        (URL + "  priority: 3000000000\n", "is 3000000000, not from -2147483648 to 2147483647"),
        (URL + "  pluginName: ''\n", "`pluginName` has 0 characters"),
        (URL + "  pluginConfig: text\n", "`pluginConfig` is a text, not a mapping"),
        (URL + "  pluginConfig: {a: .inf}\n", "p.yaml:7:21: `.inf` is no number that JSON has"),
        (URL + "  pluginConfig: {1: a, '1': b}\n", "`1` is there twice"),
        (URL + "  vmConfig: {env: [{value: a}]}\n", "a variable has a `name`"),
        (URL + "  vmConfig: {env: [{name: a, valueFrom: HOST, value: b}]}\n", "a variable from HOST has no `value`"),
        (URL + "  vmConfig: {env: [{name: a, value: yes}]}\n", "`value` is true, not a text"),
        (URL + "  match: [{ports: [{number: 0}]}]\n", "`number` is 0, not from 1 to 65535"),
        (URL + "  match: [{mode: BOTH}]\n", "`mode` is one of"),
        (URL + "  selector: {}\n  targetRefs: []\n", "only one of `selector` and `targetRefs`"),
    ],
)  # fmt: skip
def test_what_istio_or_kubernetes_refuses_is_refused_with_its_place(spec: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_all(f"{HEAD}spec:\n{spec}")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: WasmPlugin\nmetadata: 3\n", "p.yaml:2:11: metadata is a number, not a mapping"),
        ("kind: WasmPlugin\n", "p.yaml:1:1: WasmPlugin: metadata.name is missing"),
        ("kind: WasmPlugin\nmetadata: {name: My_Plugin}\n", "`My_Plugin` is no name that Kubernetes takes"),
        ("kind: WasmPlugin\nmetadata: {name: a}\n", "its `spec` is missing"),
    ],
)
def test_a_resource_without_its_parts_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_all(text)
    assert said in str(caught.value)
