"""A network context: the plugin as one filter of a TCP connection.

Rules, as in the real host:

- any result other than Continue stops the bytes; they stay in the connection's buffer, and the next callback sees all;
- a buffer is there from its callback until one that continues, so a plugin that paused reads it later, too;
- the upstream's side closes for it when the upstream's last bytes are there, whatever becomes of them; a connection
  that ends before that has no such callback;
- the context is done, logged and deleted when the connection to the client has closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwasm.abi.enums import BufferType, PeerType
from simwasm.host.buffers import Buffer
from simwasm.host.filters import StreamContext
from simwasm.plugin import FailPolicy

if TYPE_CHECKING:
    from simwasm.host.network import Tcp


class NetworkContext(StreamContext):
    """One plugin's view of one connection."""

    __slots__ = ()

    stream: Tcp

    # What the connection asks; True if things go on to the next filter.

    def new_connection(self) -> bool:
        if self.vm.failed is None:
            self.begin()
        self.begun = True
        return self._goes_on("proxy_on_new_connection")

    def downstream_data(self, data: Buffer, end: bool) -> bool:
        return self._data(BufferType.DOWNSTREAM_DATA, "proxy_on_downstream_data", data, end)

    def upstream_data(self, data: Buffer, end: bool) -> bool:
        passes = self._data(BufferType.UPSTREAM_DATA, "proxy_on_upstream_data", data, end)
        if end and self.begun:
            self.vm.tell(self, "proxy_on_upstream_connection_close", PeerType.UNKNOWN)
        return passes

    def _data(self, kind: BufferType, function: str, data: Buffer, end: bool) -> bool:
        if not self.begun:
            return True
        self.buffers[kind] = data
        passes = self._goes_on(function, len(data), end)
        if passes:
            self.buffers.pop(kind, None)
        return passes

    def _goes_on(self, function: str, *args: int) -> bool:
        vm = self.vm
        if vm.failed is None:
            result = vm.tell(self, function, *args)
            if result is not None:
                self.stream.actions.append((self.root.plugin.name, function, result))
                return not result
            if vm.failed is None:
                return True
        if self.root.plugin.fail_policy is FailPolicy.FAIL_OPEN_AT_ONCE:
            return True
        self.stream.fail()
        return False

    # The ends.

    def close_downstream(self, peer: PeerType) -> None:
        """The connection to the client has closed."""
        if not self.begun:
            return
        self.vm.tell(self, "proxy_on_downstream_connection_close", peer)
        self.vm.tell(self, "proxy_on_done")
        self.vm.tell(self, "proxy_on_log")
        self.vm.tell(self, "proxy_on_delete")

    def end(self) -> None:
        """The connection is taken apart; one that hangs is left open until the worker stops."""
        if self.stream.waiting:
            self.vm.proxy.left_open.append(self)
        elif self.id:
            self.vm.forget(self)

    def log_end(self) -> None:
        """A connection has been logged when it closed."""
