"""The official test suite in every engine: each assertion holds, or stands in `official.known` with a reason."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from official.known import CANNOT, DIFFERENCES, UNTRIED
from official.python_world import PythonWorld
from official.script import applies, run
from official.wasmtime_world import WasmtimeWorld
from official.world import World
from testsuite import CORE, PROPOSED, Converted, commands, named

VECTORS = tuple(name for name in CORE if name.startswith("simd_"))
FILES = (*CORE, *PROPOSED)


def wasmer() -> World:
    from official.wasmer_world import WasmerWorld

    return WasmerWorld()


WORLDS: dict[str, Callable[[], World]] = {
    "wasmtime": WasmtimeWorld,
    "python": PythonWorld,
    "steppable": partial(PythonWorld, steppable=True),
}
if sys.version_info[:2] == (3, 10):
    WORLDS["wasmer"] = wasmer
RUNS = [
    f"{engine} {name}"
    for name in FILES
    for engine in WORLDS
    if engine != "steppable" or name not in VECTORS  # which are one instruction a function
]


@pytest.mark.parametrize("one", named(tuple(RUNS)))
def test_an_engine_does_what_the_standard_says(one: str, converted: Converted) -> None:
    engine, _, name = one.partition(" ")
    folder = converted(name)
    script = [command for command in commands(folder) if applies(command)]
    tally = run(script, folder, WORLDS[engine](), UNTRIED.get(engine, {}).get(name, {}))
    known = DIFFERENCES.get(engine, {}).get(name, {})
    new = [f"{name}.wast:{line}: {what}" for line, what in tally.failed.items() if line not in known]
    gone = [f"{name}.wast:{line} holds: {why}" for line, why in known.items() if line not in tally.failed]
    assert not [*new, *gone]
    assert dict(tally.cannot) == CANNOT.get(engine, {}).get(name, {})
    assert tally.ended == len(script)


COUNTS: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "core": (
        tuple(name for name in CORE if name not in VECTORS),
        {
            "assert_return": 21361,
            "assert_trap": 2354,
            "assert_exhaustion": 15,
            "action": 155,
            "module": 1125,
            "assert_uninstantiable": 34,
            "assert_unlinkable": 83,
            "register": 18,
            "assert_malformed": 736,
            "assert_invalid": 1475,
        },
    ),
    "vectors": (
        VECTORS,
        {"assert_return": 24273, "assert_trap": 54, "assert_invalid": 669, "module": 470},
    ),
    "tail calls": (PROPOSED, {"assert_return": 71, "assert_trap": 7, "assert_invalid": 24, "module": 6}),
}


@pytest.mark.parametrize("part", named(tuple(COUNTS) if CORE else ()))
def test_nothing_of_the_suite_is_lost(part: str, converted: Converted) -> None:
    """So many commands of each kind are there for an engine; what is malformed as text is not among them."""
    names, expected = COUNTS.get(part, (("",), {}))
    script = (command for name in names for command in commands(converted(name)))
    assert Counter(command["type"] for command in script if applies(command)) == expected
