"""With what a debugger starts: a run and where it came from, a session file, a trace, or nothing yet.

The command line makes a start, and whoever shows the debugger (a screen, a line) begins with it; both make another
one when the user opens something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from simwasm import recipe as recipes
from simwasm.debug.inputs import Inputs
from simwasm.debug.recent import remembered
from simwasm.debug.session_file import SavedSession, load
from simwasm.engines import find
from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL
from simwasm.trace.file import TraceFile, open_trace
from simwasm.traffic.notes import telling

MOST_EXCHANGES = 20_000
MOST_BYTES = 512 << 20
"""How much traffic is taken if nobody says, and how long its bodies are together."""


@dataclass(frozen=True, slots=True)
class Start:
    """A beginning. Without `inputs` there is nothing to debug yet."""

    inputs: Inputs | None = None
    recipe: Recipe | None = None
    """Where the inputs came from."""
    session: SavedSession | None = None
    """What was kept of an earlier time: breakpoints, the place where one stood, and so on."""
    path: Path | None = None
    """The session's file; None for a session that was remembered, and for none."""
    notes: tuple[str, ...] = ()
    """What whoever starts should be told: entries left out of recordings, a plugin that has changed."""
    trace: TraceFile | None = None
    """A trace file alone, in place of inputs."""
    row: int = 0
    """The row to go to at once, counted from 1; 0 for where a run or a session begins."""
    theme: str = ""
    keymap: str = ""
    """The path of a keymap file; empty for the default."""


@dataclass(slots=True)
class _Notes:
    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.texts.append(text)


def read_inputs(
    recipe: Recipe, note: Callable[[str], None] = lambda text: None, *, whole: bool = False
) -> Inputs:
    """Everything that decides the run, read from the files that a recipe names.

    Of more traffic than one looks at, and than memory has room for with all that happens in it, only the beginning is
    taken, unless the recipe says how much or `whole` is wanted.
    """
    plugins = recipes.plugins(recipe, told=note)
    for plugin in plugins:
        _ = plugin.abi  # what is no plugin is told here, before anything is shown
    answering = recipes.clusters(recipe)
    found = recipes.selected(recipe, telling(note))
    exchanges = tuple(found if whole or recipe.limit is not None else _at_most(found, note))
    if recipe.traffic and not exchanges:
        note("there was no exchange in the traffic")
    return Inputs(
        plugins,
        exchanges,
        engine=find.engine(recipe.engine).name,
        clusters=answering.names,
        ask_cluster=answering.ask,
        profile=recipes.profile(recipe),
        limits=recipes.limits(recipe),
        fuel=recipe.fuel or DEFAULT_FUEL,
        workers=recipes.concurrency(recipe),
        faults=recipes.faults(recipe),
        together=recipe.together,
    )


def _at_most(exchanges: Iterable[Exchange], note: Callable[[str], None]) -> Iterator[Exchange]:
    """The first exchanges, as many as can be looked at."""
    size = 0
    for number, exchange in enumerate(exchanges):
        size += _bodies_of(exchange)
        if number == MOST_EXCHANGES or size > MOST_BYTES:
            note(
                f"only the first {number:,} exchanges are debugged, there are more: choose by --filter (path:/login), "
                "or say how many by --limit"
            )
            return
        yield exchange


def _bodies_of(exchange: Exchange) -> int:
    """How many bytes of bodies an exchange has."""
    messages = (exchange.request, exchange.response)
    return sum(len(chunk.data) for message in messages if message is not None for chunk in message.body)


def start_with(recipe: Recipe, *, remember: bool = True) -> Start:
    """A start with a plugin and its traffic; what is remembered of them comes along."""
    notes = _Notes()
    inputs = read_inputs(recipe, notes)
    session = remembered(recipe) if remember else None
    return Start(inputs, recipe, session, None, tuple(notes.texts))


def start_reading(path: str) -> Start:
    """A start with a trace file alone."""
    trace = open_trace(path, ahead=0)
    return Start(trace=trace, path=Path(path))


def start_from(path: str | Path, change: Callable[[Recipe], Recipe] = lambda recipe: recipe) -> Start:
    """A start from a session file; `change` may say otherwise than its recipe."""
    session = load(path)
    session = replace(session, recipe=change(session.recipe))
    for text in session.missing():
        raise InputError(f"{path}: {text}")
    notes = _Notes()
    inputs = read_inputs(session.recipe, notes)
    notes.texts.extend(session.changed(inputs.sha256))
    return Start(inputs, session.recipe, session, Path(path), tuple(notes.texts))
