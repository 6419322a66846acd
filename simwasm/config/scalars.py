"""What an unquoted scalar is: Kubernetes and Envoy each read YAML in a way of their own, and neither as YAML 1.2 says.

Kubernetes (sigs.k8s.io/yaml): `yes`, `on` and `y` are true, `0777` is octal, `1_000` is a thousand, a date is a text.
Envoy (yaml-cpp): `yes` and `on` are true, too, but what is no whole number is a text, and so is one of more than 32
bits; where a field wants a number it takes the text. JSON says what it is by itself, for both. Rule: both were
compared with the real readers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath

from simwasm.config.tree import Node, Scalar

Reading = Callable[[Node], Scalar]

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_WHOLE = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))")
_BASES = ((2, 16), (3, 2), (4, 8), (5, 10))
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST = 300
_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
_ENVOY_TRUE = frozenset("y Y yes Yes YES true True TRUE on On ON".split())
_ENVOY_FALSE = frozenset("n N no No NO false False FALSE off Off OFF".split())
_ENVOY_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_ENVOY_WHOLE = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|([1-9][0-9]*|0))")


def of_kubernetes(node: Node) -> Scalar:
    """A scalar as Kubernetes reads it."""
    return scalar_of_kubernetes(node.text, node.quoted)


def scalar_of_kubernetes(text: str, quoted: bool) -> Scalar:
    """A scalar as Kubernetes reads it, by its text."""
    if quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if not text[:1].isascii() or text[:1] not in "+-.0123456789" or len(text) > _LONGEST:
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    whole = _whole(plain)
    if whole is not None:
        return whole
    found = _FLOAT.fullmatch(plain)
    value = float(plain) if found else 0.0
    return value if found and abs(value) != float("inf") else text


def _whole(text: str) -> int | None:
    """A whole number of 64 bits."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    digits, base = next((match[group], base) for group, base in _BASES if match[group] is not None)
    value = int(digits, base) * (-1 if match[1] == "-" else 1)
    return value if _SMALLEST <= value <= _LARGEST else None


def of_envoy(node: Node) -> Scalar:
    """A scalar as Envoy reads it from YAML; from JSON it is what it says."""
    return node.value if is_json(node) else _of_envoys_yaml(node)


def is_json(node: Node) -> bool:
    """Whether Envoy takes a file for JSON, which it tells by the name."""
    return PurePath(node.place.file).suffix.lower() not in (".yaml", ".yml")


def _of_envoys_yaml(node: Node) -> Scalar:
    text = node.text
    if node.quoted:
        return text
    if text in _ENVOY_NULL:
        return None
    if text in _ENVOY_TRUE or text in _ENVOY_FALSE:
        return text in _ENVOY_TRUE
    match = _ENVOY_WHOLE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return text
    sign, sixteen, eight, ten = match.groups()
    value = int(sixteen or eight or ten, 16 if sixteen else 8 if eight else 10) * (-1 if sign == "-" else 1)
    if -(1 << 31) <= value < 1 << 31:
        return value
    return str(value) if -(1 << 63) <= value < 1 << 63 else text
