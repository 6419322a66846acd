"""What a test of a plugin costs: beside the same request in a session without pytest, and beside tests that do nothing.

Rules: every test has a plugin of its own; what is compiled is compiled before anything is measured; what a test costs
is the processor's time, a few milliseconds among which other programs would show.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory
from time import process_time

from benchmarks.replay import PLUGIN
from benchmarks.row import MILLISECONDS, Measure, Row, Target, in_turns
from simwasm.engines.find import engine
from simwasm.exchange import Exchange, request, response
from simwasm.recipe import Recipe, plugin
from simwasm.session import Session
from simwasm.testing import shared

FEW, MANY = 100, 400
_GOLDENS = 1000
_NOTHING = "def test_{number}(): pass\n"
_SENDS = """
def test_{number}(plugin):
    result = plugin.send("GET", "/status/418")
    assert result.response.status == 403
    assert result.logs.contains("deny by default")
"""
_GOLDEN = """
def test_{number}(plugin):
    assert plugin.send("GET", "/status/418").trace.matches_golden()
"""


def rows(*, rounds: int = 3) -> Iterator[Row]:
    """The overhead for each test, and a thousand goldens."""
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        place = Path(folder)
        sends = [_suite(place / f"sends{count}", _SENDS, count) for count in (FEW, MANY)]
        few_nothing, nothing = (_suite(place / f"nothing{count}", _NOTHING, count) for count in (FEW, MANY))
        goldens = _suite(place / "goldens", _GOLDEN, _GOLDENS)
        suites = (*sends, few_nothing, nothing, goldens)
        in_turns(1, _bare(), *(_pytest(suite, "--collect-only") for suite in suites))
        _pytest(goldens, "--update-goldens")()
        bare, few, many, little, empty, golden = in_turns(rounds, _bare(), *map(_pytest, suites))
    over = tuple(
        ((with_few - without_few) - (with_many - without_many)) / (FEW - MANY) - alone
        for with_few, with_many, without_few, without_many, alone in zip(
            few, many, little, empty, bare, strict=True
        )
    )
    yield Row(
        "testing", "a test with a plugin, less a test that does nothing and the replay / the replay",
        MILLISECONDS, over, bare, Target(3, MILLISECONDS),
    )  # fmt: skip
    yield Row(
        "testing", "1,000 golden tests / 1,000 replays",
        MILLISECONDS, golden, tuple(_GOLDENS * alone for alone in bare), Target(10_000, MILLISECONDS),
    )  # fmt: skip


def _suite(folder: Path, test: str, count: int) -> Path:
    folder.mkdir()
    (folder / "pytest.ini").write_text(f"[pytest]\nsimwasm_plugin = {PLUGIN}\n")
    (folder / "test_it.py").write_text("".join(test.format(number=number) for number in range(count)))
    return folder


def _processor() -> float:
    """The seconds that the processor has worked for processes that have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pytest(folder: Path, *words: str) -> Measure:
    """Milliseconds of a whole run."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def measure() -> float:
        started = _processor()
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        return (_processor() - started) * 1e3

    return measure


def _bare() -> Measure:
    """Milliseconds of one request in a session of its own."""
    found, chosen = plugin(Recipe(str(PLUGIN))), engine()
    exchange = Exchange("1", 0, request("GET", "/status/418"), response(418))

    def measure() -> float:
        started = process_time()
        for _ in range(FEW):
            with Session([found], engine=chosen, programs=shared.program) as session:
                assert [outcome.status for outcome in session.replay([exchange])] == [403]
        return (process_time() - started) * 1e3 / FEW

    return measure
