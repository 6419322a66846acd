"""`simwasm debug --web`: the same screen in a browser, for this machine alone.

Whoever can reach the port can read files as the user who started it, so it listens on 127.0.0.1 and nowhere else, and
answers only to requests that name this machine: a page from elsewhere cannot talk to it through the user's browser.
"""

from __future__ import annotations

import shlex
import socket
import sys
from importlib.util import find_spec

from simwasm.errors import InputError

HOST = "127.0.0.1"
DEFAULT_PORT = 8118
_PORTS = 65536


def serve(port: int, argv: list[str]) -> int:
    """Serve until interrupted; `argv` are the arguments of `simwasm` for each page that is opened."""
    if find_spec("textual_serve") is None:
        raise InputError(
            "debug: --web needs textual-serve, which is not installed: pip install 'simwasm[web]'. "
            "Without --web the screen is shown in this terminal"
        )
    port = free(port or DEFAULT_PORT, exactly=bool(port))
    from simwasm_tui.web_server import LocalServer  # imports a web server

    LocalServer(command(argv), port).serve()
    return 0


def command(argv: list[str]) -> str:
    """What is run for each page."""
    return shlex.join([sys.executable, "-m", "simwasm", *argv])


def free(port: int, *, exactly: bool) -> int:
    """A port that nobody listens on: this one, or unless it is wanted exactly, any."""
    if not 0 < port < _PORTS:
        raise InputError(f"debug: --web {port}: a port is a number from 1 to {_PORTS - 1}")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as error:
            if exactly:
                raise InputError(
                    f"debug: --web {port}: the port cannot be used: {error.strerror}; name another one, or none"
                ) from None
            trial.bind((HOST, 0))
        found: int = trial.getsockname()[1]
    return found
