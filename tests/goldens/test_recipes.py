"""The recipe in a golden's header plays the run again, from wherever the folder lies."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simwasm.errors import ConfigError, InputError
from simwasm.goldens.recipes import recipe_from_json, recipe_to_json
from simwasm.recipe import Recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A recipe with an option of every kind."""
    for name in ("plugin.wasm", "a.har", "auth.json", "config.json"):
        (tmp_path / name).touch()
    return Recipe(
        str(tmp_path / "plugin.wasm"),
        (str(tmp_path / "a.har"),),
        config=f"@{tmp_path / 'config.json'}",
        vm_config="plain",
        env=("A=1",),
        callout=(f"auth={tmp_path / 'auth.json'}", "other=403"),
        fuel=5000,
        network=True,
        engine="wasmtime",
        debug_file="x.dwp",
        source_map=("/a=b",),
    )


def test_files_are_named_from_the_golden(recipe: Recipe, tmp_path: Path) -> None:
    told = recipe_to_json(recipe, tmp_path / "goldens" / "a.jsonl")
    assert told == {
        "plugin": "../plugin.wasm",
        "traffic": ["../a.har"],
        "name": tmp_path.name,
        "config": "@../config.json",
        "vm_config": "plain",
        "env": ["A=1"],
        "callout": ["auth=../auth.json", "other=403"],
        "fuel": 5000,
        "network": True,
    }


def test_a_recipe_is_read_as_it_was_written(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "goldens").mkdir()
    golden = tmp_path / "goldens" / "a.jsonl"
    found = recipe_from_json(json.loads(json.dumps(recipe_to_json(recipe, golden))), golden)
    assert os.path.samefile(found.plugin, recipe.plugin)
    assert found.callout == (f"auth={tmp_path / 'auth.json'}", "other=403")
    files: dict[str, Any] = {"plugin": "", "traffic": (), "callout": (), "config": ""}
    not_kept: dict[str, Any] = {"engine": None, "debug_file": "", "source_map": ()}
    assert replace(found, **files, name="") == replace(recipe, **files, **not_kept)


def test_a_relative_golden_names_files_from_its_folder(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert recipe_to_json(Recipe("plugin.wasm"), "a.jsonl")["plugin"] == "plugin.wasm"
    assert recipe_to_json(Recipe("plugin.wasm"), "b/a.jsonl")["plugin"] == "../plugin.wasm"


def test_a_name_that_a_plugin_has_of_its_folder_is_kept(tmp_path: Path) -> None:
    told = recipe_to_json(Recipe(str(tmp_path / "auth" / "plugin.wasm")), tmp_path / "a.jsonl")
    assert (told["plugin"], told["name"]) == ("auth/plugin.wasm", "auth")


def test_what_can_be_read_only_once_is_refused(recipe: Recipe) -> None:
    with pytest.raises(InputError, match="--golden: --vm-config @- can be read only once"):
        recipe_to_json(replace(recipe, vm_config="@-"), "a.jsonl")


def test_what_a_server_answers_is_refused(recipe: Recipe) -> None:
    with pytest.raises(InputError, match="--callout auth=http://a: a server may answer otherwise next time"):
        recipe_to_json(replace(recipe, callout=("auth=http://a",)), "a.jsonl")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"plugin": None}, 'recipe has no "plugin"'),
        ({"plugin": 5}, "recipe.plugin must be text, but is a number: 5"),
        ({"plugin": "a\0b"}, "recipe.plugin has a text that cannot be part of a path"),
        ({"plugin": "\ud800"}, "recipe.plugin has a text that cannot be part of a path"),
        ({"config": "@\0"}, "recipe has a text that cannot be part of a path"),
        ({"traffic": "a.har"}, "recipe.traffic must be a list, but is text"),
        ({"tracffic": []}, "recipe does not know 'tracffic'; known are config, "),
        ({"fault": [[]]}, "recipe.fault[0] must be text, but is a list"),
        ({"fuel": "1"}, "recipe.fuel must be a whole number, but is text"),
        ({"log_level": "loud"}, "recipe.log_level must be one of trace, debug"),
    ],
)
def test_a_recipe_that_cannot_be_used_says_where(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError) as error:
        recipe_from_json({"plugin": "p.wasm", "traffic": [], **change}, "g/a.jsonl")
    assert str(error.value).startswith(f"g/a.jsonl:1: {why}")
