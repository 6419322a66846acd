"""The real Envoy's taps are read in every form in which it writes them, and all forms say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tapping import ASKED, FORMS, LIMIT, admin_tap, talk, tapping

from simwasm.conversation import Conversation
from simwasm.exchange import Exchange
from simwasm.parity.bootstrap import TapForm
from simwasm.traffic.importer import read_traffic
from simwasm.traffic.notes import Notes

LOSSY = "/bytes"
"""JSON with bodies as strings has spaces where bytes are no text."""


@pytest.fixture(scope="module")
def tapped(envoy_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of folders, one a form, and what the admin endpoint streamed."""
    folder = tmp_path_factory.mktemp("taps")
    got: list[bytes] = []
    with tapping(folder) as envoy, admin_tap(envoy, got, form=TapForm.BYTES, streamed=True):
        talk(envoy)
    (folder / "admin").mkdir()
    (folder / "admin" / "tap.json").write_bytes(b"".join(got))
    yield folder


def read(folder: Path) -> dict[str, Exchange]:
    """What is there, by the number of the stream; nothing may be broken."""
    return {exchange.id: exchange for exchange in read_traffic(folder, Notes())}


def told(exchange: Exchange) -> object:
    """What every form tells: each tap has looked at its own clock."""
    response = exchange.response
    return exchange.label, exchange.request, response and response._replace(after_ns=0), exchange.partial


@pytest.mark.parametrize("kind", ["buffered", "streamed"])
def test_every_form_says_the_same(tapped: Path, kind: str) -> None:
    forms = [name for name in FORMS if name.startswith(kind)]
    first, *others = (read(tapped / name) for name in forms)
    assert sorted(exchange.label for exchange in first.values()) == sorted(
        f"{asked.header(':method')} {asked.header(':path')}" for asked in ASKED
    )
    for name, other in zip(forms[1:], others, strict=True):
        for id, exchange in first.items():
            if not (name.endswith("string") and exchange.request.header(":path") == LOSSY):
                assert told(other[id]) == told(exchange), name


def test_segments_and_whole_traces_tell_of_the_same_requests(tapped: Path) -> None:
    whole, streamed = read(tapped / "buffered_binary"), read(tapped / "streamed_binary")
    assert whole.keys() == streamed.keys()
    for id, exchange in whole.items():
        assert streamed[id].request.headers == exchange.request.headers
        assert streamed[id].request.data[:LIMIT] == exchange.request.data
        assert (streamed[id].response is None) == (exchange.response is None)


def test_the_admin_endpoint_tells_of_every_request(tapped: Path) -> None:
    found = read(tapped / "admin")
    assert {id: exchange.label for id, exchange in found.items()} == {
        id: exchange.label for id, exchange in read(tapped / "streamed_binary").items()
    }


def test_every_form_of_a_sockets_tap_says_the_same(tapped: Path) -> None:
    spoken = [
        {
            id: (talk.request.data, talk.response and talk.response.data)
            for id, talk in read(tapped / f"socket_{name}").items()
            if isinstance(talk, Conversation) and LOSSY.encode() not in talk.request.data
        }
        for name in FORMS
    ]
    assert len(spoken[0]) == len(ASKED) - 1
    assert all(found == spoken[0] for found in spoken)
