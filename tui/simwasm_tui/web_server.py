"""The web server behind `--web`: textual-serve's, with a page that loads nothing from elsewhere, for this machine only.

Rule: a request whose Host is not this machine's address, or that comes from another site's page, is refused; otherwise
any page could drive the debugger through the user's browser.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from simwasm_tui.web import HOST

_TRIES, _PAUSE = 500, 0.02
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LocalServer(Server):
    """Serves one command to this machine."""

    def __init__(self, command: str, port: int) -> None:
        page = Path(__file__).with_name("page")
        super().__init__(command, HOST, port, title="simwasm debug", templates_path=page)

    def initialize_logging(self) -> None:
        """Keep the terminal to what `on_startup` says, and to what goes wrong."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s")

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is, as soon as it can be reached there."""
        self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        for _ in range(_TRIES):
            try:
                _, writer = await asyncio.open_connection(HOST, self.port)
            except OSError:
                await asyncio.sleep(_PAUSE)
            else:
                writer.close()
                break
        print(f"The debugger is at {self.public_url} (this machine only; ctrl-c ends it)", flush=True)

    async def _make_app(self) -> web.Application:
        hosts = frozenset(f"{name}:{self.port}" for name in (HOST, "localhost"))
        origins = frozenset(f"http://{host}" for host in hosts)

        @web.middleware
        async def only_here(request: web.Request, handler: Handler) -> web.StreamResponse:
            origin = request.headers.get("Origin")
            if request.host not in hosts or (origin is not None and origin not in origins):
                raise web.HTTPForbidden(text="simwasm debug --web answers to this machine's own pages only")
            return await handler(request)

        app = await super()._make_app()
        app.middlewares.append(only_here)
        return app
