"""A failed run as a session of the debugger: plugin, traffic and answers in files, so that it opens live, with memory.

    .simwasm/tests/test_login.py/test_denies.simwasm, .traffic.jsonl, .auth.answers.json

Rule: not everything that a test does can be told in files, so the files are played, and they are only left if every
crossing is as it was in the test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from simwasm.answers import FAILURES
from simwasm.conversation import Conversation
from simwasm.debug.inputs import Inputs
from simwasm.debug.session_file import SavedSession, save, with_digests
from simwasm.debug.start import read_inputs
from simwasm.engines import find
from simwasm.errors import SimwasmError
from simwasm.exchange import Exchange, Message, to_text
from simwasm.host.ports import NO_HOST, Failure
from simwasm.plugin import digest_of
from simwasm.pytest_plugin.goldens import filename
from simwasm.recipe import Recipe
from simwasm.session import Session
from simwasm.testing import shared
from simwasm.testing.life import Life
from simwasm.trace.event import Entered, Event, Left
from simwasm.traffic.jsonl import write

_MOST = 20_000
"""Events of a longer run are not played again."""


def leave_session(life: Life, path: Path) -> bool:
    """Write a session file, and the files that it names; whether it plays what the test did."""
    made: list[Path] = []
    try:
        recipe = _recipe(life, path, made)
        if recipe is not None and _plays(recipe, life):
            save(path, with_digests(SavedSession(recipe), digest_of(life.setup.plugins)), sync=False)
            return True
    except (SimwasmError, OSError):
        pass  # the trace is there in any case
    for file in made:
        file.unlink(missing_ok=True)
    return False


def _recipe(life: Life, path: Path, made: list[Path]) -> Recipe | None:
    """What the test did, in files; None if it did what no file tells."""
    recipe = life.setup.recipe
    exchanges = [_exchange(life, result.outcome.exchange) for result in life.ended]
    if recipe is None or life.told or len(life.faults) != len(life.setup.faults) or not exchanges:
        return None
    if len(life.record.events) > _MOST or not all(exchanges):
        return None
    traffic = path.with_suffix(".traffic.jsonl")
    made.append(traffic)
    with traffic.open("wb") as file:
        write([each for each in exchanges if each is not None], file)
    answers = dict(text.split("=", 1) for text in recipe.callout)
    for cluster, answer in _callouts(life, path, made):
        answers[cluster] = answer
    return replace(
        recipe,
        plugin=str(Path(recipe.plugin).absolute()),
        traffic=(str(traffic),),
        engine=None,
        callout=tuple(f"{cluster}={answer}" for cluster, answer in answers.items()),
    )


def _exchange(life: Life, exchange: Exchange) -> Exchange | None:
    """An exchange with what the upstream answered; None if no file tells that."""
    answer = life.servers.answers.get(id(exchange))
    if isinstance(exchange, Conversation) or not isinstance(answer, (Message, type(None))):
        return None
    return exchange if answer is None else replace(exchange, response=answer)


def _callouts(life: Life, path: Path, made: list[Path]) -> Iterator[tuple[str, str]]:
    """The clusters that a test has answers of, each with a script of what it answered."""
    rules: dict[str, list[dict[str, Any]]] = {}
    for call, answer in life.record.asked.values():
        if answer is NO_HOST:
            yield call.cluster, "no-host"
            continue
        when = {"method": call.request.header(":method"), "path": call.request.header(":path")}
        rule = {"when": {key: value for key, value in when.items() if value}, **_said(answer)}
        if rule not in rules.setdefault(call.cluster, []):
            rules[call.cluster].append(rule)
    for cluster, script in rules.items():
        file = path.with_suffix(f".{filename(cluster)}.answers.json")
        made.append(file)
        file.write_text(json.dumps(script, indent=1) + "\n")
        yield cluster, str(file)


def _said(answer: object) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {"fail": next((name for name, each in FAILURES.items() if each == answer), "reset")}
    if not isinstance(answer, Message):
        return {"fail": "reset"}
    told = {
        "status": int(answer.header(":status") or 0),
        "headers": dict(pair for pair in answer.headers if pair[0][:1] != ":"),
        "body": to_text(answer.data),
        "trailers": dict(answer.trailers),
        "after_ms": answer.after_ns // 1_000_000,
    }
    return {"reply": {key: value for key, value in told.items() if value}}


def _plays(recipe: Recipe, life: Life) -> bool:
    """Whether the files do what the test did."""
    inputs = read_inputs(recipe)
    events = _played(inputs)
    before = life.record.events
    if len(before) != len(events) and not life.over:
        return False
    return list(map(_content, events)) == list(map(_content, before[: len(events)]))


def _played(inputs: Inputs) -> list[Event]:
    found: list[Event] = []
    session = Session(
        inputs.plugins, engine=find.engine(inputs.engine), workers=inputs.workers, observers=[found.append],
        clusters=inputs.clusters, ask_cluster=inputs.ask_cluster, profile=inputs.profile, now_ns=inputs.now_ns,
        limits=inputs.limits, fuel=inputs.fuel, faults=inputs.faults, programs=shared.program,
    )  # fmt: skip
    with session:
        for _ in session.replay(inputs.exchanges, together=inputs.together):
            pass
        return list(found)


def _content(event: Event) -> object:
    """What an event tells, without when it was."""
    if isinstance(event, Entered):
        return event.function.name, event.args
    if isinstance(event, Left):
        return event.result, event.values
    return event.trap.kind
