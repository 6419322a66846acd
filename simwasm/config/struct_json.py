"""A free-form value (protobuf's Struct) as the JSON that Istio makes of it for a plugin.

Rules, those of Go's jsonpb behind Kubernetes' reader of YAML: keys in order, no spaces, every number a double, `<`, `>`
and `&` escaped. The result is the same byte for byte.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

from simwasm.config.fields import shown, wrong
from simwasm.config.scalars import scalar_of_kubernetes
from simwasm.config.tree import Node, Scalar

_SMALLEST, _LARGEST = 1e-6, 1e21
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_WORDS = {None: "null", True: "true", False: "false"}


def struct_json(node: Node) -> str:
    """A value, and what is in it, as JSON."""
    if node.entries is not None:
        pairs = sorted(_named(node).items())
        return "{" + ",".join(f"{_text(name)}:{struct_json(value)}" for name, value in pairs) + "}"
    if node.items is not None:
        return "[" + ",".join(map(struct_json, node.items)) + "]"
    value = scalar_of_kubernetes(node.text, node.quoted)
    return _text(value) if isinstance(value, str) else _plain(value, node)


def _named(node: Node) -> dict[str, Node]:
    """The entries by what their names are as texts: a name may be a number in YAML."""
    found: dict[str, Node] = {}
    for text, entry in (node.entries or {}).items():
        value = scalar_of_kubernetes(text, entry.quoted)
        name = value if isinstance(value, str) else _plain(value, Node(entry.place, text=text))
        if value is None:
            wrong(entry.place, f"{shown(text)} is nothing, and no name: put it into quotes")
        if name in found:
            wrong(entry.place, f"{shown(text)} is there twice: in JSON it is {shown(name)}")
        found[name] = entry.node
    return found


def _text(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _plain(value: Scalar, node: Node) -> str:
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    assert not isinstance(value, str)
    if value - value != 0:
        wrong(node, f"{shown(node.text)} is no number that JSON has")
    return number_json(float(value)) if isinstance(value, float) or value else "0"


def number_json(value: float) -> str:
    """A double with the fewest digits that tell it from all others."""
    if value == 0:
        return "-0" if str(value).startswith("-") else "0"
    digits = Decimal(repr(value)).normalize()
    if _SMALLEST <= abs(value) < _LARGEST:
        return f"{digits:f}"
    sign, numbers, exponent = digits.as_tuple()
    first, rest = numbers[0], "".join(map(str, numbers[1:]))
    power = int(exponent) + len(numbers) - 1
    return f"{'-' if sign else ''}{first}{'.' if rest else ''}{rest}e{power:+d}"
