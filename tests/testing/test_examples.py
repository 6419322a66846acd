"""The names that `simwasm.testing` has for everybody: few, and each with an example that runs."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path

import pytest
from scripted import CONFIGURE, QUEUE_READY, scripted
from under_test import PASSES, ROOT, Calls

import simwasm.testing
from simwasm.abi.enums import Action, Status

FINDER = doctest.DocTestFinder(recurse=False)
OWN = [name for name in simwasm.testing.__all__ if getattr(simwasm.testing, name) not in (Action, Status)]


def test_there_are_at_most_25_names() -> None:
    assert len(simwasm.testing.__all__) <= 25


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run: the samples are there, and two plugins that no sample is."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "samples").symlink_to(ROOT / "samples")
    (folder / "ping.wasm").write_bytes(scripted(dict.fromkeys(PASSES, ()), PASSES))
    jobs: Calls = {
        CONFIGURE: [("proxy_register_shared_queue", "jobs", 64)],
        QUEUE_READY: [("proxy_log", 2, "there is a job")],
    }
    (folder / "jobs.wasm").write_bytes(scripted(jobs))
    return folder


@pytest.mark.parametrize("name", OWN)
def test_the_example_of_a_name_runs(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    told: list[str] = []
    names = {each: getattr(simwasm.testing, each) for each in simwasm.testing.__all__}
    (example,) = FINDER.find(getattr(simwasm.testing, name), name, globs=names)
    found = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert found.attempted, f"{name} has no example"
    assert not found.failed, "".join(told)


@pytest.mark.parametrize("name", OWN)
def test_what_a_name_has_is_documented(name: str) -> None:
    found = getattr(simwasm.testing, name)
    assert inspect.getdoc(found)
    members = vars(found).items() if inspect.isclass(found) else ()
    bare = [
        each for each, value in members if each[0] != "_" and _speaks(value) and not inspect.getdoc(value)
    ]
    assert not bare


def _speaks(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, property)
