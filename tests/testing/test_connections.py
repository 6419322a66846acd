"""Network filters: connections on which both sides talk as a test says."""

from __future__ import annotations

from pathlib import Path

import pytest
from under_test import DOWNSTREAM, UPSTREAM, network, sample

from simwasm.errors import InputError

CLOSE = "proxy_on_downstream_connection_close"


def test_both_sides_talk(tmp_path: Path) -> None:
    plugin = network(tmp_path, {DOWNSTREAM: [("proxy_log", 2, "down")], UPSTREAM: [("proxy_log", 2, "up")]})
    talk = plugin.connect()
    talk.send(b"PING")
    talk.upstream_sends("PONG")
    assert [line.text for line in plugin.logs] == ["down", "up"]
    assert not talk.done
    result = talk.finish()
    assert (result.received, result.upstream.received, result.request.body) == (b"PONG", b"PING", b"PING")


def test_connections_are_told_apart(tmp_path: Path) -> None:
    plugin = network(tmp_path)
    talks = [plugin.connect(name=name) for name in ("one", "two")]
    for talk in talks:
        talk.send(talk._flow.exchange.name)
    assert [talk.finish().upstream.received for talk in talks] == [b"one", b"two"]
    assert [talk.result.trace.count(DOWNSTREAM) for talk in talks] == [2, 2]


def test_both_sides_may_end_themselves(tmp_path: Path) -> None:
    talk = network(tmp_path).connect()
    talk.send(b"a", end=True)
    talk.upstream_sends(b"b", end=True)
    assert talk.result.received == b"b"


def test_a_client_leaves(tmp_path: Path) -> None:
    plugin = network(tmp_path, {CLOSE: []})
    talk = plugin.connect()
    talk.send(b"a")
    assert talk.leave().upstream.received == b"a"
    assert plugin.trace.has(CLOSE)


def test_an_upstream_that_refuses_gets_nothing(tmp_path: Path) -> None:
    talk = network(tmp_path).connect(refused=True)
    talk.send(b"a")
    assert not talk.finish().upstream.called


def test_time_passes_between_words(tmp_path: Path) -> None:
    plugin = network(tmp_path)
    talk = plugin.connect()
    talk.send(b"a")
    plugin.advance(7)
    talk.send(b"b")
    assert talk.finish().took == pytest.approx(7.01)


def test_a_connection_wants_a_network_plugin() -> None:
    with pytest.raises(InputError, match=r"load_plugin\(…, network=True\) is for those"):
        sample("allow_header").connect()


def test_a_request_never_meets_a_network_plugin(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"scripted is loaded as a network filter.*connect\(\) opens a connection"
    ):
        network(tmp_path).send("GET", "/")
