"""Configurations with several plugins, as Istio has them: one document each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripted import Call, scripted

ROOT = Path(__file__).parents[2]
PHASES = ("AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE")


def sample(name: str) -> str:
    """The address of a sample's module."""
    return f"file://{ROOT}/samples/{name}/plugin.wasm"


def says(folder: Path, text: str, *more: Call, results: dict[str, int] | None = None) -> str:
    """The address of a plugin that logs a text for each request, and then does more."""
    path = folder / f"{text}.wasm"
    path.write_bytes(scripted({"proxy_on_request_headers": [("proxy_log", 2, text), *more]}, results))
    return f"file://{path}"


def chained(path: Path, *plugins: tuple[str, str, dict[str, Any]]) -> Path:
    """A file with plugins: of each the name, where its module is, and what else its spec says."""
    path.write_text("---\n".join(map(_document, plugins)))
    return path


def three(path: Path) -> Path:
    """The chain allow, auth, body in the file's other order."""
    return chained(
        path,
        ("body", sample("response_body"), {}),
        ("auth", sample("http_auth"), {"phase": "AUTHZ"}),
        ("allow", sample("allow_header"), {"phase": "AUTHN"}),
    )


def _document(plugin: tuple[str, str, dict[str, Any]]) -> str:
    name, url, more = plugin
    spec = "".join(f"  {key}: {value}\n" for key, value in {"url": url, **more}.items())
    return (
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec:\n{spec}"
    )
