"""Samples with their recordings, run in a debugger, and what of them can be exported."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from cases import ROOT

from simwasm.debug.debugger import Debugger
from simwasm.debug.export_subject import Subject
from simwasm.debug.inputs import Inputs
from simwasm.debug.start import read_inputs
from simwasm.debug.tape import Tape
from simwasm.recipe import Recipe
from simwasm.trace.rows import Row

TRAFFIC = ROOT / "traces" / "traffic"
ENGINES = ("wasmer", "wasmtime") if sys.version_info[:2] == (3, 10) else ("wasmtime",)


def recipe(sample: str, traffic: str = "", **options: Any) -> Recipe:
    """A sample with its recording."""
    plugin = str(ROOT / "samples" / sample / "plugin.wasm")
    return Recipe(plugin, (str(TRAFFIC / (traffic or f"{sample}.har")),), **options)


OPTIONS = {"config_loading": {"config": '{"header":"x-powered-by","value":"simwasm"}', "vm_config": "ready"}}
HTTP_AUTH = recipe("http_auth", callout=(f"auth={TRAFFIC / 'http_auth.callouts.json'}",))


@cache
def run(recipe: Recipe) -> tuple[Inputs, Tape]:
    """A recipe, recorded."""
    inputs = read_inputs(recipe)
    debugger = Debugger(inputs)
    try:
        debugger.open().result()
        return inputs, debugger.tape
    finally:
        debugger.close()


def subject(recipe: Recipe, exchange: int = 0, row: Row | None = None, folder: Path = ROOT) -> Subject:
    """An exchange of it, or a row, to be exported to a folder."""
    inputs, tape = run(recipe)
    return Subject(inputs, tape, tape.spans[exchange], row, recipe, folder)


def rows_of(recipe: Recipe, exchange: int) -> list[Row]:
    """The rows of an exchange."""
    _, tape = run(recipe)
    span = tape.spans[exchange]
    rows = (tape.rows[index] for index in range(len(tape.rows)))
    return [row for row in rows if span.first <= row.position <= span.last]
