"""Lines that are read at once are read as those that are looked at member by member."""

from __future__ import annotations

import json
from typing import Any

import pytest
from changed_parts import changed

from simwasm.exchange import Chunk, Connection, Exchange, request, response
from simwasm.traffic.json_field import Field
from simwasm.traffic.jsonl import explained, shown
from simwasm.traffic.jsonl_usual import usual_exchange

ASKED = request("POST", "/a", headers=[("accept", "*/*")], body=b"one")
ANSWERED = response(200, body=[b"x", b"y"], after_ns=3)._replace(body=(Chunk(b"x"), Chunk(b"y", 7)))
USUAL = Exchange("1", 5, ASKED, ANSWERED, Connection(2, "10.0.0.1:1"), "a name")
LINE: Any = json.loads(json.dumps(shown(USUAL)))


def test_a_usual_line_is_read_at_once() -> None:
    assert usual_exchange(LINE) == USUAL == explained(Field(LINE, "a.jsonl", "mend it"))


@pytest.mark.parametrize("key", LINE)
def test_a_line_with_something_else_in_it_is_left_to_others_or_read_as_by_them(key: str) -> None:
    for line in (LINE | {key: other} for other in changed(LINE[key])):
        found = usual_exchange(line)
        assert found is None or found == explained(Field(line, "a.jsonl", "mend it"))
