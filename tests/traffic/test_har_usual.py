"""Entries that are read at once are read as those that are looked at member by member."""

from __future__ import annotations

from typing import Any

import pytest
from changed_parts import changed

from simwasm.exchange import Exchange
from simwasm.traffic.connections import Numbers
from simwasm.traffic.har import explained
from simwasm.traffic.har_usual import usual_exchange
from simwasm.traffic.json_field import Field
from simwasm.traffic.notes import Notes

ENTRY: dict[str, Any] = {
    "startedDateTime": "2024-09-05T08:33:31.079Z",
    "request": {
        "method": "GET",
        "url": "https://shop.example:8443/items?page=0",
        "httpVersion": "HTTP/2.0",
        "headers": [{"name": "Host", "value": "shop.example"}, {"name": "accept", "value": "*/*"}],
        "cookies": [],
        "bodySize": 0,
    },
    "response": {
        "status": 200,
        "headers": [{"name": ":status", "value": "200"}, {"name": "Content-Length", "value": "1"}],
        "content": {"size": 3, "mimeType": "text/plain; charset=utf-8", "text": "fôo"},
    },
    "timings": {"wait": 1.25, "receive": 2, "ssl": -1},
    "serverIPAddress": "10.0.0.1",
    "connection": "7",
    "_securityDetails": {"protocol": "TLS 1.3"},
}
ADDED: dict[str, Any] = {"comment": "", "_webSocketMessages": [], "_unanswered": True}


def member_by_member(entry: Any) -> tuple[Exchange | None, list[str]]:
    """What is read of an entry, and what is told of it."""
    told: list[str] = []
    exchange = explained(1, Field(entry, "a.har", "mend it"), Numbers(), Notes(told.append))
    return exchange, told


def test_a_usual_entry_is_read_at_once() -> None:
    assert (usual_exchange(1, ENTRY, Numbers()), []) == member_by_member(ENTRY)


@pytest.mark.parametrize("key", [*ENTRY, *ADDED])
def test_an_entry_with_something_else_in_it_is_left_to_others_or_read_as_by_them(key: str) -> None:
    entry = ENTRY | ADDED
    for other in changed(entry[key]):
        usual = usual_exchange(1, ENTRY | {key: other}, Numbers())
        assert usual is None or (usual, []) == member_by_member(ENTRY | {key: other})


def test_what_was_asked_with_a_body_is_not_usual() -> None:
    asked = ENTRY["request"] | {"postData": {"mimeType": "text/plain", "text": "foo"}}
    assert usual_exchange(1, ENTRY | {"request": asked}, Numbers()) is None
