"""wrk, the load generator: found, or installed where that is possible, and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from simwasm.errors import EngineUnavailable

_CONNECTIONS = 16
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_APT = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk")


def find() -> str:
    """The program; a Debian machine's root gets it installed."""
    if shutil.which("wrk") is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(_APT, check=False, capture_output=True)
    found = shutil.which("wrk")
    if found is None:
        raise EngineUnavailable("the replay benchmark needs wrk to load Envoy; try: sudo apt-get install wrk")
    return found


def requests_per_second(program: str, port: int, seconds: int, headers: tuple[tuple[str, str], ...]) -> float:
    """Load a port of this machine over kept-alive connections."""
    options = [f"-H{name}: {value}" for name, value in headers]
    done = subprocess.run(
        [program, "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", *options, f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = _RATE.search(done.stdout)
    if found is None or "Socket errors" in done.stdout:
        raise EngineUnavailable(f"wrk could not load Envoy:\n{done.stdout}{done.stderr}")
    return float(found[1])
