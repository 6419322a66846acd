"""Istio's resources together: which of them count, and what no proxy has together is told."""

from __future__ import annotations

import pytest

from simwasm.config.deployment import Deployment, read_deployment

VERSION = "extensions.istio.io/v1alpha1"


def read(*documents: str) -> Deployment:
    return read_deployment("p.yaml", "---\n".join(documents))


def plugin(name: str, namespace: str = "", version: str = VERSION, url: str = "x/y:1") -> str:
    inside = f", namespace: {namespace}" if namespace else ""
    said = f"apiVersion: {version}\n" if version else ""
    return f"{said}kind: WasmPlugin\nmetadata: {{name: {name}{inside}}}\nspec: {{url: {url}}}\n"


def test_of_two_with_one_name_the_last_counts_and_the_first_is_told() -> None:
    found = read(plugin("a", url="x/y:1"), plugin("a", "other"), plugin("a", url="x/y:2"))
    assert [each.module.url for each in found.plugins if each.name == "default.a"] == ["x/y:2"]
    assert found.told == (
        "p.yaml:1:1: the WasmPlugin `a` is left out: what is at p.yaml:11:1 has its name, and replaces it",
    )


def test_plugins_of_namespaces_that_no_proxy_has_together_are_told() -> None:
    (told,) = read(plugin("a", "one"), plugin("b", "two"), plugin("c", "istio-system")).told
    assert told.startswith("p.yaml: plugins of the namespaces `one`, `two` run as one chain here")


def test_those_of_the_root_namespace_are_everywhere() -> None:
    assert read(plugin("a", "one"), plugin("c", "istio-system"), plugin("d")).told == ()


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", f"p.yaml:1:1: `apiVersion: {VERSION}` is missing: Kubernetes refuses a WasmPlugin without it"),
        ("extensions.istio.io/v1", "p.yaml:1:1: Kubernetes has no WasmPlugin of `extensions.istio.io/v1`"),
        ("1", "p.yaml:1:1: Kubernetes has no WasmPlugin of `1`"),
    ],
)
def test_a_version_that_kubernetes_does_not_have_is_told(version: str, said: str) -> None:
    found = read(plugin("a", version=version))
    assert len(found.plugins) == 1
    assert found.told[0].startswith(said)
