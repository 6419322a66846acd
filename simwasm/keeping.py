"""Who keeps what a test does: goldens, traces of failures. A test framework sets it, `simwasm.testing` asks for it.

It is a context variable, since a test may load plugins anywhere, and there is no other way from there to whoever runs
the test. Rule: nothing is imported here, so that a test framework can have it before anybody needs simwasm.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from simwasm.engines.engine import Engine
    from simwasm.plugin import Plugin
    from simwasm.testing.trace import Trace
    from simwasm.testing.verdict import Verdict


class Keeper(Protocol):
    """Whoever runs the test."""

    def engine(self, plugin: Plugin, engine: Engine, /) -> Engine:
        """The engine that a plugin is to run on, in place of one."""
        ...

    def file(self, path: str, /) -> str:
        """Where a file is that the test names."""
        ...

    def loaded(self, plugin: object, /) -> None:
        """A plugin was loaded, or is used: a `PluginUnderTest`."""
        ...

    def explained(self, verdict: Verdict, /) -> None:
        """An expectation was not met, and nobody has looked at that yet."""
        ...

    def golden(self, trace: Trace, name: str | None, /) -> Verdict:
        """Compare a trace with the golden of this test, or write it."""
        ...


keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)
