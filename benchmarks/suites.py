"""What a suite costs: a thousand cases, beside the same requests in sessions of their own.

Rules: a case has a plugin of its own; what is compiled is compiled before anything is measured; what counts is the
processor's time, since nothing here waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from benchmarks.replay import PLUGIN
from benchmarks.row import MILLISECONDS, Measure, Row, Target, in_turns
from simwasm.engines.find import engine
from simwasm.exchange import Exchange, request, response
from simwasm.recipe import Recipe, plugin
from simwasm.session import Session
from simwasm.suites import play
from simwasm.suites.bench import Options
from simwasm.suites.run import run
from simwasm.testing import shared

_CASE = """
  - name: case {number}
    request: GET /status/418?case={number}
    expect:
      status: 403
      headers: {{content-type: text/plain}}
      upstream: not called
      logs: [deny by default]
      cost: {{instructions: < 100_000}}
"""


def rows(*, cases: int = 1000, rounds: int = 3) -> Iterator[Row]:
    """Reading and playing that many cases."""
    with TemporaryDirectory(prefix="simwasm-bench-") as folder:
        path = Path(folder) / "suite.yaml"
        text = "".join(_CASE.format(number=number) for number in range(cases))
        path.write_text(f"plugin: {PLUGIN}\ncases:{text}")
        sides = _suite(path), _bare(cases)
        in_turns(1, *sides)
        ours, bare = in_turns(rounds, *sides)
    yield Row(
        "suites", f"{cases:,} cases, read and played / {cases:,} replays",
        MILLISECONDS, ours, bare, Target(10_000, MILLISECONDS),
    )  # fmt: skip


def _suite(path: Path) -> Measure:
    def measure() -> float:
        started = process_time()
        assert all(run(case, Options()).verdict == "passed" for case in play.cases(path))
        return (process_time() - started) * 1e3

    return measure


def _bare(count: int) -> Measure:
    found, chosen = plugin(Recipe(str(PLUGIN))), engine()
    exchange = Exchange("1", 0, request("GET", "/status/418"), response(418))

    def measure() -> float:
        started = process_time()
        for _ in range(count):
            with Session([found], engine=chosen, programs=shared.program) as session:
                assert [outcome.status for outcome in session.replay([exchange])] == [403]
        return (process_time() - started) * 1e3

    return measure
