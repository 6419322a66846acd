"""Istio's WasmPlugin, as its control plane turns it into a plugin of Envoy.

    for found in read_wasm_plugins("auth.yaml"): plugin = found.plugin(found.module("auth.yaml"))

Rules, Istio's: the name is `namespace.name`, the root id is `pluginName`, the configuration is `pluginConfig` as JSON
(nothing where there is none); `failStrategy` is the fail policy; of the environment, HOST takes a variable of the proxy
if it has it; a `url` without a scheme is an image; plugins run by phase (AUTHN, AUTHZ, STATS, then the rest), within a
phase those of higher priority first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from simwasm.config.yaml_file import read_yaml
from simwasm.errors import ConfigError
from simwasm.plugin import FailPolicy, Plugin

KIND, API = "WasmPlugin", "extensions.istio.io/"
_PHASES = ("AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE")
_TYPES = {"UNSPECIFIED_PLUGIN_TYPE": False, "HTTP": False, "NETWORK": True}
_FAIL = {
    "FAIL_CLOSE": FailPolicy.FAIL_CLOSED,
    "FAIL_OPEN": FailPolicy.FAIL_OPEN,
    "FAIL_RELOAD": FailPolicy.FAIL_RELOAD,
}
_IN_ITS_PLACE = "Istio's agent would put a filter in its place that "
_WITHOUT_IT = {FailPolicy.FAIL_OPEN: f"{_IN_ITS_PLACE}lets every request pass (failStrategy FAIL_OPEN)"}
_REFUSED = f"{_IN_ITS_PLACE}refuses every request with 403"
_FROM = ("INLINE", "HOST")
_LARGEST_WHOLE = 1e21


@dataclass(frozen=True)
class WasmPlugin:
    """One resource."""

    name: str
    """`namespace.name`"""
    url: str
    plugin_name: str = ""
    config: bytes = b""
    fail_policy: FailPolicy = FailPolicy.FAIL_CLOSED
    env: tuple[tuple[str, str], ...] = ()
    host_env: tuple[str, ...] = ()
    """Variables that the proxy's own environment decides about."""
    phase: str = _PHASES[-1]
    priority: int = 0
    network: bool = False

    def plugin(self, wasm: bytes, host: Mapping[str, str] = os.environ) -> Plugin:
        """The plugin as Envoy would be told about it."""
        found = {name: host[name] for name in self.host_env if name in host}
        return Plugin(
            self.name,
            wasm,
            config=self.config,
            root_id=self.plugin_name,
            fail_policy=self.fail_policy,
            env={**dict(self.env), **found},
            network=self.network,
        )

    def module(self, beside: str | Path) -> Path:
        """The module's file; one that is not on this machine is an error that says what the proxy would do."""
        parts = urlsplit(self.url)
        if parts.scheme != "file":
            image = "an image" if parts.scheme in ("", "oci") else f"at an {parts.scheme} address"
            raise ConfigError(
                f"{beside}: {self.name}: its module is {image} ({self.url}), which simwasm does not fetch: "
                "name the built file by --module FILE.wasm"
            )
        path = Path(unquote(parts.netloc + parts.path))
        found = path if path.is_absolute() else Path(beside).parent / path
        if not found.is_file():
            without = _WITHOUT_IT.get(self.fail_policy, _REFUSED)
            raise ConfigError(f"{beside}: {self.name}: {found} is not there. {without}")
        return found


def read_wasm_plugins(path: str | Path) -> tuple[WasmPlugin, ...]:
    """The WasmPlugins of a file, in the order in which they would run; other resources are passed over."""
    documents = read_yaml(path)
    found = [
        _wasm_plugin(document, f"{path}: document {number}")
        for number, document in enumerate(documents, 1)
        if isinstance(document, dict) and document.get("kind") == KIND
    ]
    if not found:
        raise ConfigError(f"{path}: has no {KIND} in it (kind: {KIND}, apiVersion: {API}v1alpha1)")
    return tuple(sorted(found, key=lambda each: (_PHASES.index(each.phase), -each.priority)))


def _wasm_plugin(document: dict[str, Any], where: str) -> WasmPlugin:
    metadata = _get(document, "metadata", dict, {}, where)
    spec = _get(document, "spec", dict, {}, where)
    name = _get(metadata, "name", str, "", f"{where}: metadata")
    if not name:
        raise ConfigError(f"{where}: metadata.name is missing")
    where = f"{where} ({name})"
    url = _get(spec, "url", str, "", f"{where}: spec")
    if not url:
        raise ConfigError(f"{where}: spec.url is missing: it says where the module is")
    env, host_env = _environment(_get(spec, "vmConfig", dict, {}, f"{where}: spec"), where)
    config = _get(spec, "pluginConfig", dict, None, f"{where}: spec")
    return WasmPlugin(
        f"{_get(metadata, 'namespace', str, 'default', f'{where}: metadata')}.{name}",
        url,
        _get(spec, "pluginName", str, "", f"{where}: spec"),
        b"" if config is None else to_json(config, f"{where}: spec.pluginConfig").encode(),
        _FAIL[_one_of(spec, "failStrategy", _FAIL, where)],
        env,
        host_env,
        _one_of(spec, "phase", dict.fromkeys(_PHASES[::-1]), where),
        _get(spec, "priority", int, 0, f"{where}: spec"),
        _TYPES[_one_of(spec, "type", _TYPES, where)],
    )


def _get(content: dict[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    value = content.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ConfigError(f"{where}.{key}: is {type(value).__name__}, not {kind.__name__}")
    return value


def _one_of(spec: dict[str, Any], key: str, known: Mapping[str, Any], where: str) -> str:
    """A field with a few values, of which the first is the default."""
    value = spec.get(key, next(iter(known)))
    if not isinstance(value, str) or value not in known:
        raise ConfigError(f"{where}: spec.{key}: is one of {', '.join(known)}, not {value!r}")
    return value


def _environment(content: dict[str, Any], where: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    inline: list[tuple[str, str]] = []
    host: list[str] = []
    entries = _get(content, "env", list, [], f"{where}: spec.vmConfig")
    for number, entry in enumerate(entries):
        at = f"{where}: spec.vmConfig.env[{number}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            raise ConfigError(f"{at}: has a `name`, and a `value` or `valueFrom: HOST`")
        source = entry.get("valueFrom", _FROM[0])
        if source not in _FROM:
            raise ConfigError(f"{at}.valueFrom: is one of {', '.join(_FROM)}, not {source!r}")
        if source == "HOST":
            host.append(entry["name"])
        else:
            inline.append((entry["name"], _get(entry, "value", str, "", at)))
    names = [name for name, _ in inline] + host
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{where}: spec.vmConfig.env: {twice} is there twice, which Istio refuses")
    return tuple(inline), tuple(host)


def to_json(value: Any, where: str) -> str:
    """A `Struct` as JSON: keys in order, no spaces, every number a double."""
    return json.dumps(_plain(value, where), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise ConfigError(f"{where}: the key {wrong!r} is no text: put it into quotes")
        return {key: _plain(each, f"{where}.{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, f"{where}[{number}]") for number, each in enumerate(value)]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return _number(value, where)
    raise ConfigError(f"{where}: {value} is a {type(value).__name__}, which JSON has not: put it into quotes")


def _number(value: float, where: str) -> float:
    try:
        double = float(value)
    except OverflowError:
        double = float("inf")
    if double - double != 0:
        raise ConfigError(f"{where}: {str(value)[:40]} is no number that JSON has")
    return int(double) if double.is_integer() and abs(double) < _LARGEST_WHOLE else double
