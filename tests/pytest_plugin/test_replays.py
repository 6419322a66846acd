"""Recordings as tests: one for each exchange."""

from __future__ import annotations

import pytest
from projects import Project

from simwasm.exchange import Exchange, request, response
from simwasm.traffic.jsonl import write

_EXCHANGES = (
    Exchange("1", 0, request("GET", "/a"), response(418), name="denied"),
    Exchange("2", 0, request("GET", "/b", headers=[("allow", "true")]), response(200)),
    Exchange("3", 0, request("GET", "/b"), response(200)),
)


@pytest.fixture
def recorded(project: Project) -> Project:
    """A project with a recording."""
    with (project.path / "traffic.jsonl").open("wb") as file:
        write(_EXCHANGES, file)
    return project


_TEST = """
    @pytest.mark.simwasm_replay("traffic.jsonl")
    def test(exchange, replayed):
        allowed = exchange.request.header("allow") == "true"
        assert (replayed.response.status == 403) is not allowed
"""


def test_an_exchange_gives_its_name_to_a_test(recorded: Project) -> None:
    ran = recorded.test(_TEST, "-v")
    assert ran.outcomes == {"passed": 3}
    assert "test_it.py::test[denied] PASSED" in ran
    assert "test_it.py::test[GET /b0] PASSED" in ran


def test_exchanges_and_engines_go_together(recorded: Project) -> None:
    ran = recorded.test(_TEST, "-v", "--simwasm-engine=all")
    assert "test_it.py::test[denied-wasmtime] PASSED" in ran


def test_a_plugin_replays_a_recording_by_itself(recorded: Project) -> None:
    ran = recorded.test(
        """
        def test(plugin):
            assert [result.response.status == 403 for result in plugin.replay("traffic.jsonl")] == [True, False, True]
        """
    )
    assert ran.outcomes == {"passed": 1}


def test_a_recording_that_cannot_be_read_is_told_where_tests_are_collected(project: Project) -> None:
    project.write("traffic.jsonl", '{"request": {"method": 5}}\n')
    ran = project.test(_TEST)
    assert ran.ret == 2
    assert "test_it.py::test: traffic.jsonl: is JSON, but of no kind that is known here" in ran


def test_a_recording_without_exchanges_tests_nothing(project: Project) -> None:
    project.write("traffic.jsonl", '{"log": {"version": "1.2", "entries": []}}')
    assert "traffic.jsonl: has no exchange, so there is nothing to test" in project.test(_TEST)


def test_a_mark_without_a_recording_is_told_how_to_be_written(project: Project) -> None:
    ran = project.test("@pytest.mark.simwasm_replay()\ndef test(replayed): pass\n")
    assert 'say which recording: @pytest.mark.simwasm_replay("traffic.har")' in ran


def test_a_test_that_asks_for_no_exchange_is_told_so(recorded: Project) -> None:
    ran = recorded.test("@pytest.mark.simwasm_replay('traffic.jsonl')\ndef test(plugin): pass\n")
    assert "is marked with simwasm_replay, and asks for no exchange" in ran


def test_an_exchange_without_a_recording_is_told_so(project: Project) -> None:
    ran = project.test("def test(replayed): pass\n")
    assert ran.outcomes == {"errors": 1}
    assert "the fixture `exchange` has nothing to be" in ran
