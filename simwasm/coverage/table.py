"""Coverage on a terminal: callbacks, host calls, functions, and lines of source with those that were missed.

Rule: what a plugin names is shown escaped, on one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from simwasm.coverage.summary import FunctionReached, Part, SourceReached, Summary, WrittenReached, missed
from simwasm.trace.text import printable
from simwasm.wasm.disasm import one_line

Ink = Callable[[str, str], str]

_FULL, _HALF = 100, 50
_WIDEST = 60
_MISSED = 40
"""So many functions that were not reached are named."""


def report(summary: Summary, ink: Ink) -> Iterator[str]:
    """The lines about a plugin."""
    covered = summary.covered
    yield ink("callback", f"{_text(covered.name)} ({covered.sha256[:12]})")
    yield ""
    yield from _calls("callbacks", covered.callbacks, ink)
    yield from _calls("host calls", covered.host_calls, ink)
    yield ""
    if summary.sources:
        yield from _sources(summary, ink)
        yield from _written(summary)
    else:
        yield f"no lines of source, as {_text(covered.ground.no_lines or 'none are of your own (--all)')}"
        yield from _functions(summary, ink)
    yield ""
    yield _total(summary, ink)


def _calls(what: str, counts: Mapping[str, int], ink: Ink) -> Iterator[str]:
    met = {name: count for name, count in counts.items() if count}
    share = Part(len(met), len(counts))
    yield f"{what}: {share.reached} of {share.all}"
    for name, count in sorted(met.items(), key=lambda item: (-item[1], item[0])):
        yield f"{count:>9,}  {ink('ok', _text(name))}"
    never = ", ".join(_text(name) for name, count in sorted(counts.items()) if not count)
    if never:
        yield from _wrapped(f"{'never':>9}  ", never)


def _wrapped(head: str, text: str, width: int = 110) -> Iterator[str]:
    line = head
    for word in text.split(" "):
        if len(line) + len(word) > width and line.strip() and line != head:
            yield line.rstrip()
            line = " " * len(head)
        line += word + " "
    yield line.rstrip()


def _sources(summary: Summary, ink: Ink) -> Iterator[str]:
    wide = max([len(_path(each)) for each in summary.sources] + [len("source"), len("TOTAL")])
    yield f"{'source':<{wide}}  {'lines':>6}  {'missed':>6}  {'cover':>6}  missing"
    for each in summary.sources:
        yield f"{_path(each):<{wide}}  {_row(each.part, ink)}  {missed(each.lines)}".rstrip()
    yield f"{'TOTAL':<{wide}}  {_row(summary.lines, ink)}"


def _row(part: Part, ink: Ink) -> str:
    return f"{part.all:>6,}  {part.all - part.reached:>6,}  {_cover(part, ink)}"


def _cover(part: Part, ink: Ink) -> str:
    style = "ok" if part.percent >= _FULL else "action" if part.percent >= _HALF else "bad"
    return ink(style, f"{part!s:>6}")


def _written(summary: Summary) -> Iterator[str]:
    never = [(source, each) for source in summary.sources for each in source.functions if not each.reached]
    yield from _named("functions of the source that were never run", [_where(*pair) for pair in never])


def _where(source: SourceReached, function: WrittenReached) -> str:
    return f"{_path(source)}:{function.line}  {_text(function.name)}"


def _functions(summary: Summary, ink: Ink) -> Iterator[str]:
    yield f"\n{'size':>8}  {'cover':>6}  function"
    reached = [each for each in summary.functions if each.reached]
    for each in reached:
        yield f"{each.instructions.all:>8,}  {_cover(each.instructions, ink)}  {_name(each)}"
    never = [f"{each.instructions.all:>8,}  {_name(each)}" for each in summary.functions if not each.reached]
    yield from _named("functions that were never run", never)


def _named(what: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"\n{what}: {len(lines):,}"
        yield from (f"  {line}" for line in lines[:_MISSED])
        if len(lines) > _MISSED:
            yield f"  … and {len(lines) - _MISSED:,} more (--json)"


def _total(summary: Summary, ink: Ink) -> str:
    functions, instructions = summary.reached_functions, summary.instructions
    lines = f"{summary.lines.reached:,} of {summary.lines.all:,} lines, " if summary.sources else ""
    return (
        f"{_cover(summary.part, ink).strip()} reached: {lines}{functions.reached:,} of {functions.all:,} functions, "
        f"{instructions.reached:,} of {instructions.all:,} instructions"
    )


def _path(source: SourceReached) -> str:
    path = _text(source.path)
    return path if len(path) <= _WIDEST else f"…{path[1 - _WIDEST :]}"


def _name(each: FunctionReached) -> str:
    return _text(each.function.name)


def _text(text: str) -> str:
    return printable(one_line(text))
