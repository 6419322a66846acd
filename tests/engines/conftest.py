"""Guests in the engine under test, and in all of them side by side."""

from __future__ import annotations

import sys

import pytest
from guest import Starter

from simwasm.engines import find
from simwasm.engines.engine import Engine

ENGINES = ("wasmer", "wasmtime", "python") if sys.version_info[:2] == (3, 10) else ("wasmtime", "python")


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; elsewhere tests do without the slowest."""
    return find.engine(request.param)


@pytest.fixture(scope="session")
def start(engine: Engine) -> Starter:
    """Start a module written as text in the engine under test."""
    return Starter(engine)


@pytest.fixture(scope="session")
def starters() -> dict[str, Starter]:
    """The same for every engine, to compare them."""
    return {name: Starter(find.engine(name)) for name in ENGINES}
