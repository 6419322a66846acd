"""The goldens of a test: where they are, and whether they are compared or written.

    tests/test_login.py::test_denies             tests/goldens/test_login/test_denies.jsonl
    … its second matches_golden()                tests/goldens/test_login/test_denies.2.jsonl
    … matches_golden("retry")                    tests/goldens/test_login/test_denies.retry.jsonl
    TestLogin::test_denies[POST /a-wasmtime]     tests/goldens/test_login/TestLogin.test_denies[POST _a].jsonl

Rules: engines share their goldens, since a trace is the same on each; of several engines the first one writes; a golden
is only ever written when `--update-goldens` says so.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simwasm.errors import InputError, TraceError
from simwasm.goldens.comparing import compare_golden
from simwasm.goldens.shown import of_golden
from simwasm.goldens.writing import encoded, golden_text, header_of, write_golden
from simwasm.pytest_plugin import options
from simwasm.testing.verdict import Verdict

if TYPE_CHECKING:
    from simwasm.pytest_plugin.running import Test
    from simwasm.testing.trace import Trace

FOLDER, SUFFIX = "goldens", ".jsonl"
_NAME = re.compile(r"[\w-][\w. -]{0,59}")
_FOREIGN = re.compile(r"[^\w .,=+@()\[\]-]")
_LONGEST = 120
_UPDATE = "`pytest --update-goldens`"


def golden(test: Test, trace: Trace, name: str | None) -> Verdict:
    """Compare a trace with a golden of the test, or write it where that was asked for."""
    path = _path(test, name)
    shown = displayed(test.item.config, path)
    if not test.item.config.getoption(options.UPDATE):
        verdict = _compared(path, shown, test.item, trace) if path.exists() else _missing(shown)
        if not verdict:
            test.explained(verdict)
        return verdict
    engine = _engine(test.item)
    if engine is not None and engine != options.engines()[0]:
        return Verdict(True, f"{shown} is written by the run on {options.engines()[0]}")
    if _write(path, _text(test.item, trace)):
        test.wrote.append(shown)
    return Verdict(True, f"{shown} is as this run was")


def _missing(shown: str) -> Verdict:
    return Verdict(False, f"there is no golden {shown} yet: {_UPDATE} writes it, for you to look over")


def _path(test: Test, name: str | None) -> Path:
    """Where the golden is that is asked for now."""
    if name is not None and not _NAME.fullmatch(name):
        raise InputError(
            f"matches_golden: {name!r} is no name for a golden; use up to 60 letters, digits, `-` and `_`"
        )
    if name is None:
        count = sum(each == "" or each.isdigit() for each in test.goldens)
        name = str(count + 1) if count else ""
    if name in test.goldens:
        raise InputError(
            f"matches_golden: the test has a golden {name!r} already; give this one another name"
        )
    test.goldens.append(name)
    return folder(test.item.path) / f"{stem(test.item)}{f'.{name}' if name else ''}{SUFFIX}"


def displayed(config: pytest.Config, path: Path) -> str:
    """A path as it is named to who started pytest, wherever the test has gone to."""
    return os.path.relpath(path, config.invocation_params.dir)


def folder(path: Path) -> Path:
    """Where the goldens of a test file are."""
    return path.parent / FOLDER / path.stem


def stem(item: pytest.Item) -> str:
    """What the goldens of a test begin with."""
    names = [getattr(node, "name", "") for node in item.listchain() if isinstance(node, pytest.Class)]
    return filename(".".join((*names, _without_engine(item))))


def filename(text: str) -> str:
    """A text as the name of a file: told from others by a few digits if it had to be changed."""
    plain = _FOREIGN.sub("_", text)
    if len(plain.encode()) <= _LONGEST and plain == text:
        return plain
    while len(plain.encode()) > _LONGEST:
        plain = plain[:-1]
    return f"{plain}~{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def _without_engine(item: pytest.Item) -> str:
    engine = _engine(item)
    if engine is None or not item.name.endswith("]"):
        return item.name
    name, _, ids = item.name[:-1].partition("[")
    if ids == engine:
        return name
    return f"{name}[{ids.removesuffix('-' + engine)}]"


def _engine(item: pytest.Item) -> str | None:
    """The engine that the test was made for, of several."""
    made = getattr(item, "callspec", None)
    engine: str | None = None if made is None else made.params.get("simwasm_engine")
    return engine


def _text(item: pytest.Item, trace: Trace) -> str:
    """The golden that a trace is now."""
    setting = trace.setting
    test = f"{item.nodeid.removesuffix(item.name)}{_without_engine(item)}"
    header = header_of(setting.plugins, profile=setting.profile, now_ns=setting.now_ns, test=test)
    return golden_text(trace.entries, header, tuple(item.config.getini(options.REDACT)))


def _compared(path: Path, shown: str, item: pytest.Item, trace: Trace) -> Verdict:
    try:
        problem = compare_golden(path, _text(item, trace), update=_UPDATE)
    except (TraceError, InputError) as error:
        return Verdict(False, f"{str(error).replace(str(path), shown)}\n{_UPDATE} writes it anew")
    if problem is None:
        return Verdict(True, f"it is as in {shown}")
    row = of_golden(trace.rows, problem.row)
    return Verdict(False, str(problem._replace(path=shown)), row.position if row else 0)


def _write(path: Path, text: str) -> bool:
    """Write a golden, if it is another one than is there; whether it was written."""
    try:
        if path.read_bytes() == encoded(text):
            return False
    except OSError:
        pass  # it is not there, or cannot be read: then it is written, or the reason is told
    write_golden(path, text)
    return True
