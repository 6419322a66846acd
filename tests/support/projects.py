"""Small projects of people who test their plugins with pytest, and what pytest says of them.

Rule: pytest runs in this process, on real plugins; whatever it needs of simwasm was imported before, for pytester takes
away what a run has imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import simwasm.debug.start
import simwasm.pytest_plugin.comparing
import simwasm.pytest_plugin.covering
import simwasm.pytest_plugin.generating
import simwasm.pytest_plugin.goldens
import simwasm.pytest_plugin.reporting
import simwasm.pytest_plugin.stale
import simwasm.pytest_plugin.summary  # noqa: F401
from simwasm.pytest_plugin.options import engines
from simwasm.testing import load_plugin

ROOT = Path(__file__).parent.parent.parent
ALLOW = "allow.wasm"
"""Denies whoever does not send `allow: true`."""
SAMPLES = {ALLOW: "allow_header", "auth.wasm": "http_auth", "config.wasm": "config_loading"}
_OTHERS = (
    "cacheprovider",
    "hypothesispytest",
    "xdist",
    "pytester",
    "faulthandler",
    "junitxml",
    "logging",
    "doctest",
)
_INI = f"""
    [pytest]
    simwasm_plugin = {ALLOW}
    filterwarnings = error
    addopts = --strict-markers
"""


class Ran:
    """What pytest said."""

    def __init__(self, ran: pytest.RunResult) -> None:
        self.text = "\n".join((*ran.outlines, *ran.errlines))
        self.outcomes = dict(ran.parseoutcomes()) if ran.ret in (0, 1) else {}
        self.ret = int(ran.ret)

    def __contains__(self, text: str) -> bool:
        return dedent(text).strip("\n") in self.text

    def why(self) -> str:
        """The lines of failures that pytest marks."""
        return why(self.text)


class Reports:
    """What became of each test of a run, by its name; a plugin of pytest's."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        """What is told of those that failed."""
        self.sections: dict[str, list[tuple[str, str]]] = {}
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what became of a test."""
        name = report.nodeid.removeprefix("test_it.py::")
        if report.failed:
            self.failed[name] = report.longreprtext
            self.sections[name] = report.sections
        elif report.when == "call":
            self.passed.add(name)

    def why(self, name: str) -> str:
        """The lines of a failure that pytest marks."""
        return why(self.failed[name])

    def section(self, name: str, title: str) -> str:
        """A section of a failure, by how its title begins."""
        return next((text for head, text in self.sections[name] if head.startswith(title)), "")


def reports(folder: Path, tests: str, *words: str) -> Reports:
    """Run tests that are all in one file, with a plugin of the configuration, and tell of each."""
    new_project(folder)
    (folder / "test_it.py").write_text(f"import pytest\nfrom simwasm.testing import *\n\n{dedent(tests)}")
    return ran_in(folder, *words)


def ran_in(folder: Path, *words: str) -> Reports:
    """Run the tests of a project, and tell of each."""
    found, before = Reports(), set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        quiet = ["-p", "no:terminal", "--capture=no", "--import-mode=importlib", "--rootdir=."]
        pytest.main([*quiet, *_without(), *words], plugins=[found])
    for name in {name for name in sys.modules if name.startswith("test_")} - before:
        del sys.modules[name]  # other projects have files of that name too
    return found


def why(text: str) -> str:
    """The lines of failures that pytest marks."""
    return "\n".join(line[2:].strip() for line in text.split("\n") if line[:2] == "E ")


def new_project(folder: Path) -> None:
    """Make a folder a project."""
    for file, sample in SAMPLES.items():
        (folder / file).symlink_to(ROOT / "samples" / sample / "plugin.wasm")
    (folder / "pytest.ini").write_text(dedent(_INI))


def _without() -> list[str]:
    return [word for each in _OTHERS for word in ("-p", f"no:{each}")]


class Project:
    """A folder with plugins, tests and a configuration."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path = pytester.path
        new_project(self.path)

    def write(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def test(self, body: str, *words: str, name: str = "test_it.py") -> Ran:
        """Write a file of tests, and run it."""
        self.write(name, f"import pytest\nfrom simwasm.testing import *\n\n{dedent(body)}")
        return self.run(*words)

    def run(self, *words: str) -> Ran:
        """Run the tests in this process."""
        return Ran(self._pytester.runpytest_inprocess(*_without(), *words))

    def run_apart(self, *words: str) -> Ran:
        """Run the tests in a process of their own."""
        return Ran(self._pytester.runpytest_subprocess("-p", "no:cacheprovider", *words, timeout=60))

    def files(self, folder: str) -> list[str]:
        """The files below a folder."""
        found = (each for each in (self.path / folder).rglob("*") if each.is_file())
        return sorted(os.path.relpath(each, self.path / folder) for each in found)


@pytest.fixture(scope="session")
def imported() -> None:
    """Everything of simwasm is imported that a run may need: pytester forgets what was not there before."""
    sample = ROOT / "samples" / "allow_header" / "plugin.wasm"
    for engine in engines():
        with load_plugin(sample, engine=engine) as plugin:
            assert plugin.send("GET", "/").trace.rows


@pytest.fixture
def project(pytester: pytest.Pytester, imported: None) -> Project:
    """An empty project."""
    return Project(pytester)


__all__ = ["ALLOW", "Project", "Ran", "Reports", "imported", "project", "ran_in", "reports", "why"]
