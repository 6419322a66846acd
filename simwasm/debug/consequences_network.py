"""What the result of a network callback means, in words: bytes go on, or they stay in the connection's buffer."""

from __future__ import annotations

from collections.abc import Callable

FROM_CLIENT = ("proxy_on_new_connection", "proxy_on_downstream_data")
"""The callbacks of the client's direction."""

_Row = Callable[[str, str], str]

_GOES_ON: dict[str, _Row] = {
    "proxy_on_new_connection": lambda size, behind: f"The connection goes on to {behind}.",
    "proxy_on_downstream_data": lambda size, behind: f"All that is buffered ({size}) goes on to {behind}.",
    "proxy_on_upstream_data": lambda size, behind: f"All that is buffered ({size}) goes on to {behind}.",
}
_STAYS: dict[str, _Row] = {
    "proxy_on_new_connection": lambda size, behind: (
        f"The connection is held back: {behind} does not hear of it, and nothing is read from the client. "
        "It is resumed by proxy_continue_stream(DOWNSTREAM)."
    ),
    "proxy_on_downstream_data": lambda size, behind: (
        f"{size} stay in the connection's buffer. The next callback sees all of them, and what has come by then; "
        "proxy_continue_stream(DOWNSTREAM) sends them on before."
    ),
    "proxy_on_upstream_data": lambda size, behind: (
        f"{size} stay in the upstream's buffer until the next bytes come: the host cannot continue an upstream."
    ),
}


def is_network(callback: str) -> bool:
    """Whether something depends on what this callback of a TCP connection returns."""
    return callback in _GOES_ON


def network_result(callback: str, result: int, size: int, behind: str) -> tuple[str, bool]:
    """What comes of a result, and whether it stops the bytes."""
    rows = _STAYS if result else _GOES_ON
    return rows[callback](f"{size:,} byte{'' if size == 1 else 's'}", behind), bool(result)
