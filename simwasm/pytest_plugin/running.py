"""What a test does while it runs: the plugins it loads, the expectations that are not met, the goldens it has.

Rule: a test is forgotten when it is over, with its plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from simwasm.keeping import keeper

if TYPE_CHECKING:
    from simwasm.coverage.collector import Collector
    from simwasm.engines.engine import Engine
    from simwasm.plugin import Plugin
    from simwasm.testing import PluginUnderTest
    from simwasm.testing.trace import Trace
    from simwasm.testing.verdict import Verdict

WROTE = "simwasm_wrote"
"""The attribute of a report that names the goldens which the test wrote."""
STALE = "simwasm_stale"
"""The attribute of a report, or of the configuration, that names goldens which nobody asks for any more."""


COVERING: pytest.StashKey[Collector] = pytest.StashKey()
"""What is reached, where somebody wants to know."""


class Evidence(NamedTuple):
    """Lines that explain a failure, and the event that they are about; 0 for none."""

    lines: tuple[str, ...]
    seq: int = 0


class Test:
    """A test that runs."""

    __test__ = False  # for pytest this is none

    def __init__(self, item: pytest.Item) -> None:
        self.item = item
        self.plugins: list[PluginUnderTest] = []
        self.unmet: list[Verdict] = []
        """What was not as it was expected, the newest last."""
        self.goldens: list[str] = []
        """The names of the goldens that it has asked for."""
        self.wrote: list[str] = []
        """The goldens that it has written."""
        self.evidence = Evidence(())
        """Why it has failed."""

    @property
    def used(self) -> bool:
        """Whether it has to do with a plugin at all."""
        return bool(self.plugins)

    def engine(self, plugin: Plugin, engine: Engine) -> Engine:
        """The engine itself, or one that tells what is reached on it, where that is wanted."""
        collector = self.item.config.stash.get(COVERING, None)
        return engine if collector is None else collector.engine(plugin, engine)

    def file(self, path: str) -> str:
        """Where a file is: beside the test's file, or in the rootdir; else as it was said."""
        places = (place / path for place in (self.item.path.parent, self.item.config.rootpath))
        return next((str(place) for place in places if place.exists()), path)

    def loaded(self, plugin: object) -> None:
        """Keep a plugin that it has loaded, or uses though it was loaded for an earlier test."""
        if not any(each is plugin for each in self.plugins):
            self.plugins.append(plugin)  # type: ignore[arg-type]  # nobody else loads anything

    def explained(self, verdict: Verdict) -> None:
        """Keep what was not as expected."""
        self.unmet.append(verdict)

    def hear(self) -> None:
        """Fail if something was not as expected, and the test has not asked whether it was."""
        verdict = next((each for each in self.unmet if not each.heard), None)
        if verdict is not None:
            self.evidence = Evidence((), verdict.position)
            pytest.fail(
                f"{verdict.text}\n\nThe test has not asked whether this holds: is there an `assert` missing?",
                pytrace=False,
            )

    def warn(self) -> None:
        """Warn of what the test has asked for and has not met: it may have passed because of that."""
        for plugin in self.plugins:
            for text in plugin._life.missed():
                self.item.warn(pytest.PytestWarning(f"{text} never happened: the test did not come there"))

    def golden(self, trace: Trace, name: str | None) -> Verdict:
        """Compare with a golden of this test, or write it."""
        from simwasm.pytest_plugin import goldens  # for those who have some

        return goldens.golden(self, trace, name)


_TEST = pytest.StashKey[Test]()


@contextmanager
def keeping(item: pytest.Item) -> Iterator[None]:
    """Keep what a test does while it runs."""
    test = item.stash[_TEST] = Test(item)
    token = keeper.set(test)
    try:
        yield
    finally:
        keeper.reset(token)
        del item.stash[_TEST]


def ran(item: pytest.Item) -> Test | None:
    """The test that runs as this item."""
    return item.stash.get(_TEST, None)
