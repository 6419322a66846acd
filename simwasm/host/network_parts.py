"""What a TCP connection has in place of a request and a response: two directions, and the proxy behind the plugins."""

from __future__ import annotations

from simwasm.abi.enums import BufferType
from simwasm.host.lane import RequestLane, ResponseLane
from simwasm.host.pieces import Assembly
from simwasm.host.router import Router
from simwasm.host.stream import Stream


class TcpProxy(Router):
    """The end of the chain: the connection to the upstream."""

    __slots__ = ("connected", "heard", "heard_end")

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self.connected = False
        self.heard = Assembly()
        """What the upstream has received."""
        self.heard_end = False

    @property
    def reached(self) -> bool:
        return self.asked is not None

    @property
    def sent(self) -> int:
        return self.heard.size


class DownstreamLane(RequestLane):
    """From the client to the upstream."""

    __slots__ = ()

    on_body = "proxy_on_downstream_data"
    body_type = BufferType.DOWNSTREAM_DATA


class UpstreamLane(ResponseLane):
    """From the upstream to the client."""

    __slots__ = ()

    on_body = "proxy_on_upstream_data"
    body_type = BufferType.UPSTREAM_DATA
