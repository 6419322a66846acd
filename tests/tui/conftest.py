"""Every test of the screen: nothing of the user's is read, and nothing is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from idle import wait_as_long_as_needed


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without settings and without a past."""
    monkeypatch.setenv("SIMWASM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting ends as soon as nothing is left to be done."""
    wait_as_long_as_needed(monkeypatch)
