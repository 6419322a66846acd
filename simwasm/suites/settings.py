"""How a plugin is loaded, as a suite and each of its cases may say: a case's word comes before its suite's.

Rule: settings that are mappings are joined, name by name; all others are replaced.
"""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

from simwasm.abi.table import CAPABILITIES
from simwasm.errors import InputError
from simwasm.host.fault_text import parse_fault
from simwasm.plugin_options import FAIL_POLICIES
from simwasm.recipe import MOST_WORKERS
from simwasm.suites.answers import ANSWERS, Answers
from simwasm.suites.content import CONFIGURATION
from simwasm.suites.duration import DURATION
from simwasm.suites.log_rule import LEVELS
from simwasm.suites.rules import MODULE
from simwasm.suites.section import Section, key
from simwasm.suites.shape import FLAG, NAME, TEXT, As, Choice, Many, Named, OneOrMany, Scalar, Whole

T = TypeVar("T", bound="Settings")
_ENGINES = ("wasmer", "wasmtime", "python")


def _fault(text: str) -> str:
    try:
        parse_fault(text, "faults")
    except InputError as error:
        raise ValueError(str(error)) from None
    return text


@dataclass(frozen=True)
class Settings(Section):
    """What a plugin is loaded with."""

    plugin: str | None = key(
        MODULE, "The plugin: its module, an image, or the configuration of one or several."
    )
    module: str | None = key(MODULE, "The module in place of the one that a configuration names.")
    config: bytes | None = key(CONFIGURATION, "The plugin's configuration.")
    vm_config: bytes | None = key(CONFIGURATION, "Its VM's configuration.")
    plugin_name: str | None = key(NAME, "The plugin's name in the log.")
    root_id: str | None = key(TEXT, "Its `root_id`.")
    vm_id: str | None = key(TEXT, "Its `vm_id`.")
    env: tuple[tuple[str, str], ...] = key(Named(TEXT), "Environment variables of its VM.", default=())
    fail_policy: str | None = key(
        Choice({name: name for name in FAIL_POLICIES}), "What becomes of requests once it has trapped."
    )
    reload_after: int | None = key(DURATION, "How long after its last start it is started anew.")
    allow: tuple[str, ...] | None = key(
        Many(Choice({name: name for name in sorted(CAPABILITIES)}, what="a host function or callback")),
        "What it is restricted to: host functions, and callbacks.",
    )
    network: bool | None = key(FLAG, "It stands in the way of TCP connections, not of HTTP.")
    engine: str | None = key(Choice({name: name for name in _ENGINES}), "Which engine runs it.")
    log_level: str | None = key(
        Choice({name: name for name in LEVELS}), "What it logs; info if nothing is said."
    )
    fuel: int | None = key(Whole(1), "How many instructions a callback may take.")
    memory: int | None = key(Whole(1, 4096), "How many MiB of memory it may have.")
    buffer_limit: int | None = key(Whole(1), "How many bytes of a body may be held back.")
    concurrency: int | None = key(Whole(1, MOST_WORKERS), "How many workers the proxy has.")
    seed: int | None = key(Whole(0), "The seed of everything random.")
    upstream: Answers | None = key(
        ANSWERS, "What the upstream answers; 200 without a body if nothing is said."
    )
    callouts: tuple[tuple[str, Answers], ...] = key(
        Named(ANSWERS, "CLUSTER"), "What clusters answer that the plugin calls.", default=()
    )
    properties: tuple[tuple[str, Any], ...] = key(
        Named(As(TEXT, lambda text, node: node.value), "PATH"),
        "Properties that have another value, as `source.address`; numbers, true and false stay what they are.",
        default=(),
    )
    faults: tuple[str, ...] = key(
        OneOrMany(Scalar("a fault (`callout:auth#2=reset`)", _fault)), "What goes wrong.", default=()
    )

    def over(self, other: Settings) -> dict[str, Any]:
        """These settings where they say something, otherwise those of another, by their names."""
        found: dict[str, Any] = {}
        for each in fields(Settings):
            if "shape" not in each.metadata:
                continue
            mine, others = getattr(self, each.name), getattr(other, each.name)
            if each.name in ("env", "callouts", "properties"):
                found[each.name] = tuple({**dict(others), **dict(mine)}.items())
            else:
                found[each.name] = mine if self.wrote(each.name) else others
        return found
