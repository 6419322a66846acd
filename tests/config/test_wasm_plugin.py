"""A WasmPlugin becomes what Istio's control plane would make of it. Envoy is given only the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwasm.config.wasm_plugin import WasmPlugin, read_wasm_plugins, to_json
from simwasm.errors import ConfigError, InputError
from simwasm.plugin import FailPolicy
from simwasm.recipe import Recipe
from simwasm.recipe import plugin as plugin_of

ROOT = Path(__file__).parents[2]
HEAD = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  name: auth\n"
URL = "  url: file:///plugin.wasm\n"


def read(tmp_path: Path, spec: str, head: str = HEAD) -> WasmPlugin:
    (found,) = read_all(tmp_path, f"{head}spec:\n{spec}")
    return found


def read_all(tmp_path: Path, text: str) -> tuple[WasmPlugin, ...]:
    path = tmp_path / "plugin.yaml"
    path.write_text(text)
    return read_wasm_plugins(path)


class TestName:
    """Its name, its root and its configuration."""

    pytestmark = pytest.mark.envoy(196)

    def test_the_name_has_the_namespace_before_it(self, tmp_path: Path) -> None:
        assert read(tmp_path, URL, HEAD + "  namespace: shop\n").name == "shop.auth"
        assert read(tmp_path, URL).name == "default.auth"

    def test_plugin_name_is_the_root_id(self, tmp_path: Path) -> None:
        assert read(tmp_path, URL + "  pluginName: my_root\n").plugin(b"").root_id == "my_root"

    def test_the_configuration_is_json_and_nothing_where_there_is_none(self, tmp_path: Path) -> None:
        config = "  pluginConfig:\n    b: [1, 2.5, true, null, é]\n    a: {x: 1e3, y: 2026-11-21}\n"
        assert (
            read(tmp_path, URL + config).config.decode()
            == '{"a":{"x":1000,"y":"2026-11-21"},"b":[1,2.5,true,null,"é"]}'
        )
        assert read(tmp_path, URL).config == b""
        assert read(tmp_path, URL + "  pluginConfig: {}\n").config == b"{}"


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
def test_the_fail_strategy_is_the_fail_policy(tmp_path: Path, strategy: str, policy: str) -> None:
    spec = URL + (f"  failStrategy: {strategy}\n" if strategy else "")
    assert read(tmp_path, spec).plugin(b"").fail_policy is FailPolicy[policy]


@pytest.mark.envoy(198)
def test_the_environment_is_given_or_the_proxys_own(tmp_path: Path) -> None:
    names = (
        "    - {name: A, value: one}\n    - {name: B, valueFrom: HOST}\n    - {name: C, valueFrom: HOST}\n"
    )
    env = f"  vmConfig:\n    env:\n{names}"
    found = read(tmp_path, URL + env)
    assert found.plugin(b"", {"B": "two", "D": "no"}).env == {"A": "one", "B": "two"}


@pytest.mark.envoy(198)
def test_a_variable_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    env = "  vmConfig:\n    env:\n    - {name: A, value: one}\n    - {name: A, valueFrom: HOST}\n"
    with pytest.raises(ConfigError, match="A is there twice"):
        read(tmp_path, URL + env)


class TestPlace:
    """Where the module is, and where the plugin stands in the chain."""

    pytestmark = pytest.mark.envoy(199)

    def test_plugins_run_by_phase_and_then_by_priority(self, tmp_path: Path) -> None:
        def document(name: str, spec: str) -> str:
            return f"kind: WasmPlugin\nmetadata: {{name: {name}}}\nspec:\n{URL}{spec}"

        given = [
            document("last", ""),
            document("stats", "  phase: STATS\n"),
            document("authz", "  phase: AUTHZ\n  priority: 1\n"),
            document("authz-first", "  phase: AUTHZ\n  priority: 10\n"),
            "kind: Service\n",
            document("authn", "  phase: AUTHN\n  priority: -5\n"),
        ]
        found = [each.name for each in read_all(tmp_path, "---\n".join(given))]
        assert found == [
            "default.authn",
            "default.authz-first",
            "default.authz",
            "default.stats",
            "default.last",
        ]

    def test_a_file_is_found_beside_the_resource_or_where_it_says(self, tmp_path: Path) -> None:
        (tmp_path / "built").mkdir()
        module = tmp_path / "built" / "my plugin.wasm"
        module.write_bytes(b"")
        for url in (f"file://{tmp_path}/built/my%20plugin.wasm", "file:built/my%20plugin.wasm"):
            assert read(tmp_path, f"  url: {url}\n").module(tmp_path / "plugin.yaml") == module

    @pytest.mark.parametrize(
        "url", ["ghcr.io/shop/auth:1", "oci://ghcr.io/shop/auth:1", "https://shop.example/auth.wasm"]
    )
    def test_what_is_elsewhere_is_to_be_named(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ConfigError, match="name the built file by --module"):
            read(tmp_path, f"  url: {url}\n").module(tmp_path / "plugin.yaml")

    def test_the_type_says_whether_it_is_for_connections(self, tmp_path: Path) -> None:
        assert read(tmp_path, URL + "  type: NETWORK\n").plugin(b"").network
        assert not read(tmp_path, URL).plugin(b"").network


@pytest.mark.envoy(200)
@pytest.mark.parametrize(
    ("strategy", "said"),
    [("FAIL_OPEN", "lets every request pass"), ("FAIL_CLOSE", "refuses every request with 403"),
     ("FAIL_RELOAD", "refuses every request with 403")],
)  # fmt: skip
def test_a_module_that_is_not_there_says_what_istio_would_do(
    tmp_path: Path, strategy: str, said: str
) -> None:
    found = read(tmp_path, f"  url: file://{tmp_path}/no.wasm\n  failStrategy: {strategy}\n")
    with pytest.raises(ConfigError, match=said):
        found.module(tmp_path / "plugin.yaml")


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

    def test_options_say_otherwise(self, tmp_path: Path) -> None:
        path = tmp_path / "plugin.yml"
        path.write_text(HEAD + "spec:\n  url: ghcr.io/a/b\n  pluginConfig: {header: x}\n")
        found = plugin_of(Recipe(str(path), module=(str(self.MODULE),), config="{}", fail_policy="open"))
        assert (found.config, found.fail_policy) == (b"{}", FailPolicy.FAIL_OPEN)

    def test_one_of_several_is_chosen_by_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "plugin.yaml"
        one = HEAD + f"spec: {{url: 'file://{self.MODULE}', priority: %d}}\n"
        path.write_text((one % 1) + "---\n" + (one % 2).replace("auth", "log"))
        with pytest.raises(
            InputError, match=r"by --name: default\.log, default\.auth"
        ):
            plugin_of(Recipe(str(path)))
        assert plugin_of(Recipe(str(path), name="default.log")).name == "default.log"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "plugin.yaml:1: is not YAML"),
        ("kind: Service\n", "has no WasmPlugin in it"),
        ("kind: WasmPlugin\nmetadata: 3\n", "document 1.metadata: is int, not dict"),
        ("kind: WasmPlugin\n", "metadata.name is missing"),
        (HEAD, "spec.url is missing"),
        (HEAD + f"spec:\n{URL}  failStrategy: never\n", "is one of FAIL_CLOSE, FAIL_OPEN, FAIL_RELOAD, not 'never'"),
        (HEAD + f"spec:\n{URL}  priority: high\n", "spec.priority: is str, not int"),
        (HEAD + f"spec:\n{URL}  pluginConfig: {{1: a}}\n", "spec.pluginConfig: the key 1 is no text"),
        (HEAD + f"spec:\n{URL}  pluginConfig: {{a: !!set {{x}}}}\n", "is a set, which JSON has not"),
        (HEAD + f"spec:\n{URL}  pluginConfig: {{a: .inf}}\n", "is no number that JSON has"),
        (HEAD + f"spec:\n{URL}  vmConfig: {{env: [{{value: a}}]}}\n", "spec.vmConfig.env[0]: has a `name`"),
        ("!!python/object:os.system {}", "is not YAML"),
        (f"a: &a {'x' * 200_000}\nb: [{','.join(['*a'] * 100)}]", "16 MiB of text"),
        ("a: &a {x: 1}\n" + "".join(
            f"{c}: &{c} {{<<: [{','.join([f'*{p}'] * 90)}]}}\n" for p, c in zip("abcdef", "bcdefg", strict=True)
        ), "`<<` merges more than anybody writes"),
        ("a: &a {x: 1}\nb: {<<: [" + ",".join(["*a"] * 200) + "]}", "`<<` merges more than anybody writes"),
        ("a: &a [*a]", "nested more than 100 deep"),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{c}: &{c} [{','.join([f'*{p}'] * 10)}]\n" for p, c in zip("abcdef", "bcdefg", strict=True)
        ), "has more than 100,000 values"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_all(tmp_path, text)
    assert said in str(caught.value)


@given(
    st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text()))
)
def test_a_configuration_means_the_same_as_json(content: dict[str, object]) -> None:
    assert json.loads(to_json(content, "")) == content
