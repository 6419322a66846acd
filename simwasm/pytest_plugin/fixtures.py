"""The fixtures.

    simwasm_engine   the name of the engine, for the whole run; None for the best that loads
    simwasm_plugin   makes a plugin under test, which is closed behind the test
    plugin           that of the mark or the configuration; a project may have a fixture `plugin` of its own instead
    exchange         a recorded exchange, of the mark `simwasm_replay`
    replayed         what became of it in `plugin`

Rules: a plugin under test lives as long as one test, since it remembers what it was sent; a path is looked for beside
the test's file first, and then in the rootdir; who asked for something that is not there is told where and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from simwasm.pytest_plugin import options

if TYPE_CHECKING:
    from simwasm.exchange import Exchange
    from simwasm.testing import PluginUnderTest, Result


@pytest.fixture(scope="session")
def simwasm_engine(request: pytest.FixtureRequest) -> str | None:
    """The name of the engine that plugins run on; None for the best that loads here."""
    if hasattr(request, "param"):
        name: str = request.param
        return name
    return options.engine(request.config)


@pytest.fixture
def simwasm_plugin(
    request: pytest.FixtureRequest, simwasm_engine: str | None
) -> Iterator[Callable[..., PluginUnderTest]]:
    """Make a plugin under test: `simwasm_plugin("plugin.wasm", config=…)`, as `simwasm.testing.load_plugin` does."""
    from simwasm.pytest_plugin.loading import Loading

    loading = Loading(request, simwasm_engine)
    yield loading
    loading.close()


@pytest.fixture
def plugin(simwasm_plugin: Callable[..., PluginUnderTest]) -> PluginUnderTest:
    """The plugin under test that the mark `simwasm` describes, or `simwasm_plugin` in pytest's configuration."""
    return simwasm_plugin()


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """A recorded exchange: the test runs once for each of those that the mark `simwasm_replay` names."""
    if not hasattr(request, "param"):
        pytest.fail(
            f"{request.node.nodeid}: the fixture `exchange` has nothing to be. Say which recording: "
            '@pytest.mark.simwasm_replay("traffic.har")',
            pytrace=False,
        )
    recorded: Exchange = request.param
    return recorded


@pytest.fixture
def replayed(plugin: PluginUnderTest, exchange: Exchange) -> Result:
    """What became of a recorded exchange in the plugin under test."""
    return plugin.play(exchange)
