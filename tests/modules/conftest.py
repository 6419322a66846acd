"""A cache, credentials and an environment of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

_OTHERS = (
    "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "SIMWASM_INSECURE_REGISTRIES", "SSL_CERT_FILE", "http_proxy",
    "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is read, and nothing of the test before."""
    for name in _OTHERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIMWASM_CACHE_DIR", str(tmp_path / "cache of the test"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker of the test"))
