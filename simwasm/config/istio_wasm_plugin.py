"""Istio's WasmPlugin, as its control plane turns it into a plugin of Envoy.

Rules, Istio's: the name is `namespace.name`, the root id is `pluginName`, the configuration is `pluginConfig` as JSON
(nothing where there is none, or an empty one); `failStrategy` is the fail policy; of the environment, HOST takes a
variable of the proxy if it has it; a `url` without a scheme is an image. Plugins run by phase (AUTHN, AUTHZ, STATS,
then the rest), then by priority, those without one last; then come those of the namespace before those of the root
namespace, the older, and the name. What the resource's schema refuses is refused.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simwasm.config.deployment import Deployed, ModuleAt
from simwasm.config.fields import Fields, Reader, shown, wrong
from simwasm.config.struct_json import struct_json
from simwasm.config.tree import Node
from simwasm.plugin import FailPolicy

KIND, GROUP, VERSION = "WasmPlugin", "extensions.istio.io", "v1alpha1"
ROOT_NAMESPACE = "istio-system"
PHASES = ("AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE")
_SPEC = (
    *("selector", "targetRef", "targetRefs", "url", "sha256", "imagePullPolicy", "imagePullSecret"),
    *("verificationKey", "pluginConfig", "pluginName", "phase", "priority", "failStrategy", "vmConfig"),
    *("match", "type"),
)
_RESOURCE = ("apiVersion", "kind", "metadata", "spec", "status")
_TYPES = {"UNSPECIFIED_PLUGIN_TYPE": False, "HTTP": False, "NETWORK": True}
_PULLS = {"UNSPECIFIED_POLICY": "", "IfNotPresent": "IfNotPresent", "Always": "Always"}
_FAIL = {
    "FAIL_CLOSE": FailPolicy.FAIL_CLOSED,
    "FAIL_OPEN": FailPolicy.FAIL_OPEN,
    "FAIL_RELOAD": FailPolicy.FAIL_RELOAD,
}
_MODES: dict[str, None] = dict.fromkeys(("UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"))
_FROM = {"INLINE": False, "HOST": True}
_SCHEMES = ("", "file", "http", "https", "oci")
_SHA256 = re.compile("[a-f0-9]{64}")
_DIGEST = re.compile("@sha256:([a-f0-9]{64})$")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME, _LONGEST_SECRET, _LONGEST_ROOT = 253, 253, 256
_MOST_VARIABLES, _LONGEST_VARIABLE, _LONGEST_VALUE = 256, 256, 2048
_MOST_TARGETS = 16
_LAST = 1 << 31
_PLACED = "Istio's agent would put a filter in its place that"
_WITHOUT = {FailPolicy.FAIL_OPEN: f"{_PLACED} lets every request pass (failStrategy FAIL_OPEN)"}
_REFUSES = f"{_PLACED} refuses every request with 403"
_ALL_TRAFFIC = "is not looked at: simwasm runs the plugin on all traffic that it is given"


class Ranked(NamedTuple):
    """A plugin and its place in the chain."""

    phase: int
    rest: tuple[Any, ...]
    """What decides within a phase."""
    deployed: Deployed


def read_wasm_plugin(node: Node, reader: Reader) -> Ranked:
    """The plugin that one resource describes."""
    resource = Fields(node, f"a {KIND}", _RESOURCE, reader)
    metadata = resource.fields("metadata", "metadata", None) or Fields(
        Node(node.place, entries={}), "", None, reader
    )
    name, namespace = _name(metadata), metadata.text("namespace") or "default"
    spec = resource.fields("spec", f"a {KIND}'s spec", _SPEC)
    if spec is None:
        wrong(node, f"{KIND} {name}: its `spec` is missing")
    deployed = _deployed(spec, f"{namespace}.{name}")
    _told(spec)
    priority = spec.whole("priority", -_LAST, _LAST - 1)
    rest = (
        -priority if priority is not None else _LAST + 1,
        namespace == ROOT_NAMESPACE,
        metadata.text("creationTimestamp"),
        f"{name}.{namespace}",
    )
    phase = spec.one_of("phase", dict(zip(PHASES, range(len(PHASES)), strict=True)), len(PHASES) - 1)
    return Ranked(phase, rest, deployed)


def _name(metadata: Fields) -> str:
    name = metadata.text("name") or metadata.text("generateName").rstrip("-")
    if not name:
        wrong(metadata.node, f"{KIND}: metadata.name is missing")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        wrong(
            metadata.at("name"),
            f"{shown(name)} is no name that Kubernetes takes: small letters, digits, `-` and `.`",
        )
    return name


def _deployed(spec: Fields, name: str) -> Deployed:
    env, host_env = _environment(spec)
    config = spec.get("pluginConfig")
    if config is not None and config.entries is None:
        wrong(
            config,
            f"`pluginConfig` is {config.kind}, not a mapping; a plugin that takes plain text has to take JSON here",
        )
    policy = spec.one_of("failStrategy", _FAIL, FailPolicy.FAIL_CLOSED)
    return Deployed(
        name,
        _module(spec),
        config=struct_json(config).encode() if config is not None and config.entries else b"",
        root_id=_short(spec, "pluginName", _LONGEST_ROOT),
        env=env,
        host_env=host_env,
        fail_policy=policy,
        network=spec.one_of("type", _TYPES, False),
        place=spec.node.place,
        without=_WITHOUT.get(policy, _REFUSES),
    )


def _short(fields: Fields, name: str, longest: int) -> str:
    """A text that Kubernetes wants not to be empty, nor too long."""
    text = fields.text(name)
    if fields.has(name) and not 1 <= len(text) <= longest:
        wrong(fields.at(name), f"`{name}` has {len(text)} characters; Kubernetes takes from 1 to {longest}")
    return text


def _module(spec: Fields) -> ModuleAt:
    url, sha256 = spec.text("url"), spec.text("sha256")
    if not url:
        wrong(spec.at("url"), "`url` is missing: it says where the module is (oci://, https://, file://)")
    scheme = _scheme(url, spec)
    if scheme not in _SCHEMES:
        hint = (
            "a path of the proxy is file:///path"
            if scheme == "/"
            else "a url is oci://, https://, http:// or file://"
        )
        wrong(spec.at("url"), f"{shown(url)}: Istio refuses it: {hint}")
    if sha256 and not _SHA256.fullmatch(sha256):
        wrong(spec.at("sha256"), f"`sha256` is 64 of 0-9 and a-f, not {shown(sha256)}")
    digest = _DIGEST.search(url)
    if sha256 and digest and digest[1] != sha256:
        wrong(spec.at("sha256"), "`sha256` is not the digest that the `url` has: leave one out")
    if scheme == "file" and "://" not in url:
        spec.reader.tell(spec.at("url"), f"{shown(url)}: Istio wants file:///path, with all three slashes")
    if scheme == "file" and sha256:
        spec.reader.tell(spec.at("sha256"), "`sha256` is not looked at by Istio for a file:// url")
    return ModuleAt(url, sha256=sha256, pull=spec.one_of("imagePullPolicy", _PULLS, ""), place=spec.at("url"))


def _scheme(url: str, spec: Fields) -> str:
    """A url's scheme; none where it is an image, also with a port; `/` for a path."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        wrong(spec.at("url"), f"{shown(url)} is no url: {error}")
    if url.startswith("/"):
        return "/"
    return scheme if "://" in url or scheme in _SCHEMES else ""


