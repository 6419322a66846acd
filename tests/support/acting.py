"""Plugins of a few host calls, for what has to differ between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wat import plugin

from simwasm.abi.table import Abi, callbacks, host_functions
from simwasm.plugin import Plugin

_ROWS = {row.name: row for row in host_functions(Abi.V0_2_1).values()}
_CALLBACKS = callbacks(Abi.V0_2_1)
_FIRST = 4096

Step = tuple[str, Sequence[int | str | bytes]]
"""A host function and what it is given: text and bytes stand for address and length. `trap` is no function."""


def acting(
    *steps: Step,
    on: str = "proxy_on_request_headers",
    returns: int = 0,
    also: Mapping[str, Sequence[Step]] | None = None,
    **settings: Any,
) -> Plugin:
    """A plugin that does this in one callback, and returns that from it; in others it may also do something."""
    callbacks = {on: steps, **(also or {})}
    all_steps = [step for some in callbacks.values() for step in some]
    texts: dict[bytes, int] = {}
    at = _FIRST
    for text in (_bytes(given) for _, words in all_steps for given in words if not isinstance(given, int)):
        if text not in texts:
            texts[text] = at
            at += len(text) + 8
    names = dict.fromkeys(name for name, _ in all_steps if name != "trap")
    imports = [_imported(name) for name in names]
    data = [f'(data (i32.const {place}) "{_escaped(text)}")' for text, place in texts.items()]
    functions = (
        _function(name, some, texts, returns if name == on else 0) for name, some in callbacks.items()
    )
    return plugin(*imports, *data, *functions, **settings)


def _function(on: str, steps: Sequence[Step], texts: dict[bytes, int], returns: int) -> str:
    type = _CALLBACKS[on].type
    params = " ".join(f"(param {word.value})" for word in type.params)
    result = f"(i32.const {returns})" if type.results else ""
    body = " ".join(_said(name, words, texts) for name, words in steps)
    kind = "(result i32)" if type.results else ""
    return f'(func (export "{on}") {params} {kind} {body} {result})'


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _escaped(text: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in text)


def _imported(name: str) -> str:
    row = _ROWS[name]
    params = " ".join(f"(param {word.value})" for word in row.type.params)
    results = " ".join(f"(result {word.value})" for word in row.type.results)
    return f'(import "{row.modules[0]}" "{name}" (func ${name} {params} {results}))'


def _said(name: str, words: Sequence[int | str | bytes], texts: dict[bytes, int]) -> str:
    if name == "trap":
        return "unreachable"
    given: list[int] = []
    for word in words:
        given += [word] if isinstance(word, int) else [texts[_bytes(word)], len(_bytes(word))]
    types = [word.value for word in _ROWS[name].type.params]
    consts = " ".join(f"({type}.const {value})" for type, value in zip(types, given, strict=True))
    return f"(drop (call ${name} {consts}))"
