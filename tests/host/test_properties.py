"""Why a property has no value, and what the proxy's settings put into the tree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playbook import Guest, Play

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.exchange import Connection, Exchange, Tls, request, response
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.routes import Route

SENT = Exchange("1", 0, request("POST", "/a", headers=[("content-length", "x")], body=[b"a"]), response(200))


def asked(
    *paths: str, profile: Profile = ENVOY, exchange: Exchange = SENT, before: tuple[str, ...] = ()
) -> list[Any]:
    """What a plugin is answered in its request headers callback."""
    answers: list[Any] = []

    def headers(guest: Guest, *args: object) -> int:
        for name in before:
            guest.call("set_property", tuple(name.split(".")), b"v")
        answers.extend(guest.call("get_property", tuple(path.split("."))) for path in paths)
        return 0

    Play(Guest(on_request_headers=headers), profile=profile).run(exchange)
    return answers


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("request.size", "`request.size` has no value here: its content-length is no number"),
        ("request.referer", "`request.referer` has no value here: the request does not have it"),
        ("request.headers.x", "`request.headers.x` has no value here: the request does not have it"),
        ("request.duration", "`request.duration` has no value here: it is known once the exchange has ended"),
        ("response.code", "`response.code` has no value here: nothing has answered yet"),
        ("connection.tls_version", "`connection.tls_version` has no value here: the connection has no TLS"),
        ("upstream.address", "`upstream.address` has no value here: the router has not taken the request yet: it does "
         "when the last filter lets the headers go"),
        ("request.pth", "`request.pth` has no value here: `request` has no field `pth`; is it `request.path`?"),
        ("xds.node.nope", "`xds.node.nope` has no value here: `xds.node` has no `nope`"),
        ("filter_state.x", "`filter_state.x` has no value here: filter state has nothing called `x`"),
        ("cluster_name", "`cluster_name` is gone since Envoy 1.33: ask for `xds.cluster_name`"),
        ("node.metadata.NAME", "`node.metadata.NAME` is gone since Envoy 1.33: ask for `xds.node.metadata.NAME`"),
        ("nope", "there is no property `nope`"),
        ("wasm.mine", "what a plugin sets is asked for without the prefix: `mine`"),
        ("mine.part", "`mine` was set by a plugin and is bytes: it has no `part`"),
    ],
)  # fmt: skip
def test_a_property_without_a_value_says_why(path: str, why: str) -> None:
    (found,) = asked(path, before=("mine",))
    assert isinstance(found, Refusal)
    assert (found.status, found.reason) == (Status.NOT_FOUND, why)


def test_a_property_set_under_a_path_of_two_parts_says_how_to_find_one() -> None:
    (found,) = asked("a.b", before=("a.b",))
    assert found.reason.endswith("set and ask for a name of one part")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("request", "`request` is a whole subtree: name a field of it, such as `request.path`"),
        ("filter_state", "`filter_state` is a whole subtree: name a field of it"),
        ("", "the path is empty"),
    ],
)
def test_what_cannot_be_written_down_says_so(path: str, why: str) -> None:
    (found,) = asked(path)
    assert (found.status, found.reason) == (Status.SERIALIZATION_FAILURE, why)


def test_the_node_is_what_the_profile_says() -> None:
    told = replace(
        ENVOY, node_id="sidecar~10.0.0.1~shop~shop.svc", node_metadata={"NAMESPACE": "shop", "N": 1}
    )
    assert asked("xds.node.id", "xds.node.metadata.NAMESPACE", "xds.node.metadata.N", profile=told) == [
        b"sidecar~10.0.0.1~shop~shop.svc",
        b"shop",
        b"\0\0\0\0\0\0\xf0?",
    ]


def test_a_certificate_is_told_where_there_is_one() -> None:
    tls = Tls(mtls=True, uri_san_peer_certificate="spiffe://cluster.local/ns/shop/sa/shop")
    exchange = replace(SENT, connection=Connection(tls=tls))
    found = asked("connection.mtls", "connection.uri_san_peer_certificate", "connection.tls_version",
                  "connection.dns_san_peer_certificate", exchange=exchange)  # fmt: skip
    assert found[:3] == [b"\1", b"spiffe://cluster.local/ns/shop/sa/shop", b"TLSv1.3"]
    assert found[3].reason == "`connection.dns_san_peer_certificate` has no value here: its TLS has none"


def test_a_request_that_no_route_fits_is_told_so() -> None:
    (found,) = asked("xds.route_name", profile=replace(ENVOY, routes=(Route("/b", "b", "upstream"),)))
    assert found.reason == "`xds.route_name` has no value here: no route fits the request"
