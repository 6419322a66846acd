"""Modules that are imported without the garbage collector."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from simwasm.cli.bring import bring

CODE = "import gc\ncollecting = gc.isenabled()\n"


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that nobody has imported, and that sees whether garbage is collected."""
    name = f"brought_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_no_garbage_is_collected_while_a_module_is_imported(fresh: str) -> None:
    assert bring(fresh).collecting is False
    assert gc.isenabled()


def test_a_module_that_cannot_be_imported_leaves_the_collector_on() -> None:
    with pytest.raises(ModuleNotFoundError):
        bring("simwasm.no_such_module")
    assert gc.isenabled()


def test_a_module_that_is_there_is_given_as_it_is() -> None:
    assert bring("simwasm.errors") is sys.modules["simwasm.errors"]


def test_a_collector_that_is_off_stays_off(fresh: str) -> None:
    gc.disable()
    try:
        bring(fresh)
        assert not gc.isenabled()
    finally:
        gc.enable()
