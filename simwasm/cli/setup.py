"""From words to a session: reads what the options name, and says clearly what cannot be used."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from simwasm.abi.enums import LogLevel
from simwasm.answers import Clusters, parse_answer
from simwasm.engines.find import engine as find_engine
from simwasm.errors import InputError
from simwasm.host.outcome import LogLine
from simwasm.host.ports import AskUpstream
from simwasm.host.profile import ENVOY, Profile
from simwasm.plugin import FailPolicy, Plugin, read_bytes
from simwasm.session import DEFAULT_FUEL, Session, recorded
from simwasm.trace.event import Observer
from simwasm.wasm.rewrite import Limits

_PAGES_A_MIB = 16


def plugin(words: Namespace) -> Plugin:
    """The plugin that the words describe."""
    path = Path(words.plugin)
    return Plugin(
        name=words.name or default_name(path),
        wasm=read_bytes(path),
        config=text_or_file(words.config),
        vm_config=text_or_file(words.vm_config),
        root_id=words.root_id,
        vm_id=words.vm_id,
        fail_policy=FailPolicy.FAIL_OPEN if words.fail_open else FailPolicy.FAIL_CLOSED,
        env=dict(_pair(text, "--env") for text in words.env),
    )


def default_name(path: Path) -> str:
    """A name for a plugin: its file's, or its folder's where the file is called plugin.wasm."""
    stem = path.name.partition(".")[0]
    return path.resolve().parent.name if stem == "plugin" else stem


def text_or_file(text: str) -> bytes:
    """Text as it is, or the content of a file after `@`; `@-` is standard input."""
    if text == "@-":
        return sys.stdin.buffer.read()
    return read_bytes(text[1:]) if text.startswith("@") else text.encode("utf-8", "surrogateescape")


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"{option}: `{text}` is not NAME=VALUE")
    return name, value


def profile(words: Namespace) -> Profile:
    """Envoy's rules, as loud and as random as the words say."""
    return replace(ENVOY, log_level=LogLevel[words.log_level.upper()], seed=words.seed)


def clusters(words: Namespace) -> Clusters:
    """Who answers the plugin's callouts."""
    pairs = [_pair(text, "--callout") for text in words.callout]
    return Clusters({name: parse_answer(answer, f"--callout {name}") for name, answer in pairs})


def limits(words: Namespace) -> Limits:
    """How much a plugin may use."""
    for option, value in (("--memory", words.memory), ("--fuel", words.fuel)):
        if value is not None and value < 1:
            raise InputError(f"{option}: {value} is not a positive number")
    return Limits(pages=min(words.memory * _PAGES_A_MIB, 65536)) if words.memory else Limits()


def session(
    words: Namespace,
    which: Plugin,
    *,
    observers: Sequence[Observer],
    now_ns: int,
    on_log: Callable[[LogLine], None] | None = None,
    ask_upstream: AskUpstream = recorded,
) -> Session:
    """A session for one plugin, not started yet."""
    answering = clusters(words)
    return Session(
        [which],
        engine=find_engine(words.engine),
        observers=observers,
        clusters=answering.names,
        ask_upstream=ask_upstream,
        ask_cluster=answering.ask,
        profile=profile(words),
        now_ns=now_ns,
        on_log=on_log,
        limits=limits(words),
        fuel=words.fuel or DEFAULT_FUEL,
    )
