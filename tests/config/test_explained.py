"""What configures no plugin is answered: what it is, and what would configure one."""

from __future__ import annotations

import pytest

from simwasm.config.deployment import read_deployment
from simwasm.errors import ConfigError

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  meshConfig:
    extensionProviders:
    - name: my-wasm-plugin
      wasm:
        url: oci://docker.io/your-docker-repo/my-wasm-plugin:latest
"""
ENABLED = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  meshConfig:
    defaultConfig:
      proxyMetadata:
        WASM_ENABLED: "true"
"""
ROUTE = """\
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: my-app-vs
spec:
  hosts:
  - "my-app.example.com"
  http:
  - route:
    - destination:
        host: my-app-service
"""
HEADERS = ROUTE + "    headers:\n      request:\n        add:\n          x-wasm-plugin: my-wasm-plugin\n"
WASM = ROUTE + "    wasm:\n      pluginName: my-wasm-plugin\n"
EXAMPLE = """\
What configures this plugin today:
  apiVersion: extensions.istio.io/v1alpha1
  kind: WasmPlugin
  metadata:
    name: my-wasm-plugin
  spec:
    selector:
      matchLabels:
        app: my-app-service  # the labels of the pods behind it
    url: oci://docker.io/your-docker-repo/my-wasm-plugin:latest
    pluginConfig: {}  # what the plugin gets, as JSON"""


def answer(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_deployment("op.yaml", text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OPERATOR, "op.yaml:7:7: `extensionProviders` are for authorization, tracing and access logs"),
        (OPERATOR, "    url: oci://docker.io/your-docker-repo/my-wasm-plugin:latest"),
        (OPERATOR.replace("oci://docker.io", ""), "    url: file:///your-docker-repo/my-wasm-plugin:latest"),
        (ENABLED, "op.yaml:7:9: `WASM_ENABLED` is a variable of the proxy's environment, which nothing looks at"),
        (HEADERS, "op.yaml:15:11: this adds a header `x-wasm-plugin` to each request, and does nothing else"),
        (WASM, "op.yaml:12:5: a VirtualService has no field `wasm`"),
        (ROUTE, "op.yaml:1:1: a `VirtualService` routes requests, and cannot choose plugins"),
        ("kind: ProxyConfig\nspec: {environmentVariables: {WASM: 1}}", "`WASM` is a variable of the proxy's"),
        ("kind: Deployment\nspec: {template: {metadata: {annotations: {sidecar.istio.io/userVolumeMount: x}}}}",
         "`sidecar.istio.io/userVolumeMount` brings files into the proxy"),
        ("kind: ConfigMap", "a `ConfigMap` holds files"),
        ("kind: HTTPRoute", "an `HTTPRoute` routes requests"),
        ("kind: WasmPlugin\napiVersion: extensions.higress.io/v1alpha1", "is not Istio's"),
        ("kind: Strange", "op.yaml:1:1: a `Strange` configures no plugin"),
        ("a: 1", "op.yaml:1:1: has no `kind`, and is nothing of Envoy's"),
        ("some text", "op.yaml:1:1: is a text, and no configuration"),
        ("", "op.yaml: nothing in it configures a plugin"),
    ],
)  # fmt: skip
def test_what_configures_no_plugin_is_answered(text: str, said: str) -> None:
    assert said in answer(text)


def test_what_was_meant_by_several_is_one_plugin() -> None:
    assert EXAMPLE in answer("---\n".join((OPERATOR, ENABLED, HEADERS, WASM)))


def test_beside_a_plugin_others_are_counted_and_what_was_hoped_of_them_is_told() -> None:
    version = "apiVersion: extensions.istio.io/v1alpha1\n"
    plugin = f"{version}kind: WasmPlugin\nmetadata: {{name: a}}\nspec: {{url: x/y:1}}\n"
    found = read_deployment("op.yaml", "---\n".join((OPERATOR, plugin, "kind: Service\n", "kind: Service\n")))
    assert [each.name for each in found.plugins] == ["default.a"]
    assert found.told[0] == "op.yaml:1:1: 3 other documents configure no plugin: `IstioOperator`, `Service`"
    assert found.told[1].startswith("op.yaml:7:7: `extensionProviders` are for")
