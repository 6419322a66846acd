"""Names looked up for a plugin, as Envoy's resolver does it.

Rules: an address is its own name, `localhost` is this machine, and what cannot be a name fails; all three are known at
once, so that the plugin is called back while it still asks. Other names are looked up once it has returned.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from functools import partial
from typing import TYPE_CHECKING

from simwasm.abi.enums import BufferType
from simwasm.exchange import to_bytes
from simwasm.host.buffers import Buffer
from simwasm.host.ports import Resolved

if TYPE_CHECKING:
    from simwasm.host.context import RootContext

_HOST_NAME = re.compile(r"(?:[A-Za-z0-9_*/-]{0,63}(?:\.|$))*")
_LONGEST = 255
_HERE = (("[::1]:0", 0),)


def knows_nobody(name: str) -> Resolved:
    """Look a name up where there is no network: it has no address."""
    return ()


def look_up(root: RootContext, name: str, token: int) -> None:
    """Have a name looked up and the plugin told."""
    known = _address(name)
    if known is not None:
        return _tell(root, token, known)
    if len(name) > _LONGEST or not _HOST_NAME.fullmatch(name):
        return _tell(root, token, None)
    return root.vm.proxy.clock.soon(partial(_resolve, root, token, name))


def _address(name: str) -> Resolved | None:
    if name.lower() == "localhost":
        return _HERE
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return ((f"[{address}]:0" if address.version == 6 else f"{address}:0", 0),)


def _resolve(root: RootContext, token: int, name: str) -> None:
    _tell(root, token, root.vm.proxy.resolve(name))


def _tell(root: RootContext, token: int, found: Resolved | None) -> None:
    data = b"" if found is None else _written(found)
    kind = BufferType.FOREIGN_FUNCTION_ARGUMENTS
    root.buffers[kind] = Buffer(data, writable=False, why="what a name was resolved to cannot be written")
    root.vm.call(root, "envoy_on_resolve_dns", token, len(data))
    root.buffers.pop(kind, None)
    root.vm.settle()


def _written(found: Resolved) -> bytes:
    """How many addresses, how long each stands, and each with a zero behind it."""
    addresses = b"".join(to_bytes(address) + b"\0" for address, _ in found)
    return struct.pack(f"<{1 + len(found)}I", len(found), *(seconds for _, seconds in found)) + addresses
