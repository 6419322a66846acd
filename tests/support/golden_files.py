"""A golden of a sample and its recording, in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import ROOT

from simwasm.engines.engine import Engine
from simwasm.goldens.playing import Player
from simwasm.goldens.recipes import recipe_from_json, recipe_to_json
from simwasm.goldens.writing import write_golden
from simwasm.recipe import Recipe

HTTP_AUTH = Recipe(
    str(ROOT / "samples" / "http_auth" / "plugin.wasm"),
    (str(ROOT / "traces" / "traffic" / "http_auth.har"),),
    callout=(f"auth={ROOT / 'traces' / 'traffic' / 'http_auth.callouts.json'}",),
)


def written(path: Path, engine: Engine, recipe: Recipe = HTTP_AUTH, own: tuple[str, ...] = ()) -> Path:
    """The golden of a recipe, written to a file."""
    write_golden(path, text(path, engine, recipe, own))
    return path


def text(path: Path, engine: Engine, recipe: Recipe = HTTP_AUTH, own: tuple[str, ...] = ()) -> str:
    """The golden of a recipe, as it would be in this file."""
    told = recipe_to_json(recipe, path)
    return Player(engine).play(recipe_from_json(told, path), told, own)


def edited(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> Path:
    """A golden in which somebody has changed its lines."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return path
