"""Goldens of cases: a trace is compared with the one that was kept, or kept where that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simwasm.errors import InputError, TraceError
from simwasm.goldens.comparing import compare_golden
from simwasm.goldens.writing import golden_text, header_of, write_golden
from simwasm.suites.case import Miss
from simwasm.suites.expect import Expect

if TYPE_CHECKING:
    from simwasm.testing.trace import Trace

_UPDATE = "`simwasm test --update-goldens`"


def golden(expect: Expect, trace: Trace, test: str, update: bool) -> Iterator[Miss]:
    """What is not as in the golden."""
    assert expect.golden is not None
    setting, line = trace.setting, expect.at("golden").line
    header = header_of(setting.plugins, profile=setting.profile, now_ns=setting.now_ns, test=test)
    text = golden_text(trace.entries, header)
    if update:
        write_golden(expect.golden, text)
        return
    if not expect.golden.exists():
        yield Miss(f"there is no golden {expect.golden} yet: {_UPDATE} writes it, for you to look over", line)
        return
    try:
        found = compare_golden(expect.golden, text, update=_UPDATE)
    except (TraceError, InputError) as error:
        yield Miss(str(error), line)
        return
    if found is not None:
        yield Miss(
            f"{found.path}:{found.line}: {found.headline}", line, None, f"{found.details}\n{found.advice}"
        )
