"""Tests that run in several processes: nothing collides, and everything is told once."""

from __future__ import annotations

from projects import Project

from simwasm.coverage.file import read

_TESTS = """
import pytest

@pytest.mark.parametrize("path", ["/a", "/b", "/c", "/d"])
def test(plugin, path):
    result = plugin.send("GET", path)
    assert result.trace.matches_golden()
    assert path != "/d"
"""


def test_processes_share_goldens_traces_and_what_is_told(project: Project) -> None:
    project.write("test_it.py", _TESTS)
    ran = project.run_apart("-n", "2", "--update-goldens", "--simwasm-coverage=it.cov")
    assert ran.outcomes == {"passed": 3, "failed": 1}
    assert "4 goldens written anew" in ran
    assert len(project.files("goldens")) == 4
    traces = [each for each in project.files(".simwasm") if each.endswith(".trace.jsonl")]
    assert [each.partition("~")[0] for each in traces] == ["test_it.py/test[_d]"]
    (covered,) = read(project.path / "it.cov")
    assert covered.callbacks["proxy_on_request_headers"] == 4
    assert not list(project.path.glob(".it.cov*"))
