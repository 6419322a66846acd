"""What options say of one plugin: `--config @file`, `--env NAME=value`, `--fail-policy open`, `--allow proxy_log`.

Rule: an option decides one field of the plugin, as it stands or as a configuration has made it, and has the last word.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from simwasm.abi.table import CAPABILITIES
from simwasm.errors import InputError
from simwasm.plugin import FailPolicy, Plugin, bounded, read_bytes

FAIL_POLICIES = {
    "closed": FailPolicy.FAIL_CLOSED,
    "open": FailPolicy.FAIL_OPEN,
    "reload": FailPolicy.FAIL_RELOAD,
    "open-at-once": FailPolicy.FAIL_OPEN_AT_ONCE,
}


def with_options(plain: Plugin, given: Mapping[str, Any]) -> Plugin:
    """A plugin as the options want it, which are named like those of the command line."""
    fields = {name: OPTIONS[name] for name in given}
    return replace(plain, **{field: read(plain, given[name]) for name, (field, read) in fields.items()})


def text_or_file(text: str) -> bytes:
    """Text as it is, or the content of a file after `@`; `@-` is standard input."""
    if text == "@-":
        return bounded(sys.stdin.buffer, "standard input")
    return read_bytes(text[1:]) if text.startswith("@") else text.encode("utf-8", "surrogateescape")


def pair(text: str, option: str) -> tuple[str, str]:
    """A name and a value, as `NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"{option}: `{text}` is not NAME=VALUE")
    return name, value


def _environment(plain: Plugin, texts: Iterable[str]) -> dict[str, str]:
    return {**plain.env, **dict(pair(text, "--env") for text in texts)}


def _fail_policy(name: str) -> FailPolicy:
    if name not in FAIL_POLICIES:
        raise InputError(f"--fail-policy: `{name}` is none; it can be {', '.join(FAIL_POLICIES)}")
    return FAIL_POLICIES[name]


def _capability(name: str) -> str:
    if name not in CAPABILITIES:
        near = get_close_matches(name, CAPABILITIES, 1)
        hint = f"; did you mean {near[0]}?" if near else " that the ABI has (`simwasm abi` lists them)"
        raise InputError(f"--allow: `{name}` is no function or callback{hint}")
    return name


OPTIONS: dict[str, tuple[str, Callable[[Plugin, Any], Any]]] = {
    "config": ("config", lambda plain, text: text_or_file(text)),
    "vm_config": ("vm_config", lambda plain, text: text_or_file(text)),
    "root_id": ("root_id", lambda plain, text: text),
    "vm_id": ("vm_id", lambda plain, text: text),
    "env": ("env", _environment),
    "fail_policy": ("fail_policy", lambda plain, name: _fail_policy(name)),
    "reload_after": ("reload_after_ms", lambda plain, number: number),
    "allow": ("allowed", lambda plain, names: frozenset(map(_capability, names))),
}
"""The options of one plugin: which field of it they decide, and how."""
