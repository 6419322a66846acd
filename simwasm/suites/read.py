"""A suite's file, read: its tree, its cases with parameters filled in, and what only all of it tells is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from simwasm.chain import is_configuration
from simwasm.config.tree import Entry, Node, read_tree
from simwasm.suites.callbacks import OF_CONNECTIONS, OF_HTTP
from simwasm.suites.expect import Expect
from simwasm.suites.log_rule import LEVELS, LogRule
from simwasm.suites.parameters import expanded
from simwasm.suites.section import Of
from simwasm.suites.shape import wrong
from simwasm.suites.suite import Case, Suite


def read_suite(path: str | Path) -> Suite:
    """The suite that a file is."""
    return suite_of(read_tree(path))


def suite_of(root: Node) -> Suite:
    """The suite that a tree is."""
    cases = (root.entries or {}).get("cases")
    if root.entries is not None and cases is not None and cases.node.items:
        filled = [each for case in cases.node.items for each in expanded(case)]
        root = replace(
            root, entries={**root.entries, "cases": Entry(cases.place, replace(cases.node, items=filled))}
        )
    suite = Of(Suite).read(root)
    _names(suite.cases)
    for case in suite.cases:
        _levels(suite, case)
        _kinds(suite, case)
    return suite


def _names(cases: Iterable[Case]) -> None:
    seen: dict[str, Case] = {}
    for case in cases:
        before = seen.setdefault(case.name, case)
        if before is not case:
            wrong(
                case.at("name"), f"another case, on line {before.at('name').line}, is called `{case.name}`, too: "
                "give each a name of its own",
            )  # fmt: skip


def expectations(case: Case) -> Iterator[Expect]:
    """All that a case expects."""
    if case.expect is not None:
        yield case.expect
    yield from (step.expect for step in case.steps if step.expect is not None)


def _levels(suite: Suite, case: Case) -> None:
    """Refuse to expect lines of a level that is not logged."""
    least = LEVELS[case.log_level or suite.log_level or "info"]
    for expect in expectations(case):
        phases = (rule for phase in expect.phases for rule in phase.logs or ())
        for rule in (*(expect.logs or ()), *phases):
            if rule.level is not None and rule.level < least and _wants(rule):
                level = rule.level.name.lower()
                wrong(
                    rule.at("level"), f"can never hold: nothing of level {level} is logged at log_level "
                    f"{least.name.lower()}; write `log_level: {level}` to the case or the suite",
                )  # fmt: skip


def _wants(rule: LogRule) -> bool:
    return not rule.never and (rule.count is None or rule.count.is_ != 0)


def _kinds(suite: Suite, case: Case) -> None:
    """Refuse to expect callbacks of connections of an HTTP plugin, and the other way round."""
    plugin = case.plugin or suite.plugin
    if plugin is not None and is_configuration(plugin):
        return  # which says by itself what it is for
    network = bool(case.network if case.network is not None else suite.network)
    if case.talk is not None and not network:
        wrong(
            case.at("talk"),
            "a plugin for HTTP meets no TCP connection; write `network: true` if it is for those",
        )
    for expect in expectations(case):
        named = [(callback, expect.at("actions")) for callback, _ in expect.actions]
        named += [(phase.callback, phase.at("callback")) for phase in expect.phases]
        for callback, place in named:
            if callback in (OF_HTTP if network else OF_CONNECTIONS):
                kind = "a network filter" if network else "a plugin for HTTP"
                wrong(place, f"can never hold: {callback} is never called of {kind}")
