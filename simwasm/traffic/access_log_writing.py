"""Exchanges as Istio's JSON access log: most of an exchange has no place in it, which is told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import BinaryIO

from simwasm.exchange import Exchange, Message, decimal
from simwasm.traffic.losses import Losses, Part
from simwasm.traffic.notes import Notes

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECONDS = range(-(10**10), 25 * 10**10)
"""That are in a year of four digits."""
_MILLISECOND = 10**6
_LOGGED = ("user-agent", "x-forwarded-for", "x-request-id")
_CARRIED = frozenset(
    {
        Part.STARTED,
        Part.RESPONSE,
        Part.NO_RESPONSE,
        Part.RESPONSE_TIME,
        Part.PROTOCOL,
        Part.CONNECTION,
        Part.ADDRESSES,
        Part.PARTIAL,
    }
)


class AccessLogWriter:
    """The writer of access logs."""

    name = "Envoy access log (JSON)"
    formats = ("access-log", "istio")
    suffixes = (".log",)

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write a line for each exchange."""
        losses = Losses("an access log", _CARRIED)
        for exchange in losses.checked(exchanges):
            for lost in _lost(exchange):
                losses.lost(lost, exchange)
            line = json.dumps(_entry(exchange), ensure_ascii=False)
            stream.write(line.encode("utf-8", "surrogateescape") + b"\n")
        losses.tell(notes)


def _entry(exchange: Exchange) -> dict[str, object]:
    """What Istio logs by default, by its names."""
    asked, answer, there = exchange.request, exchange.response, exchange.connection
    waited = answer.after_ns // _MILLISECOND if answer else None
    lasted = sum(chunk.after_ns for chunk in answer.body) // _MILLISECOND if answer else 0
    return {
        "authority": asked.header(":authority"),
        "bytes_received": len(asked.data),
        "bytes_sent": len(answer.data) if answer else 0,
        "downstream_local_address": there.destination,
        "downstream_remote_address": there.source,
        "duration": (waited or 0) + lasted,
        "method": asked.header(":method"),
        "path": asked.header(":path"),
        "protocol": there.protocol,
        "request_id": asked.header("x-request-id"),
        "requested_server_name": there.requested_server_name or None,
        "response_code": (decimal(answer.header(":status")) if answer else None) or 0,
        "response_flags": "-",
        "start_time": _moment(exchange.started_ns),
        "upstream_host": "127.0.0.1:80" if answer else None,
        "upstream_service_time": None if waited is None else str(waited),
        "user_agent": asked.header("user-agent"),
        "x_forwarded_for": asked.header("x-forwarded-for"),
    }


def _moment(at_ns: int) -> str | None:
    seconds, rest = divmod(at_ns, 10**9)
    if not at_ns or seconds not in _SECONDS:
        return None
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest // _MILLISECOND:03d}Z"


def _lost(exchange: Exchange) -> Iterator[str]:
    asked, answer = exchange.request, exchange.response
    sides = (asked, answer) if answer else (asked,)
    if any(side.body for side in sides):
        yield "bodies"
    if any(_others(side) for side in sides):
        yield "headers, but for a few of the request"
    if exchange.started_ns and _moment(exchange.started_ns) is None:
        yield Part.STARTED.value
    elif any(time_ns % _MILLISECOND for time_ns in (exchange.started_ns, answer.after_ns if answer else 0)):
        yield "fractions of milliseconds"


def _others(side: Message) -> bool:
    return any(name not in _LOGGED and not name.startswith(":") for name, _ in side.headers)
