"""One test made into several: one for each recorded exchange, one for each engine.

Rules: the name of an exchange is the name of its test, and the same recording gives the same names in every process;
a mark that says nothing, or a recording that cannot be read, is told where the test is collected.
"""

from __future__ import annotations

import os

import pytest

from simwasm.errors import SimwasmError
from simwasm.exchange import Exchange
from simwasm.pytest_plugin import options
from simwasm.pytest_plugin.loading import found
from simwasm.trace.text import printable
from simwasm.traffic.importer import read_traffic

_LONGEST = 80


def engines(metafunc: pytest.Metafunc) -> None:
    """Run the test on every engine, if that was asked for."""
    if "simwasm_engine" in metafunc.fixturenames and options.engine(metafunc.config) == options.ALL:
        metafunc.parametrize("simwasm_engine", options.engines(), indirect=True, scope="session")


def exchanges(metafunc: pytest.Metafunc) -> None:
    """Run the test for every exchange of the recordings that its mark names."""
    definition = metafunc.definition
    marks = list(definition.iter_markers("simwasm_replay"))
    if not marks:
        return
    where = definition.nodeid
    paths = [path for mark in reversed(marks) for path in mark.args]
    if not paths or any(mark.kwargs for mark in marks):
        pytest.fail(
            f'{where}: say which recording: @pytest.mark.simwasm_replay("traffic.har")', pytrace=False
        )
    if "exchange" not in metafunc.fixturenames:
        pytest.fail(
            f"{where}: is marked with simwasm_replay, and asks for no exchange: let it have the fixture "
            "`exchange` (what was recorded) or `replayed` (what became of it)",
            pytrace=False,
        )
    read = [each for path in paths for each in _read(definition, os.fspath(path))]
    metafunc.parametrize("exchange", read, indirect=True, ids=list(map(_name, read)))


def _read(definition: pytest.Item, path: str) -> list[Exchange]:
    read, wrong = _tried(os.path.relpath(found(definition, path)))
    if not read:
        wrong = wrong or f"{path}: has no exchange, so there is nothing to test"
        pytest.fail(f"{definition.nodeid}: {wrong}", pytrace=False)
    return read


def _tried(path: str) -> tuple[list[Exchange], str]:
    """The exchanges of a recording, or what is wrong with it."""
    try:
        return list(read_traffic(path)), ""
    except SimwasmError as error:
        return [], str(error)


def _name(exchange: Exchange) -> str:
    """What a test of an exchange is called."""
    text = printable(exchange.label).replace("\n", " ").replace("\t", " ").replace("::", ":")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
