"""The pytest plugin: fixtures, options and marks for tests of plugins, and failures that explain themselves.

    @pytest.mark.simwasm("plugin.wasm", config={"deny": True})
    def test_denies(plugin):
        assert plugin.send("GET", "/status/418").response.status == 403

pytest imports this file in every project where simwasm is installed. Rules: it costs next to nothing, so whatever is
not pytest or the standard library is imported when a test asks for it; a test that has nothing to do with simwasm runs
as if it were not there.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import pytest

from simwasm.pytest_plugin import options
from simwasm.pytest_plugin.fixtures import exchange, plugin, replayed, simwasm_engine, simwasm_plugin
from simwasm.pytest_plugin.running import keeping, ran

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["exchange", "plugin", "replayed", "simwasm_engine", "simwasm_plugin"]

pytest_addoption = options.add


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marks, and see that what was asked for can be done."""
    for mark in options.MARKS:
        config.addinivalue_line("markers", mark)
    options.check(config)
    if config.getoption(options.COVERAGE):
        from simwasm.pytest_plugin import covering

        covering.begin(config)


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each recorded exchange, and on each engine; an engine is the end of the test's name."""
    if "simwasm_engine" in metafunc.fixturenames or "exchange" in metafunc.fixturenames:
        from simwasm.pytest_plugin import generating

        generating.exchanges(metafunc)
        generating.engines(metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep what a test does until it is over."""
    with keeping(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """See that what a test expects is not forgotten, when it has passed."""
    done = yield
    test = ran(item)
    if test is not None:
        test.hear()
        test.warn()
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a failure tell what crossed the ABI."""
    test = ran(item)
    if test is None or not test.used:
        return (yield)
    from simwasm.pytest_plugin import reporting

    reporting.explain(test, call)
    report = yield
    reporting.attach(test, report)
    return report


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Show how headers and bodies differ, and where a status or an action comes from."""
    from simwasm.pytest_plugin import comparing

    return comparing.compared(op, left, right)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """See which goldens no test has any more, before tests are left out."""
    if config.getoption(options.UPDATE):
        from simwasm.pytest_plugin import stale

        stale.look(config, items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was reached."""
    if session.config.getoption(options.COVERAGE):
        from simwasm.pytest_plugin import covering

        covering.end(session.config)


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Say which goldens were written, and which no test has any more."""
    if config.getoption(options.UPDATE):
        from simwasm.pytest_plugin import summary

        summary.tell(terminalreporter)
