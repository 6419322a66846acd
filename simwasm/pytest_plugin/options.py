"""What may be said to pytest: on its command line, in its configuration, and by marks.

Rule: who says nothing pays nothing; what was said is checked before the first test is looked for.
"""

from __future__ import annotations

import pytest

UPDATE = "simwasm_update_goldens"
ENGINE = "simwasm_engine"
TRACES = "simwasm_traces"
COVERAGE = "simwasm_coverage"
PLUGIN = "simwasm_plugin"
REDACT = "simwasm_redact"
ALL = "all"

MARKS = (
    "simwasm(plugin, **options): the plugin under test that the fixture `plugin` is, relative to the test's file or to "
    "the rootdir, and the options of `simwasm.testing.load_plugin`, such as config=",
    "simwasm_replay(recording, …): run the test once for each exchange of these recordings; the fixture `exchange` is "
    "what was recorded, `replayed` is what became of it",
)


def add(parser: pytest.Parser) -> None:
    """Tell pytest the options."""
    group = parser.getgroup("simwasm", "Proxy-Wasm plugins (simwasm)")
    group.addoption(
        "--simwasm-engine", dest=ENGINE, metavar="NAME",
        help="run plugins on this engine: wasmer, wasmtime, python, or `all` that load here, one after the other",
    )  # fmt: skip
    group.addoption(
        "--update-goldens", dest=UPDATE, action="store_true",
        help="write the goldens of the tests that run, instead of comparing with them",
    )  # fmt: skip
    group.addoption(
        "--simwasm-traces", dest=TRACES, metavar="FOLDER",
        help="where tests that fail leave their traces (default: .simwasm in the rootdir)",
    )  # fmt: skip
    group.addoption(
        "--simwasm-coverage", dest=COVERAGE, metavar="FILE",
        help="write which callbacks, host calls, functions and lines of the plugins the tests reached",
    )  # fmt: skip
    parser.addini(PLUGIN, "the plugin under test where no mark names one, relative to the rootdir")
    parser.addini(ENGINE, "the engine that plugins run on, unless --simwasm-engine names one")
    parser.addini(
        REDACT,
        "what goldens hide besides dates and ids: header:NAME, text:REGEX, property:PATH",
        type="linelist",
    )


def engine(config: pytest.Config) -> str | None:
    """The engine that was asked for, `all`, or none."""
    return config.getoption(ENGINE) or config.getini(ENGINE) or None


def check(config: pytest.Config) -> None:
    """Refuse an engine that there is not."""
    name = engine(config)
    if name is None or name == ALL:
        return
    from simwasm.engines import find
    from simwasm.errors import SimwasmError

    try:
        find.engine(name)
    except SimwasmError as error:
        hint = str(error).replace("--engine", "--simwasm-engine")
        raise pytest.UsageError(f"--simwasm-engine={name}: {hint}") from None


def engines() -> list[str]:
    """Every engine of ours that loads here, best first."""
    from simwasm.engines import find
    from simwasm.errors import EngineUnavailable

    found = []
    for name in find.OWN:
        try:
            find.engine(name)
        except EngineUnavailable:
            continue
        found.append(name)
    return found
