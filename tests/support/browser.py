"""A real headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

WAIT = 60
_BINARY = 2
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Where it is; None if it is not installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """One page."""

    def __init__(self, socket: ClientWebSocketResponse[bool]) -> None:
        self._socket = socket
        self._number = 0
        self.received = b""
        """What came over the page's own web sockets."""
        self.asked: list[str] = []
        """The addresses that the page has loaded something from."""

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Have the browser do something, and take note of what happens meanwhile."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = json.loads((await self._socket.receive(WAIT)).data)
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            if told.get("method") == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                if frame["opcode"] == _BINARY:  # others are text as it is
                    self.received += base64.b64decode(frame["payloadData"])
            elif told.get("method") == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.do("Network.enable")
        await self.do("Page.enable")
        await self.do("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.do("Page.navigate", url=url)

    async def says(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        return (await self.do("Runtime.evaluate", expression=script))["result"].get("value")

    async def press(self, key: str) -> None:
        """Press a letter."""
        about = {"key": key, "text": key, "windowsVirtualKeyCode": ord(key.upper())}
        await self.do("Input.dispatchKeyEvent", type="keyDown", **about)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **about)

    async def hear(self) -> bytes:
        """What came over web sockets so far."""
        await self.says("1")
        return self.received

    async def picture(self) -> bytes:
        """What is seen, as a PNG."""
        return base64.b64decode((await self.do("Page.captureScreenshot"))["data"])

    async def until(self, seen: Callable[[], Any]) -> None:
        """Wait until something is so."""
        end = monotonic() + WAIT
        while monotonic() < end:
            if await seen():
                return
            await asyncio.sleep(0.1)
        raise AssertionError("it did not come to be seen")


@asynccontextmanager
async def browsing(program: str, profile: Path) -> AsyncIterator[Page]:
    """A browser with one page, for as long as a test takes."""
    process = await asyncio.create_subprocess_exec(
        program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={profile}",
        "--window-size=1200,800", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with ClientSession() as session:
            pages = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.kill()
        await process.wait()


async def _port(told: Path) -> int:
    """The port on which it can be driven, from the file in which it tells that."""
    for _ in range(WAIT * 10):
        if told.exists() and (lines := told.read_text().split()):
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise AssertionError("the browser did not start")