def _environment(spec: Fields) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The variables, and the names of those that the proxy's environment decides about."""
    vm = spec.fields("vmConfig", "`vmConfig`", ("env",))
    entries = vm.items("env") if vm is not None else []
    if len(entries) > _MOST_VARIABLES:
        wrong(entries[0], f"`env` has more than {_MOST_VARIABLES} variables, which Kubernetes refuses")
    inline: list[tuple[str, str]] = []
    host: list[str] = []
    seen: set[str] = set()
    for node in entries:
        entry = Fields(node, "a variable", ("name", "value", "valueFrom"), spec.reader)
        name = _short(entry, "name", _LONGEST_VARIABLE)
        if not name:
            wrong(node, "a variable has a `name`, and a `value` or `valueFrom: HOST`")
        if name in seen:
            wrong(entry.at("name"), f"the variable {shown(name)} is there twice, which Istio refuses")
        seen.add(name)
        value = entry.text("value")
        if len(value) > _LONGEST_VALUE:
            wrong(entry.at("value"), f"a value has at most {_LONGEST_VALUE} characters")
        if entry.one_of("valueFrom", _FROM, False):
            if entry.has("value"):
                wrong(entry.at("value"), "a variable from HOST has no `value`: Kubernetes refuses it")
            host.append(name)
        else:
            inline.append((name, value))
    return tuple(inline), tuple(host)


def _told(spec: Fields) -> None:
    """Tell what does not matter here, after seeing that it is right."""
    if spec.has("selector") and (spec.has("targetRef") or spec.has("targetRefs")):
        wrong(spec.at("selector"), "only one of `selector` and `targetRefs` can be set")
    spec.fields("selector", "`selector`", ("matchLabels",))
    if len(spec.items("targetRefs")) > _MOST_TARGETS:
        wrong(spec.at("targetRefs"), f"`targetRefs` has more than {_MOST_TARGETS} entries")
    for node in spec.items("match"):
        match = Fields(node, "`match`", ("mode", "ports"), spec.reader)
        match.one_of("mode", _MODES, None)
        for port in match.items("ports"):
            Fields(port, "a port", ("number",), spec.reader).whole("number", 1, 65535)
    for name in ("selector", "targetRef", "targetRefs", "match"):
        if spec.has(name):
            spec.reader.tell(spec.at(name), f"`{name}` {_ALL_TRAFFIC}")
    if spec.text("verificationKey"):
        spec.reader.tell(spec.at("verificationKey"), "`verificationKey` is not looked at, by Istio neither")
    if _short(spec, "imagePullSecret", _LONGEST_SECRET):
        spec.reader.tell(
            spec.at("imagePullSecret"),
            "`imagePullSecret` is a Secret of the cluster: here docker's login is used",
        )
