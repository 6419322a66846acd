"""A plugin as it is deployed: its bytes, and what its proxy would be told about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from simwasm.abi.table import VERSIONS, Abi
from simwasm.errors import InputError, LinkError
from simwasm.sources import Remap, beside
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

if TYPE_CHECKING:
    from simwasm.wasm.companions import Told
    from simwasm.wasm.lines import Lines

LARGEST_FILE = 512 << 20
_PIECE = 1 << 20


class FailPolicy(str, Enum):
    """What happens to requests once the plugin has trapped."""

    FAIL_CLOSED = "FAIL_CLOSED"
    FAIL_OPEN = "FAIL_OPEN"
    FAIL_RELOAD = "FAIL_RELOAD"
    FAIL_OPEN_AT_ONCE = "fail_open"
    """The older field of the configuration: the request that met the trap goes on, too."""


@dataclass(frozen=True)
class Plugin:
    """One plugin and its configuration."""

    name: str
    wasm: bytes
    config: bytes = b""
    vm_config: bytes = b""
    root_id: str = ""
    vm_id: str = ""
    fail_policy: FailPolicy = FailPolicy.FAIL_CLOSED
    reload_after_ms: int = 1000
    """How long FAIL_RELOAD waits since the last start before it starts the plugin anew."""
    env: Mapping[str, str] = field(default_factory=dict)
    stop_iteration_on_headers: bool = False
    """`allow_on_headers_stop_iteration`: Pause in a headers callback holds back the headers only."""
    allowed: frozenset[str] = frozenset()
    """The capabilities it is restricted to: names of callbacks and host functions; none means all."""
    network: bool = False
    """Whether it stands in the way of a TCP connection, not of HTTP."""
    folder: Path | None = field(default=None, compare=False)
    """Where files lie that tell of its source, if it names any."""
    debug: Told | None = field(default=None, compare=False)
    """The debug information that the user has named, which is in another file."""
    remaps: tuple[Remap, ...] = field(default=(), compare=False)
    """Which folders here stand for those that its source was in when it was built."""

    def like(self, other: Plugin) -> Plugin:
        """This plugin, with what another one of the same bytes has found out about them already."""
        if self.wasm == other.wasm:
            self.__dict__.update({name: other.__dict__[name] for name in _OF_BYTES if name in other.__dict__})
        return self

    @cached_property
    def sha256(self) -> str:
        """The digest of the plugin's bytes."""
        return sha256(self.wasm).hexdigest()

    @cached_property
    def module(self) -> Module:
        """The parsed binary."""
        return read_module(self.wasm)

    @cached_property
    def lines(self) -> Lines:
        """The lines of source that its instructions come from; nothing is read before somebody asks for one."""
        from simwasm.wasm.lines import Lines  # most runs end without a look at source

        return Lines(self.module, self.beside, self.debug)

    def beside(self, name: str) -> bytes | None:
        """The contents of a file that the plugin names, and that lies beside it."""
        return beside(self.folder, name) if self.folder is not None else None

    @cached_property
    def abi(self) -> Abi:
        """The version that the plugin's marker export chooses; the first in order where there are several."""
        exports = {export.name for export in self.module.exports}
        for version in VERSIONS:
            if version.marker in exports:
                return version
        others = sorted(name for name in exports if name.startswith("proxy_abi_version_"))
        found = f"it exports {', '.join(others)}" if others else "it exports no proxy_abi_version_* function"
        raise LinkError(
            f"{self.name}: Missing or unknown Proxy-Wasm ABI version: {found}; "
            f"known are {', '.join(v.value for v in VERSIONS)}. Is this a Proxy-Wasm plugin?"
        )


_OF_BYTES = ("sha256", "module", "abi")
"""What depends on a plugin's bytes alone."""


def digest_of(plugins: Sequence[Plugin]) -> str:
    """The digest of a plugin; of a chain, one that is another as soon as any of its plugins is."""
    if len(plugins) == 1:
        return plugins[0].sha256
    return sha256("".join(plugin.sha256 for plugin in plugins).encode()).hexdigest()


def read_bytes(path: str | Path) -> bytes:
    """Read a file that the user named, which may be a pipe, or a device without an end."""
    try:
        with open(path, "rb") as file:
            return bounded(file, str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def bounded(stream: BinaryIO, where: str, most: int = LARGEST_FILE) -> bytes:
    """All that a stream has, if that is not too much for a plugin or what belongs to one."""
    pieces, left = [], most
    while piece := stream.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise InputError(
                f"{where}: has more than {most >> 20} MiB; no plugin, nor what belongs to one, is that large"
            )
        pieces.append(piece)
    return b"".join(pieces)
