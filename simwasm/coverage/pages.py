"""Coverage as pages that a browser shows: an index, and a page for each file of source, its lines coloured.

Rules that live here: a file that is not here any more, or is another one than when the coverage was collected, is a
table of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import NamedTuple

from simwasm.coverage.style import STYLE
from simwasm.coverage.summary import Part, SourceReached, Summary
from simwasm.errors import InputError
from simwasm.page import bar, escaped, figures, table, whole
from simwasm.trace.text import printable

Read = Callable[[SourceReached], str | None]
"""The text of a file of source; None if it is not here."""

INDEX = "index.html"
_GOOD, _FAIR = 90, 50
_LARGEST = 16 << 20
"""No file of source is larger; what is named may be anything, and not only a file."""


class Page(NamedTuple):
    """A file of the report."""

    name: str
    content: str


def write_pages(folder: str | Path, summaries: Sequence[Summary], read: Read) -> Path:
    """Write the report; the page to begin with."""
    home = Path(folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
        for page in pages(summaries, read):
            (home / page.name).write_text(page.content, "utf-8", "backslashreplace")
    except OSError as error:
        raise InputError(f"--html {folder}: cannot be written: {error.strerror}") from None
    return home / INDEX


def pages(summaries: Sequence[Summary], read: Read) -> Iterator[Page]:
    """All pages."""
    names = _names(summaries)
    yield Page(INDEX, whole("Coverage", "".join(_plugin(each, names) for each in summaries), STYLE))
    for summary in summaries:
        for source in summary.sources:
            yield Page(names[_key(summary, source)], _source_page(summary, source, read(source)))


def text_here(source: SourceReached, find: Callable[[str], Path | None]) -> str | None:
    """The text of a file of source, if it is the one that the plugin was built from, as far as can be told."""
    known = source.source
    path = Path(known.here) if known.here else find(known.path)
    try:
        is_text = path is not None and path.is_file() and path.stat().st_size <= _LARGEST
        data = path.read_bytes() if path is not None and is_text else None
    except (OSError, ValueError):
        return None
    if data is None or (known.digest and sha256(data).hexdigest() != known.digest):
        return None
    return data.decode("utf-8", "replace")


_Key = tuple[str, str]


def _key(summary: Summary, source: SourceReached) -> _Key:
    return summary.covered.sha256, source.source.path


def _names(summaries: Sequence[Summary]) -> dict[_Key, str]:
    """The page of each file: its name made of what any system has, and told apart by a digest."""
    found = {}
    for summary in summaries:
        for source in summary.sources:
            key = _key(summary, source)
            plain = "".join(
                char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in source.path
            )
            mark = sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:8]
            found[key] = f"{plain[-60:].lstrip('._')}.{mark}.html"
    return found


def _plugin(summary: Summary, names: Mapping[_Key, str]) -> str:
    covered = summary.covered
    return "\n".join(
        (
            f"<h1>{escaped(covered.name)} <small>{escaped(covered.sha256[:12])}</small></h1>",
            _figures(summary),
            _sources(summary, names),
            _calls("Callbacks", covered.callbacks),
            _calls("Host calls", covered.host_calls),
            _functions(summary),
        )
    )


def _figures(summary: Summary) -> str:
    parts = [("instructions", summary.instructions), ("functions", summary.reached_functions)]
    if summary.sources:
        parts.insert(0, ("lines", summary.lines))
    covered = summary.covered
    for what, counts in (("callbacks", covered.callbacks), ("host calls", covered.host_calls)):
        parts.append((what, Part(sum(map(bool, counts.values())), len(counts))))
    return figures((str(part), what, f"{part.reached:,} of {part.all:,}") for what, part in parts)


def _sources(summary: Summary, names: Mapping[_Key, str]) -> str:
    if not summary.sources:
        why = summary.covered.ground.no_lines or "none are of your own (--all shows those of libraries)"
        return f"<p>No lines of source: {escaped(why)}.</p>"
    rows = "".join(
        f'<tr><td><a href="{escape(names[_key(summary, each)])}">{escaped(each.path)}</a></td>{_cells(each.part)}</tr>'
        for each in summary.sources
    )
    return table(("source", "#lines", "#missed", "#cover", ""), rows)


def _cells(part: Part) -> str:
    figures = (f"{part.all:,}", f"{part.all - part.reached:,}", str(part))
    return "".join(f'<td class="n">{figure}</td>' for figure in figures) + f"<td>{_bar(part)}</td>"


def _bar(part: Part) -> str:
    kind = "good" if part.percent >= _GOOD else "fair" if part.percent >= _FAIR else "poor"
    return bar(part.percent, kind)


def _calls(what: str, counts: Mapping[str, int]) -> str:
    met = sum(map(bool, counts.values()))
    rows = "".join(
        f'<tr class="{"hit" if count else "miss"}"><td>{escaped(name)}</td><td class="n">{count:,}</td></tr>'
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    shown = table(("name", "#calls"), rows) if counts else "<p>None.</p>"
    return f"<details><summary>{what}: {met} of {len(counts)}</summary>{shown}</details>"


def _functions(summary: Summary) -> str:
    part = summary.reached_functions
    rows = "".join(
        f'<tr class="{"hit" if each.reached else "miss"}"><td>{escaped(each.function.name)}</td>'
        f"{_cells(each.instructions)}</tr>"
        for each in summary.functions
    )
    shown = table(("function", "#instructions", "#missed", "#cover", ""), rows)
    opened = "" if summary.sources else " open"
    return f"<details{opened}><summary>Functions: {part.reached:,} of {part.all:,}</summary>{shown}</details>"


def _source_page(summary: Summary, source: SourceReached, text: str | None) -> str:
    body = _listing(source, text) if text is not None else _lines_only(source)
    never = [each for each in source.functions if not each.reached]
    missing = "".join(
        f'<li><a href="#L{each.line}">{each.line}</a> {escaped(each.name)}</li>' for each in never
    )
    part = source.part
    head = (
        f'<p><a href="{INDEX}">{escaped(summary.covered.name)}</a></p><h1>{escaped(source.path)}</h1>'
        f"<p>{part} of its lines were reached, {part.reached:,} of {part.all:,}. {_bar(part)}</p>"
    )
    told = f"<p>Functions that were never run:</p><ul>{missing}</ul>" if never else ""
    return whole(source.path, head + told + body, STYLE)


def _listing(source: SourceReached, text: str) -> str:
    rows = []
    for number, line in enumerate(_lines(text), 1):
        reached = source.lines.get(number)
        kind = "" if reached is None else ' class="hit"' if reached else ' class="miss"'
        label = "" if reached is None else "reached" if reached else "missed"
        rows.append(
            f'<tr id="L{number}"{kind}><td class="n">{number}</td><td class="m" title="{label}">'
            f"{'' if reached is None else '✓' if reached else '✗'}</td><td><pre>{_code(line)}</pre></td></tr>"
        )
    return f'<div class="wide source"><table><tbody>{"".join(rows)}</tbody></table></div>'


def _lines(text: str) -> list[str]:
    """Its lines as compilers count them: a form feed ends none."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _lines_only(source: SourceReached) -> str:
    rows = "".join(
        f'<tr id="L{number}" class="{"hit" if reached else "miss"}"><td class="n">{number}</td>'
        f"<td>{'✓ reached' if reached else '✗ missed'}</td></tr>"
        for number, reached in sorted(source.lines.items())
    )
    return "<p>The file is not here, or it was changed since.</p>" + table(("#line", ""), rows)


def _code(line: str) -> str:
    return escape(printable(line.expandtabs(4)))
