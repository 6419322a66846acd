"""Where a gRPC call goes: the `GrpcService` message that a plugin hands over, or a cluster's plain name.

Rules, as in the real host: what can be read as the message is the message, and a name is what cannot; the message's
own timeout counts for nothing, its initial metadata does.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.exchange import Headers, to_text
from simwasm.protobuf import Broken, Field, Scalar, Schema, decode

_HEADER = Schema(
    "HeaderValue",
    {"key": Field(1, Scalar.TEXT), "value": Field(2, Scalar.TEXT), "raw_value": Field(3, Scalar.BYTES)},
)
_NUMBER = Schema("UInt32Value", {"value": Field(1, Scalar.INT)})
_ENVOY = Schema(
    "EnvoyGrpc",
    {
        "cluster_name": Field(1, Scalar.TEXT),
        "authority": Field(2, Scalar.TEXT),
        "max_receive_message_length": Field(4, _NUMBER),
    },
)
_GOOGLE = Schema("GoogleGrpc", {"target_uri": Field(1, Scalar.TEXT)})
_SERVICE = Schema(
    "GrpcService",
    {
        "envoy_grpc": Field(1, _ENVOY),
        "google_grpc": Field(2, _GOOGLE),
        "initial_metadata": Field(5, _HEADER, repeated=True),
    },
)


class Target(NamedTuple):
    """Whom a plugin wants to call."""

    cluster: str
    named: bool
    """Whether it is a plain name and no message."""
    authority: str = ""
    metadata: Headers = ()
    largest: int = 0
    """The most bytes that an answering message may have; 0 for any."""
    google: bool = False
    """Whether Google's client is to be used, which knows no clusters but addresses."""
    nobody: bool = False
    """Whether the message does not say whom."""


def read_target(data: bytes) -> Target:
    """Understand the first argument of `proxy_grpc_call`."""
    try:
        service = decode(_SERVICE, data)
    except Broken:
        return Target(to_text(data), True)
    metadata = tuple((each.get("key"), _value(each)) for each in service.get("initial_metadata"))
    if "google_grpc" in service.values:
        return Target(service.get("google_grpc").get("target_uri"), False, metadata=metadata, google=True)
    envoy = service.get("envoy_grpc")
    limit = envoy.get("max_receive_message_length")
    return Target(
        envoy.get("cluster_name"),
        False,
        envoy.get("authority"),
        metadata,
        limit.get("value"),
        nobody="envoy_grpc" not in service.values,
    )


def _value(header: object) -> str:
    get = header.get  # type: ignore[attr-defined]  # a message, which `get` gives untyped
    return str(get("value")) or to_text(get("raw_value"))
