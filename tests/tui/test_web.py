"""`simwasm debug --web`, as a browser sees it, and as everybody else does."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from browser import WAIT, Page, browsing, chromium
from cases import ROOT
from simwasm_tui import web

from simwasm.errors import InputError

PLUGIN = ROOT / "samples" / "http_auth" / "plugin.wasm"
TRAFFIC = ROOT / "traces" / "traffic" / "http_auth.har"
needs_browser = pytest.mark.skipif(chromium() is None, reason="no Chromium here; CHROMIUM=… names one")


@asynccontextmanager
async def serving(*words: str) -> AsyncIterator[str]:
    """The server in a process of its own, and its address."""
    port = web.free(0x5000 + os.getpid() % 0x2000, exactly=False)  # none that the kernel gives to other tests
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simwasm", "debug", "--web", str(port), *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), WAIT)).decode()
        found = re.search(r"http://\S+", line)
        assert found, line + (await process.communicate())[1].decode()
        yield found[0]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), WAIT)


async def opened(page: Page, address: str) -> None:
    """Open the debugger, and wait until it stands on the first row."""
    await page.open(address)

    async def shown() -> bool:
        return b"_initialize" in await page.hear() and b"callback begins" in page.received

    await page.until(shown)


@needs_browser
def test_a_key_pressed_in_a_browser_changes_what_is_seen_there(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            serving(str(PLUGIN), str(TRAFFIC)) as address,
            browsing(chromium() or "", tmp_path) as page,
        ):
            await opened(page, address)
            before, page.received = await page.picture(), b""
            await page.press("s")

            async def moved() -> bool:
                return b"11" in await page.hear() and await page.picture() != before

            await page.until(moved)
            sites = {url.split("/")[2] for url in page.asked if url.startswith("http")}
            assert sites == {address.split("/")[2]}, "nothing is loaded from elsewhere"

    asyncio.run(test())


@needs_browser
def test_the_page_says_that_the_debugger_has_ended_when_it_was_left(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            serving(str(PLUGIN), str(TRAFFIC)) as address,
            browsing(chromium() or "", tmp_path) as page,
        ):
            await opened(page, address)
            await page.press("q")

            async def ended() -> bool:
                return bool(await page.says("document.body.classList.contains('-closed')"))

            await page.until(ended)

    asyncio.run(test())


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "127.0.0.1:1"}]
)
def test_pages_from_elsewhere_are_refused(headers: dict[str, str]) -> None:
    async def test() -> None:
        async with serving(str(PLUGIN), str(TRAFFIC)) as address, ClientSession() as session:
            async with session.get(address) as fine:
                assert fine.status == 200
            for path in ("/", "/ws"):
                async with session.get(address + path, headers=headers) as refused:
                    assert refused.status == 403

    asyncio.run(test())


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind((web.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            InputError, match=f"--web {port}: the port cannot be used: Address already in use"
        ):
            web.serve(port, [])
        assert web.free(port, exactly=False) != port


def test_a_number_that_is_no_port_is_told() -> None:
    with pytest.raises(InputError, match="a port is a number from 1 to 65535"):
        web.serve(70_000, [])


def test_each_page_has_a_process_with_the_same_words() -> None:
    command = web.command(["debug", "my plugin.wasm"])
    assert command.endswith("-m simwasm debug 'my plugin.wasm'")
