"""`simwasm coverage`: what runs, suites and tests have reached of a plugin: as a table, for lcov, as pages."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simwasm.cli import output
from simwasm.coverage.file import write
from simwasm.coverage.lcov import lcov
from simwasm.coverage.merge import merge_files
from simwasm.coverage.summary import Part, Summary, missed, overall, summarize
from simwasm.coverage.table import report
from simwasm.errors import InputError


def command(words: Namespace) -> int:
    """Add up and show; 1 if less was reached than has to be."""
    if words.fail_under is not None and not 0 <= words.fail_under <= 100:
        raise InputError(f"--fail-under: {words.fail_under:g} is not between 0 and 100")
    found = merge_files(words.file)
    summaries = [summarize(each, words.all) for each in found]
    if words.output:
        write(words.output, found)
    if words.lcov:
        _write_lcov(words.lcov, summaries)
    if words.html:
        _write_pages(words.html, summaries)
    _print(words, summaries)
    part = overall(summaries)
    if words.fail_under is not None and not part.all:
        print(f"simwasm: {_NOTHING}, so --fail-under {words.fail_under:g} does not hold", file=sys.stderr)
        return 1
    if words.fail_under is not None and part.percent < words.fail_under:
        least = f"{words.fail_under:g} %"
        print(f"simwasm: {part.percent:.1f} % was reached, which is less than {least}", file=sys.stderr)
        return 1
    return 0


_NOTHING = "there is nothing that could have been reached: no plugin was run, or none has code of your own"


def _print(words: Namespace, summaries: Sequence[Summary]) -> None:
    stream = output.stdout()
    if words.json:
        print(json.dumps({"plugins": [_json(each) for each in summaries]}), file=stream)
        return
    if words.lcov == "-":
        return
    if not summaries:
        print(_NOTHING, file=stream)
        return
    ink = output.ink(words, stream)
    print("\n\n".join("\n".join(report(each, ink)) for each in summaries), file=stream)


def _write_lcov(path: str, summaries: Sequence[Summary]) -> None:
    text = "".join(f"{line}\n" for line in lcov(summaries))
    if not text:
        print("simwasm: --lcov: there are no lines of source, so there is nothing to write", file=sys.stderr)
    if path == "-":
        print(text, end="", file=output.stdout())
        return
    try:
        Path(path).write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise InputError(f"--lcov {path}: cannot be written: {error.strerror}") from None


def _write_pages(folder: str, summaries: Sequence[Summary]) -> None:
    from simwasm.coverage.pages import text_here, write_pages  # for those who want them
    from simwasm.sources import find

    index = write_pages(folder, summaries, lambda source: text_here(source, find))
    print(f"simwasm: {index} is the page to begin with", file=sys.stderr)


def _json(summary: Summary) -> dict[str, Any]:
    covered = summary.covered
    return {
        "name": covered.name,
        "sha256": covered.sha256,
        "callbacks": dict(covered.callbacks),
        "host_calls": dict(covered.host_calls),
        "lines": _part(summary.lines),
        "functions": _part(summary.reached_functions),
        "instructions": _part(summary.instructions),
        "sources": [
            {
                "path": each.path,
                **_part(each.part),
                "missing": missed(each.lines),
                "lines": {str(line): int(reached) for line, reached in each.lines.items()},
                "functions": [
                    {"name": function.name, "line": function.line, "reached": function.reached}
                    for function in each.functions
                ],
            }
            for each in summary.sources
        ],
        "wasm_functions": [
            {"index": each.function.number, "name": each.function.name, **_part(each.instructions)}
            for each in summary.functions
        ],
    }


def _part(part: Part) -> dict[str, Any]:
    return {"reached": part.reached, "of": part.all, "percent": round(part.percent, 2)}
