"""The web server behind `--web`: textual-serve's, with a page that loads nothing from elsewhere, for this machine only.

Rule: a request whose Host is not this machine's address, or that comes from another site's page, is refused; otherwise
any page could drive the debugger through the user's browser.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from simwasm_tui.web import HOST

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
        """Say where it is."""
        print(f"The debugger is at {self.public_url} (this machine only; ctrl-c ends it)", flush=True)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(web.middleware(self._only_here))
        return app

    async def _only_here(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = {f"{name}:{self.port}" for name in (HOST, "localhost")}
        origin = request.headers.get("Origin")
        if request.host not in hosts or (
            origin is not None and origin not in {f"http://{host}" for host in hosts}
        ):
            raise web.HTTPForbidden(text="simwasm debug --web answers to this machine's own pages only")
        return await handler(request)
