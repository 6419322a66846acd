"""Coverage as lcov and genhtml read it.

Rules that live here: a line that was reached counts 1, however often it ran; functions have their lines, also those
that were inlined everywhere; what is not in a file of source is not in lcov's either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simwasm.coverage.summary import SourceReached, Summary
from simwasm.trace.text import printable
from simwasm.wasm.disasm import one_line


def lcov(summaries: Iterable[Summary]) -> Iterator[str]:
    """The lines of a tracefile."""
    for summary in summaries:
        for source in summary.sources:
            yield f"TN:{_test(summary.covered.name)}"
            yield f"SF:{_text(source.path)}"
            yield from _functions(source)
            for line, reached in sorted(source.lines.items()):
                yield f"DA:{line},{int(reached)}"
            yield f"LF:{source.part.all}"
            yield f"LH:{source.part.reached}"
            yield "end_of_record"


def _functions(source: SourceReached) -> Iterator[str]:
    named: dict[str, tuple[int, bool]] = {}
    for each in source.functions:
        line, reached = named.get(_text(each.name), (each.line, False))
        named[_text(each.name)] = line, reached or each.reached
    for name, (line, _) in named.items():
        yield f"FN:{line},{name}"
    for name, (_, reached) in named.items():
        yield f"FNDA:{int(reached)},{name}"
    yield f"FNF:{len(named)}"
    yield f"FNH:{sum(reached for _, reached in named.values())}"


def _text(text: str) -> str:
    return printable(one_line(text))


def _test(name: str) -> str:
    """lcov takes letters, digits and `_` in the names of tests."""
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in name)
