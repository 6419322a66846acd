"""What every test may ask for: the engines that load here, and the sample plugins."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from simwasm.engines import find
from simwasm.engines.engine import Engine
from simwasm.plugin import Plugin

pytest_plugins = ["proofs", "pytester", "testsuite"]

ROOT = Path(__file__).parent.parent
ENGINES = ("wasmer", "wasmtime") if sys.version_info[:2] == (3, 10) else ("wasmtime",)
"""Both have to load on CPython 3.10; wasmer has no build for any other."""

settings.register_profile(
    "simwasm",
    deadline=None,
    max_examples=int(os.environ.get("SIMWASM_EXAMPLES", "40")),  # many more look for longer
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("simwasm")  # how fast a machine is says nothing about the code


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return find.engine(request.param)


@pytest.fixture(scope="session")
def sample() -> Callable[..., Plugin]:
    """A sample plugin by its name, configured as the test says."""

    def load(name: str, file: str = "plugin.wasm", **settings: bytes | str) -> Plugin:
        wasm = (ROOT / "samples" / name / file).read_bytes()
        return Plugin(name, wasm, **settings)  # type: ignore[arg-type]  # the test names fields of Plugin

    return load


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled modules and remembered sessions go to folders of this run, for this process and those it starts."""
    ours = tmp_path_factory.getbasetemp()
    everybodys = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    os.environ["SIMWASM_CACHE_DIR"] = str(everybodys / "cache")
    os.environ["SIMWASM_STATE_DIR"] = str(ours / "state")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-traces", action="store_true", help="write the golden traces anew")


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and not among what stays to the end: the tests themselves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
