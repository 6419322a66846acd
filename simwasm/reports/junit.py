"""A report as JUnit XML, which every server that runs tests reads.

There is no standard, but two schemas are commonly used: that of Jenkins' xunit plugin and that of Ant's reports. What
is written here is valid by both, so that it has only what both know: where a case is written is told in its text.

Rules: a file is a test suite; characters that XML forbids are told by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from simwasm.reports.check import Check, Verdict, from_here, one_line
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ELEMENTS = {Verdict.FAILED: "failure", Verdict.ERROR: "error"}


def junit(checks: Sequence[Check], started: datetime) -> str:
    """The report as a document."""
    from xml.etree.ElementTree import Element, indent, tostring  # for those who want such a file

    root = Element("testsuites")
    for number, (file, group) in enumerate(groupby(checks, lambda check: check.file)):
        root.append(_suite(number, file, tuple(group), started))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(number: int, file: str, checks: Sequence[Check], started: datetime) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    verdicts = [check.verdict for check in checks]
    name = _name(from_here(file))
    suite = Element(
        "testsuite",
        name=name,
        package=name,
        id=str(number),
        timestamp=started.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
        tests=str(len(checks)),
        failures=str(verdicts.count(Verdict.FAILED)),
        errors=str(verdicts.count(Verdict.ERROR)),
        skipped=str(verdicts.count(Verdict.SKIPPED)),
        time=f"{sum(check.took_s for check in checks):.6f}",
    )
    SubElement(suite, "properties")
    for check in checks:
        suite.append(_case(name, check))
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")
    return suite


def _case(suite: str, check: Check) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    case = Element("testcase", name=_name(check.name), classname=suite, time=f"{check.took_s:.6f}")
    if check.verdict in _ELEMENTS:
        told = SubElement(
            case, _ELEMENTS[check.verdict], type=check.verdict.value, message=one_line(check.message)
        )
        told.text = printable("\n".join(filter(None, (f"{check.place}: {check.message}", check.details))))
    elif check.verdict is Verdict.SKIPPED:
        SubElement(case, "skipped", message=one_line(check.message))
    return case


def _name(text: str) -> str:
    """A name, which must not be empty."""
    return one_line(text).strip() or "(no name)"
