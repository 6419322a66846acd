"""What a failed test shows of its plugins: why, what crossed the ABI, and where the trace is.

Rules: a failure is explained behind pytest's own words, never in their place; of an error of simwasm's the test's own
lines are shown and not simwasm's; what is long is cut, since all of it is in the trace.
"""

from __future__ import annotations

import pytest

from simwasm.errors import SimwasmError
from simwasm.pytest_plugin import leaving, options
from simwasm.pytest_plugin.evidence import OF_PLUGINS, evidence, of_plugin
from simwasm.pytest_plugin.running import STALE, WROTE, Evidence, Test
from simwasm.pytest_plugin.statement import Spoken, spoken
from simwasm.testing import PluginUnderTest, Result
from simwasm.testing.values import Told

_LONGEST = 200
"""Lines of an arrow log that are shown."""
_WIDEST = 1000
"""So much of each."""
_NOTHING = Evidence(())


def explain(test: Test, call: pytest.CallInfo[None]) -> None:
    """Say behind the words of a failure why it is so."""
    found = call.excinfo or _of_unittest(test)
    if found is None:
        return
    if isinstance(found.value, SimwasmError):
        _without_ours(found)
    elif isinstance(found.value, AssertionError):
        test.evidence = _explained(test, found)
        if test.evidence.lines:
            told = "\n".join(f"  {each}" for each in test.evidence.lines)
            said, *more = found.value.args or ("",)
            found.value.args = (f"{said}\n\n{told}", *more)


def _of_unittest(test: Test) -> pytest.ExceptionInfo[BaseException] | None:
    """The failure of a `unittest.TestCase`, which pytest has put aside until the report is made."""
    kept = getattr(test.item, "_excinfo", None)
    return kept[0] if kept else None


def _without_ours(found: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave the frames of simwasm out, behind those of the test: pytest asks a frame's globals whether to hide it."""
    found.value.__cause__, found.value.__suppress_context__ = None, True
    for entry in found.traceback:
        if str(entry.frame.f_globals.get("__name__", "")).startswith("simwasm."):
            entry.frame.f_globals.setdefault("__tracebackhide__", _is_explained)


def _is_explained(found: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether an error tells the user everything."""
    return isinstance(found.value, SimwasmError)


def _explained(test: Test, found: pytest.ExceptionInfo[BaseException]) -> Evidence:
    """The evidence; a failure is never lost because it cannot be explained."""
    try:
        return _evidence(test, found)
    except Exception as error:  # the user's own objects are asked here, too
        return Evidence((f"simwasm could not explain this: {type(error).__name__}: {error}",))


def _evidence(test: Test, found: pytest.ExceptionInfo[BaseException]) -> Evidence:
    said = str(found.value)
    for verdict in reversed(test.unmet):
        if said == verdict.text:
            return Evidence((), verdict.position)
        if repr(verdict)[:_SEEN] in said:
            headline, *details = verdict.text.splitlines()
            return Evidence(tuple(details if headline in said else (headline, *details)), verdict.position)
    about = spoken(found)
    if about is None:
        return _NOTHING
    subject, attribute = _subject(test, about)
    if subject is None or not attribute:
        return _NOTHING
    if isinstance(subject, Result):
        return evidence(subject, attribute, about)
    return of_plugin(subject, attribute)


_SEEN = 60
"""So much of a verdict's short form stands in pytest's words, which are cut."""


def _subject(test: Test, about: Spoken) -> tuple[Result | PluginUnderTest | None, str]:
    """What an assertion speaks of: a result or a plugin that it names, otherwise the last result; and what of it."""
    owner = about.owners.get(about.about)
    if isinstance(owner, Result) or (isinstance(owner, PluginUnderTest) and about.about in OF_PLUGINS):
        return owner, about.about
    for value in about.names:
        if isinstance(value, Result):
            return value, about.about
        if isinstance(value, Told) and isinstance(value.of, Result):
            return value.of, "response"
    results = [result for plugin in test.plugins for result in plugin.results]
    return (results[-1] if results else None), about.about


def attach(test: Test, report: pytest.TestReport) -> None:
    """Put the arrow logs and the place of the trace into the report of a failure."""
    _goldens(test, report)
    if report.when == "call" and report.passed:
        leaving.forget(test)
    if not report.failed:
        return
    for plugin in test.plugins:
        report.sections.append((f"simwasm: {plugin.name} on {plugin.engine}", _log(plugin)))
    left = leaving.leave(test)
    if left:
        report.sections.append(("simwasm: the trace", "\n".join(left)))


def _goldens(test: Test, report: pytest.TestReport) -> None:
    """What is said of goldens comes with the report, whichever process it is made in."""
    if report.when != "call" or not test.item.config.getoption(options.UPDATE):
        return
    setattr(report, WROTE, test.wrote)
    gone = list(getattr(test.item.config, STALE, ()))
    if report.passed:
        from simwasm.pytest_plugin.stale import unasked

        gone += unasked(test)
    setattr(report, STALE, gone)


def _log(plugin: PluginUnderTest) -> str:
    """The arrow log of each exchange; that of the start where there is none."""
    results = plugin.results
    if not results:
        return _short(plugin.trace.text) or "it was not started"
    return "\n\n".join(
        f"── {result.name}: {_ended(result)}\n{_short(result.trace.text)}" for result in results[-5:]
    )


def _ended(result: Result) -> str:
    return str(int(result.answer.status)) if result.answer else result.reset or "no response"


def _short(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    shown = [line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines[-_LONGEST:]]
    if len(lines) <= _LONGEST:
        return "\n".join(shown)
    return "\n".join((f"… {len(lines) - _LONGEST:,} lines before", *shown))
