"""The parts of a trace's lines are JSON, whatever the values are."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from simwasm.abi.enums import LogLevel, Status
from simwasm.abi.table import FUNCTIONS, Function, Side, named
from simwasm.trace.lines import call, end, to_json


def test_bytes_are_text_where_they_can_be() -> None:
    assert to_json(b"abc") == to_json("abc") == "abc"
    assert to_json("grüße") == "grüße"
    assert to_json(b"\xff") == to_json("\udcff") == {"base64": base64.b64encode(b"\xff").decode()}


@pytest.mark.parametrize("value", [None, 7, True, LogLevel.WARN, 'a"\n{é', "\udcff", b"\xff", (("n", "v"),)])
@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_a_line_has_each_value_under_its_name(row: Function, value: Any) -> None:
    begun = call(row, named=True)(5, "p", 2, (value,) * len(row.inputs))
    ended = end(row)(value, (value,) * len(row.outputs), "so")
    line = json.loads(f"{begun}, {ended}}}")
    shown = json.loads(json.dumps(to_json(value)))
    expected: dict[str, Any] = {"at": 5} if row.side is Side.PLUGIN else {}
    expected |= {"plugin": "p", "context": 2, "call": row.name}
    expected |= {"args": {param.name: shown for param in row.inputs}} if row.inputs else {}
    expected |= {"result": shown}
    expected |= {"gives": {param.name: shown for param in row.outputs}} if row.outputs else {}
    assert list(line.items()) == list((expected | {"reason": "so"}).items())


def test_a_call_that_was_refused_gives_nothing() -> None:
    assert end(named("proxy_get_property")[0])(Status.NOT_FOUND, (), "") == '"result": "NOT_FOUND"'
