"""The traces that failing tests leave behind, for the debugger and for CI to pick up.

    .simwasm/tests/test_login.py/test_denies.trace.jsonl      what happened
    .simwasm/tests/test_login.py/test_denies.simwasm          the same to be run again, where files can tell it

Rules: a file is told by its test, so processes do not meet in one; a test that passes takes its old trace away; a
folder of traces is never committed by accident.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from glob import escape
from pathlib import Path

from simwasm.errors import SimwasmError
from simwasm.pytest_plugin import options
from simwasm.pytest_plugin.goldens import displayed, filename
from simwasm.pytest_plugin.living import leave_session
from simwasm.pytest_plugin.running import Test
from simwasm.testing import PluginUnderTest

_DEFAULT = ".simwasm"
_SUFFIX = ".trace.jsonl"
_SESSION = ".simwasm"
_ENDS = (_SUFFIX, _SESSION, ".traffic.jsonl", ".answers.json")


def leave(test: Test) -> list[str]:
    """Write the traces of a test that has failed; what to say of them."""
    forget(test)
    said: list[str] = []
    for path, plugin in zip(_paths(test), test.plugins, strict=False):
        trace = plugin.trace
        if not trace.entries:
            continue
        try:
            _prepare(test, path.parent)
            trace.save(path)
        except (OSError, SimwasmError) as error:
            said.append(f"the trace could not be written: {error}")
            continue
        shown = displayed(test.item.config, path)
        row = f" --row {_row(test, plugin)}" if len(trace.rows) else ""
        said += [shown, f"  simwasm debug {shlex.quote(shown)}{row}"]
        session = path.with_name(path.name.removesuffix(_SUFFIX) + _SESSION)
        if leave_session(plugin._life, session):
            shown = displayed(test.item.config, session)
            said.append(f"  simwasm debug {shlex.quote(shown)}{row}   live, with memory")
    return said


def _row(test: Test, plugin: PluginUnderTest) -> int:
    """The row that the failure is about, from 1; the last one if it is about none."""
    rows = plugin.trace.rows
    seq = test.evidence.seq
    if not seq or plugin is not test.plugins[-1]:
        return len(rows)
    return min(rows.at(seq) + 1, len(rows))


def forget(test: Test) -> None:
    """Take away what the test left when it failed the last time."""
    if not _folder(test).is_dir():
        return  # as it is for most tests
    place, stem = _place(test)
    for path in place.glob(f"{escape(stem)}.*"):
        if path.name.endswith(_ENDS):
            with suppress(OSError):
                path.unlink()


def _folder(test: Test) -> Path:
    config = test.item.config
    return config.rootpath / (config.getoption(options.TRACES) or _DEFAULT)


def _place(test: Test) -> tuple[Path, str]:
    """The folder of what a test leaves, and what its files begin with."""
    file, _, name = test.item.nodeid.partition("::")
    place = _folder(test).joinpath(*(filename(part) for part in file.split("/") if part))
    return place, filename(name.replace("::", "."))


def _paths(test: Test) -> list[Path]:
    """The file of each plugin of a test."""
    place, stem = _place(test)
    return [place / f"{stem}{f'.{at}' if at > 1 else ''}{_SUFFIX}" for at in range(1, len(test.plugins) + 1)]


def _prepare(test: Test, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    ignore = _folder(test) / ".gitignore"
    if not test.item.config.getoption(options.TRACES) and not ignore.exists():
        ignore.write_text("*\n")
