"""Envoy's configuration of one Wasm plugin (`envoy.extensions.wasm.v3`): its fields, and what Envoy makes of them.

Rules, Envoy's: a field that it does not know it refuses, and what its validation refuses is refused; without a policy a
plugin fails closed; a variable of the environment is there once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal

from simwasm.abi.table import CAPABILITIES
from simwasm.config.any_value import TYPE, base64_of, configuration
from simwasm.config.deployment import Deployed, ModuleAt
from simwasm.config.fields import Fields, Reader, like, shown, wrong
from simwasm.config.tree import Node
from simwasm.plugin import FailPolicy

HTTP, NETWORK = "envoy.extensions.filters.http.wasm.v3.Wasm", "envoy.extensions.filters.network.wasm.v3.Wasm"
_PLUGIN = (
    *("name", "root_id", "vm_config", "configuration", "fail_open", "failure_policy", "reload_config"),
    *("capability_restriction_config", "allow_on_headers_stop_iteration"),
)
_VM = (
    *("vm_id", "runtime", "code", "configuration", "allow_precompiled", "nack_on_code_cache_miss"),
    "environment_variables",
)
_SOURCES = ("filename", "inline_bytes", "inline_string", "environment_variable")
_POLICIES = {
    "UNSPECIFIED": FailPolicy.FAIL_CLOSED,
    "FAIL_RELOAD": FailPolicy.FAIL_RELOAD,
    "FAIL_CLOSED": FailPolicy.FAIL_CLOSED,
    "FAIL_OPEN": FailPolicy.FAIL_OPEN,
}
"""In the order of their numbers."""
_DURATION = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?s")
_V8, _NULL = "envoy.wasm.runtime.v8", "envoy.wasm.runtime.null"
_NO_MATTER = {
    "allow_precompiled": "the module itself is run",
    "nack_on_code_cache_miss": "the module is fetched before anything runs",
}
_RELOAD_MS = 1000
_NO_DIGEST = "nil"
"""What Istio says where nobody has said a digest."""
_NACKS = "Envoy would not take a configuration whose module it cannot get"


def read_wasm(node: Node, filter_name: str, network: bool, reader: Reader) -> Deployed | None:
    """The plugin of a Wasm filter; none if its code is a part of Envoy."""
    message = Fields(node, "a Wasm filter", ("config",), reader, (TYPE,))
    config = message.fields("config", "a Wasm filter's `config`", _PLUGIN)
    if config is None:
        wrong(node, "its `config` is missing: it says which plugin the filter runs")
    return read_plugin(config, filter_name, network)


def read_plugin(config: Fields, filter_name: str, network: bool) -> Deployed | None:
    """The plugin of a PluginConfig."""
    vm = config.fields("vm_config", "`vm_config`", _VM)
    if vm is None:
        wrong(config.node, "its `vm_config` is missing: it says where the module is")
    if _is_native(vm):
        return None
    name = config.text("name")
    if not name:
        config.reader.tell(config.node, f"the plugin has no `name`: here it is called {shown(filter_name)}")
    env, host_env = _environment(vm)
    policy, reload_ms = _policy(config)
    return Deployed(
        name or filter_name,
        _module(vm),
        config=configuration(config, "configuration"),
        vm_config=configuration(vm, "configuration"),
        root_id=config.text("root_id"),
        vm_id=vm.text("vm_id"),
        env=env,
        host_env=host_env,
        fail_policy=policy,
        reload_after_ms=reload_ms,
        stop_iteration_on_headers=_wrapped_flag(config, "allow_on_headers_stop_iteration"),
        allowed=_capabilities(config),
        network=network,
        place=config.node.place,
        without=_NACKS,
    )


def _is_native(vm: Fields) -> bool:
    """Whether a plugin is compiled into Envoy."""
    runtime = vm.text("runtime")
    if runtime == _NULL:
        vm.reader.tell(
            vm.at("runtime"), "the plugin is a part of Envoy (runtime null), and no module: left out"
        )
        return True
    if runtime not in ("", _V8):
        vm.reader.tell(
            vm.at("runtime"), f"the runtime {shown(runtime)} is not looked at: --engine chooses one here"
        )
    for name, why in _NO_MATTER.items():
        if vm.flag(name):
            vm.reader.tell(vm.at(name), f"`{name}` changes nothing here: {why}")
    return False


def _policy(config: Fields) -> tuple[FailPolicy, int]:
    at_once = config.flag("fail_open")
    policy = config.one_of("failure_policy", _POLICIES, FailPolicy.FAIL_CLOSED)
    if at_once and config.has("failure_policy"):
        wrong(config.at("fail_open"), "only one of `fail_open` and `failure_policy` can be set")
    reload = config.fields("reload_config", "`reload_config`", ("backoff",))
    backoff = (
        reload.fields("backoff", "`backoff`", ("base_interval", "max_interval"))
        if reload is not None
        else None
    )
    wait = _milliseconds(backoff, "base_interval") if backoff is not None else _RELOAD_MS
    return (FailPolicy.FAIL_OPEN_AT_ONCE if at_once else policy), wait


def _milliseconds(backoff: Fields, name: str) -> int:
    text = backoff.text(name)
    found = Decimal(text[:-1]) * 1000 if _DURATION.fullmatch(text) else None
    if found is None:
        wrong(backoff.at(name), f"`{name}` is a duration like 1s or 0.5s, not {shown(text)}")
    if found < 1:
        wrong(backoff.at(name), f"`{name}` is {text}; Envoy wants at least 0.001s")
    return int(found)


def _wrapped_flag(config: Fields, name: str) -> bool:
    """True or false, which may stand in a mapping as `value`."""
    node = config.get(name)
    if node is not None and node.entries is not None:
        return Fields(node, f"`{name}`", ("value",), config.reader).flag("value")
    return config.flag(name)


def _capabilities(config: Fields) -> frozenset[str]:
    restriction = config.fields(
        "capability_restriction_config", "`capability_restriction_config`", ("allowed_capabilities",)
    )
    if restriction is None:
        return frozenset()
    found = []
    for name, entry in restriction.map("allowed_capabilities"):
        if not (entry.node.is_scalar and config.reader.scalar(entry.node) is None):
            Fields(entry.node, f"the capability {shown(name)}", (), config.reader)
        if name not in CAPABILITIES:
            config.reader.tell(
                entry.place,
                f"there is no capability {shown(name)}{like(name, CAPABILITIES)}: it allows nothing",
            )
        found.append(name)
    return frozenset(found)


def _environment(vm: Fields) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    variables = vm.fields("environment_variables", "`environment_variables`", ("host_env_keys", "key_values"))
    if variables is None:
        return (), ()
    host = variables.texts("host_env_keys")
    pairs = []
    for name, entry in variables.map("key_values"):
        value = vm.reader.scalar(entry.node) if entry.node.is_scalar else None
        if not isinstance(value, str):
            wrong(
                entry.node, f"the variable {shown(name)} is {entry.node.kind}, not a text: put it into quotes"
            )
        pairs.append((name, value))
    names = [*host, *(name for name, _ in pairs)]
    twice = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        wrong(variables.node, f"the variable {shown(twice)} is there twice, which Envoy refuses")
    return tuple(pairs), tuple(host)


def _module(vm: Fields) -> ModuleAt:
    code = vm.fields("code", "`code`", ("local", "remote"))
    which = _chosen(code, ("local", "remote")) if code is not None else ""
    if code is None or not which:
        wrong(vm.at("code"), "`code` is missing, or empty: it is `local: {filename: …}`, or `remote`")
    return _local(code) if which == "local" else _remote(code)


def _chosen(fields: Fields, names: Collection[str]) -> str:
    """The one field of several that exclude each other."""
    found = [name for name in names if fields.has(name)]
    if len(found) > 1:
        wrong(fields.at(found[1]), f"only one of `{found[0]}` and `{found[1]}` can be set")
    return found[0] if found else ""


def _local(code: Fields) -> ModuleAt:
    local = code.fields("local", "`local`", (*_SOURCES, "watched_directory"))
    assert local is not None
    which = _chosen(local, _SOURCES)
    place = local.at(which) if which else local.node.place
    if which == "filename" and local.text(which):
        return ModuleAt(path=local.text(which), place=place)
    if which == "inline_bytes":
        return ModuleAt(inline=base64_of(local, which), place=place)
    if which == "inline_string":
        return ModuleAt(inline=local.text(which).encode(), place=place)
    why = (
        "an environment variable cannot hold a module"
        if which == "environment_variable"
        else "`local` is empty"
    )
    return wrong(place, f"{why}: name the module's file by `filename`")


def _remote(code: Fields) -> ModuleAt:
    remote = code.fields("remote", "`remote`", ("http_uri", "sha256", "retry_policy"))
    assert remote is not None
    uri = remote.fields("http_uri", "`http_uri`", ("uri", "cluster", "timeout"))
    address, sha256 = uri.text("uri") if uri is not None else "", remote.text("sha256")
    if uri is None or not address:
        wrong(remote.at("http_uri"), "`http_uri.uri` is missing: it says where the module is")
    if remote.reader.unknown:
        sha256 = "" if sha256 == _NO_DIGEST else sha256
    else:
        _as_envoy_wants(remote, uri)
    return ModuleAt(address, sha256=sha256, place=uri.at("uri"))


def _as_envoy_wants(remote: Fields, uri: Fields) -> None:
    """What Envoy needs to fetch a module itself; Istio's agent fetches it without."""
    for fields, name in ((remote, "sha256"), (uri, "cluster"), (uri, "timeout")):
        if not fields.text(name):
            wrong(fields.node, f"`{name}` is missing: Envoy fetches no module without it")
