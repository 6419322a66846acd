"""Questions about the traces of the samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="DuckDB has no build for this Python", exc_type=ImportError)

GOLDEN = Path(__file__).parents[2] / "traces" / "golden"
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder with the traces of the samples."""
    return GOLDEN


@pytest.fixture
def ask() -> Ask:
    """Answer a question about files, those of http_auth if none are named."""
    from simwasm.database.database import Database

    def answer(text: str, *paths: object) -> list[tuple[Any, ...]]:
        files = [str(path) for path in paths or [GOLDEN / "http_auth" / "browser.jsonl"]]
        with Database(files) as database:
            return list(database.ask(text).rows)

    return answer
