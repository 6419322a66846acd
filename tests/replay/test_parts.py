"""What a run comes to is the same however it is cut into parts, and never grows with its length."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import pytest

from simwasm import recipe as recipes
from simwasm.exchange import Exchange
from simwasm.lints.lint import Problem
from simwasm.recipe import Recipe
from simwasm.replay.histogram import Histogram
from simwasm.replay.job import Job
from simwasm.replay.pace import paced
from simwasm.replay.packing import packed, unpacked
from simwasm.replay.problems import MOST_ALIKE, Problems
from simwasm.replay.shard import Ended, Result, play
from simwasm.replay.tally import MOST, Tally
from simwasm.trace.query.grades import Grade
from simwasm.traffic.importer import read_traffic

PLUGIN = "samples/allow_header/plugin.wasm"
TRAFFIC = "traces/traffic/allow_header.har"


@pytest.fixture(scope="module")
def exchanges() -> list[Exchange]:
    return list(read_traffic(TRAFFIC))


def played(exchanges: Iterable[Exchange], first: int = 1) -> tuple[list[Result], Ended]:
    """What is told of exchanges; the job comes from another process."""
    wanted = Recipe(PLUGIN)
    job = Job(recipes.plugins(wanted), recipes.clusters(wanted), "wasmtime", profile=recipes.profile(wanted))
    *results, ended = play(pickle.loads(pickle.dumps(job.portable())), enumerate(exchanges, first))
    assert isinstance(ended, Ended)
    return [each for each in results if isinstance(each, Result)], ended


def test_parts_are_told_as_the_whole_is(exchanges: list[Exchange]) -> None:
    whole, ended = played(exchanges)
    one, first = played(exchanges[:2])
    two, second = played(exchanges[2:], 3)
    assert [each.out for each in one + two][1:] == [each.out for each in whole][1:]
    total = first.summary
    total.merge(pickle.loads(pickle.dumps(second.summary)))
    parted, counted = total.json(), ended.summary.json()
    for same in ("exchanges", "statuses", "local_replies", "pauses", "logs", "bytes_sent"):
        assert parted[same] == counted[same]


def test_exchanges_arrive_as_they_were_sent(exchanges: list[Exchange]) -> None:
    assert unpacked(pickle.loads(pickle.dumps(packed(exchanges)))) == exchanges


def test_a_tally_has_so_many_kinds_and_the_right_sum() -> None:
    tally: Tally[int] = Tally()
    for number in range(1000):
        tally.add(number)
    assert (len(tally), tally.total) == (MOST, 1000)


def test_problems_of_a_kind_are_so_many_groups_at_most() -> None:
    problems = Problems(all=False)
    for number in range(1000):
        problems.add(Problem(0, Grade.ERROR, "logged", "", lint="logged", group=str(number), exchange=number))
    assert len(problems) <= MOST_ALIKE + 1
    assert sum(times for _, times in problems.worst_first()) == 1000


def test_a_merged_problem_is_found_at_its_first_place() -> None:
    early, late = Problems(all=False), Problems(all=False)
    early.add(Problem(0, Grade.ERROR, "t", "", lint="trap", exchange=3))
    late.add(Problem(0, Grade.ERROR, "t", "", lint="trap", exchange=9))
    late.merge(early)
    ((problem, times),) = late.worst_first()
    assert (problem.exchange, times) == (3, 2)


def test_a_quantile_is_right_to_an_eighth() -> None:
    figures = Histogram()
    for figure in range(1, 10_001):
        figures.add(figure)
    assert 0.875 <= figures.quantile(0.9) / 9_000 <= 1.0
    assert len(figures.places) < 100


def test_a_late_exchange_does_not_make_those_behind_it_late(exchanges: list[Exchange]) -> None:
    clock = [0.0]
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(round(seconds, 3))
        clock[0] += seconds
        return True

    given = [Exchange(str(at), at * 10**9, exchanges[0].request) for at in (0, 1, 0, 5)]
    for exchange in paced(given, wait, lambda: clock[0]):
        clock[0] += 2 if exchange.id == "1" else 0
    assert waits == [1.0, 2.0]


def test_there_is_a_page_about_it() -> None:
    page = Path("docs/replay.md").read_text(encoding="utf-8")
    for word in ("--workers", "--pace", "--filter", "--limit", "--repeat", "--summary"):
        assert word in page
