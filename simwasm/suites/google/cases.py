"""The tests of a file as cases of a suite: which plugin they are played with, and on which engine.

Rules: what the command line names comes before what the file names; module and configuration are looked for beside
the file, so that it does not matter where simwasm is called, and then from the current folder, as that tester does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from simwasm import recipe
from simwasm.suites.case import Case, Miss
from simwasm.suites.google.read import read
from simwasm.suites.google.suite import Named, Suite, Trial
from simwasm.suites.shape import wrong
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.plugin import Plugin
    from simwasm.suites.bench import Bench, Options


def cases(path: str | Path) -> list[Case]:
    """The cases of a file."""
    suite = read(path)
    return [
        Case(trial.name, suite.file, trial.place.line, partial(_play, suite, trial)) for trial in suite.trials
    ]


def _play(suite: Suite, trial: Trial, bench: Bench) -> Iterator[Miss]:
    from simwasm.suites.google.play import play  # listing cases needs no host
    from simwasm.suites.google.stage import Stage

    plugin = _plugin(suite, trial, bench.options)
    stage = Stage(plugin, suite.env, trial.properties, engine=bench.engine(plugin))
    bench.plugins.append(stage)
    for failure in play(trial, stage):
        yield Miss(failure.message, failure.place.line, stage.row, failure.details)


def _plugin(suite: Suite, trial: Trial, options: Options) -> Plugin:
    from simwasm.testing import shared

    wasm = options.plugin or _found(suite.env.wasm)
    if not wasm:
        wrong(trial.place, "no plugin is named. Say which by --plugin FILE, or by `wasm_path` in `env`")
    config = options.config or _found(suite.env.config)
    made = recipe.Recipe(wasm, config=config if options.config or not config else f"@{config}")
    return shared.known(recipe.plugin(made, shared.read))


def _found(named: Named | None) -> str:
    """The path of a file that the suite names; nothing if it names none."""
    if named is None:
        return ""
    beside = Path(named.place.file).parent / named.path
    found = next((path for path in (beside, Path(named.path)) if path.is_file()), None)
    if found is None:
        wrong(
            named.place,
            f"`{printable(named.path)}` is no file, neither beside this one nor in the current folder",
        )
    return str(found)
