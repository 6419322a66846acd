"""Cases with parameters: one case for each row of `with`, `${name}` replaced by the row's value.

Rules: a text that is nothing but `${name}` becomes the value itself, number or list; inside of a longer text it becomes
the value's text; `$${` is `${`; places stay those of the case, so that an error points at its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from simwasm.config.tree import MOST_VALUES, Entry, Node
from simwasm.suites.shape import near, wrong

_PARAMETER = re.compile(r"\$\$\{|\$\{([A-Za-z_]\w*)\}")
_ROWS = "with"
_MOST = 10_000
_LONGEST = 1 << 20


def expanded(case: Node) -> Iterator[Node]:
    """The cases that a case stands for: itself, if it has no parameters."""
    rows = (case.entries or {}).get(_ROWS)
    if rows is None or not rows.node.items:
        yield case
        return
    if len(rows.node.items) > _MOST:
        wrong(rows.node, f"has more than {_MOST:,} rows")
    if len(rows.node.items) * (case.size - rows.node.size) > MOST_VALUES:
        wrong(
            rows.node, f"makes more than {MOST_VALUES:,} values of this case: write it smaller, or fewer rows"
        )
    for row in rows.node.items:
        if row.entries is None:
            wrong(row, f"is {row.kind}, not a mapping from parameters to values")
        yield _with(case, {name: entry.node for name, entry in row.entries.items()}, row)


def _with(case: Node, values: dict[str, Node], row: Node) -> Node:
    assert case.entries is not None
    entries = {
        name: Entry(entry.place, entry.node if name == _ROWS else _filled(entry.node, values))
        for name, entry in case.entries.items()
    }
    name = entries.get("name")
    if name is not None and case.entries["name"].node.text == name.node.text:
        told = ", ".join(f"{key}={node.text if node.is_scalar else '…'}" for key, node in values.items())
        text = f"{name.node.text} [{told}]".replace("\n", " ")
        entries["name"] = Entry(name.place, replace(name.node, value=text, text=text))
    return replace(case, entries=entries)


def _filled(node: Node, values: dict[str, Node]) -> Node:
    """A value with its parameters replaced."""
    if node.entries is not None:
        entries = {
            name: Entry(entry.place, _filled(entry.node, values)) for name, entry in node.entries.items()
        }
        return replace(node, entries=entries)
    if node.items is not None:
        return replace(node, items=[_filled(each, values) for each in node.items])
    if "${" not in node.text:
        return node
    whole = _PARAMETER.fullmatch(node.text)
    if whole is not None and whole[1]:
        return replace(_value(whole[1], node, values), place=node.place)
    found = [
        _value(match[1], node, values).text if match[1] else "${" for match in _PARAMETER.finditer(node.text)
    ]
    if sum(map(len, found)) > _LONGEST:
        wrong(
            node,
            f"gets longer than {_LONGEST >> 20} MiB by its parameters; `times` and `file` make large bodies",
        )
    told = iter(found)
    text = _PARAMETER.sub(lambda match: next(told), node.text)
    return replace(node, value=text, text=text)


def _value(name: str, node: Node, values: dict[str, Node]) -> Node:
    if name not in values:
        wrong(node, f"there is no parameter `{name}` in this row; {near(name, tuple(values))}")
    return values[name]
