"""The command line as a user has it: arguments, standard streams and an exit status."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from process import ROOT, Run, here, process


@pytest.fixture(scope="session")
def simwasm() -> Run:
    """Run simwasm from the project's root: as a process where it reads standard input, otherwise in this one."""

    def run(*args: str, stdin: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        if stdin is not None or args[:1] == ("debug",):
            return process(*args, stdin=stdin, cwd=cwd)
        return here(*args, cwd=cwd)

    return run


@pytest.fixture(scope="session")
def httpbin() -> Iterator[str]:
    """A real httpbin on loopback; its address."""
    code = (
        "from werkzeug.serving import make_server; from httpbin import app; "
        "server = make_server('127.0.0.1', 0, app, threaded=True); print(server.port, flush=True); "
        "server.serve_forever()"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "httpbin did not start"
        yield f"http://127.0.0.1:{port}"
        process.kill()
