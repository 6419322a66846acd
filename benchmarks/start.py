"""How long a command takes from the shell's point of view, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.replay import PLUGIN
from benchmarks.row import MILLISECONDS, Measure, Row, Target, in_turns


def rows(*, rounds: int = 15) -> Iterator[Row]:
    """`--help`, and `send` with a plugin that was compiled before."""
    program = simwasm()
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        environment = {**os.environ, "SIMWASM_CACHE_DIR": folder, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
        sides = (
            command([sys.executable, "-c", "pass"], environment),
            command([*program, "--help"], environment),
            command([*program, "send", str(PLUGIN), "GET", "/"], environment),
        )
        in_turns(1, *sides)
        peer, usage, send = in_turns(rounds, *sides)
    yield Row(
        "start", "simwasm --help / python -c pass", MILLISECONDS, usage, peer, Target(150, MILLISECONDS)
    )
    yield Row(
        "start",
        "simwasm send, compiled before / the same",
        MILLISECONDS,
        send,
        peer,
        Target(500, MILLISECONDS),
    )


def simwasm() -> list[str]:
    """How this is started from a shell."""
    script = Path(sysconfig.get_path("scripts"), "simwasm")
    return [str(script)] if script.exists() else [sys.executable, "-m", "simwasm"]


def command(words: list[str], environment: Mapping[str, str]) -> Measure:
    """Milliseconds of a whole process."""

    def measure() -> float:
        started = perf_counter()
        subprocess.run(words, env=environment, capture_output=True, check=True)
        return (perf_counter() - started) * 1e3

    return measure
