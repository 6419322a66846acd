"""Trace files compared by their text give the same pairs as their rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from cases import cases

from simwasm.errors import TraceError
from simwasm.trace.align import align
from simwasm.trace.compare import compare
from simwasm.trace.file import open_trace
from simwasm.trace.rows import Row

CASES = {case.id: case for case in cases()}
SMALL = sorted(name for name, case in CASES.items() if case.golden.stat().st_size < 15_000)
Lines = list[str]


def lines_of(name: str) -> Lines:
    return CASES[name].golden.read_text().splitlines(keepends=True)


def pairs_both_ways(folder: Path, left: str, right: str, *, rows: int = 20) -> None:
    """Compare two texts by their lines and by their rows, of which some are looked at."""
    paths = folder / "left.jsonl", folder / "right.jsonl"
    for path, text in zip(paths, (left, right), strict=True):
        path.write_text(text)
    found = compare(*paths)
    traces = [open_trace(path, ahead=1 << 30) for path in paths]
    wanted = align(*(trace.rows for trace in traces))
    assert list(found.alignment) == list(wanted)
    for trace, side in zip(traces, (found.alignment.left, found.alignment.right), strict=True):
        assert len(side) == len(trace.rows)
        for at in range(0, len(side), 1 + len(side) // rows):
            assert _shown(side[at]) == _shown(trace.rows[at])


def _shown(row: Row) -> object:
    return row.index, row.kind, row.depth, row.entered[1:]


# What happens to a trace.


def shifted(lines: Lines, random: Random) -> Lines:
    """The host counted otherwise."""
    number = re.compile(r'"(at|context|context_id|call_id)": ([1-9]\d*)')
    return [
        lines[0],
        *(number.sub(lambda match: f'"{match[1]}": {int(match[2]) + 7}', line) for line in lines[1:]),
    ]


def without_line(lines: Lines, random: Random) -> Lines:
    """A host call went away."""
    calls = [at for at, line in enumerate(lines) if line.startswith('{"context"') and '"result"' in line]
    at = random.choice(calls or [len(lines)])
    return lines[:at] + lines[at + 1 :]


def with_line_again(lines: Lines, random: Random) -> Lines:
    """A host call is made twice."""
    calls = [at for at, line in enumerate(lines) if line.startswith('{"context"') and '"result"' in line]
    at = random.choice(calls or [len(lines)])
    return lines[:at] + lines[at : at + 1] + lines[at:]


def without_exchange(lines: Lines, random: Random) -> Lines:
    """An exchange was left out."""
    starts = [at for at, line in enumerate(lines) if '"parent_context_id": 1}' in line]
    if len(starts) < 2:
        return lines
    at = random.randrange(len(starts) - 1)
    return lines[: starts[at]] + lines[starts[at + 1] :]


def exchange_again(lines: Lines, random: Random) -> Lines:
    """An exchange was sent twice."""
    starts = [at for at, line in enumerate(lines) if '"parent_context_id": 1}' in line]
    if len(starts) < 2:
        return lines
    at = random.randrange(len(starts) - 1)
    first, end = starts[at], starts[at + 1]
    return lines[:first] + shifted(["", *lines[first:end]], random)[1:] + lines[first:]


def another_text(lines: Lines, random: Random) -> Lines:
    """A header or message has another value, wherever it comes."""
    words = re.findall(r'"(?:message|key|value)": "([a-z:-]{3,})', "".join(lines))
    word = random.choice(words or ["GET"])
    return [lines[0], *(line.replace(word, word[::-1]) for line in lines[1:])]


def another_answer(lines: Lines, random: Random) -> Lines:
    """A callback or call answers otherwise."""
    old, new = random.choice((("CONTINUE", "PAUSE"), ("NOT_FOUND", "OK"), ("true}", "false}")))
    picked = random.choice([at for at, line in enumerate(lines) if at and "outcome" not in line])
    return [line.replace(old, new) if at >= picked else line for at, line in enumerate(lines)]


def reasons_gone(lines: Lines, random: Random) -> Lines:
    """Reasons are told in other words, which makes no difference."""
    return [line.replace('"reason": "', '"reason": "well, ') for line in lines]


def measured(lines: Lines, random: Random) -> Lines:
    """What calls took is told."""
    return [
        re.sub(r"\}$", f', "took_ns": {random.randrange(99)}, "instructions": 5}}', line)
        if '"result": ' in line and "outcome" not in line
        else line
        for line in lines
    ]


def cut_off(lines: Lines, random: Random) -> Lines:
    """The run was killed."""
    text = "".join(lines)
    return [text[: random.randrange(len(lines[0]) + 1, len(text))]]


def trapped(lines: Lines, random: Random) -> Lines:
    """A callback traps in place of returning."""
    ends = [at for at, line in enumerate(lines) if line.startswith('{"result"')]
    trap = {"trap": {"kind": "unreachable", "detail": "x", "frames": []}}
    at = random.choice(ends or [len(lines)])
    return [*lines[:at], json.dumps(trap) + "\n", *lines[at + 1 :]] if ends else lines


def allocated(lines: Lines, random: Random) -> Lines:
    """The allocator answers with other places, and once with none."""
    none = random.random() < 0.3
    return [re.sub(r'("size": \d+\}, "result": )\d+', rf"\g<1>{0 if none else 4096}", line) for line in lines]


def spelled_otherwise(lines: Lines, random: Random) -> Lines:
    """Somebody has written the file anew."""
    return [lines[0], *(json.dumps(json.loads(line)) + "\n" for line in lines[1:])]


def without_spaces(lines: Lines, random: Random) -> Lines:
    """Somebody has sent the file through jq."""
    return [json.dumps(json.loads(line), separators=(",", ":")) + "\n" for line in lines]


def by_hand(lines: Lines, random: Random) -> Lines:
    """Somebody has put blanks between arguments."""
    return [
        lines[0],
        *(line.replace('": "', '":  "', 3) if random.random() < 0.2 else line for line in lines[1:]),
    ]


def first_call(lines: Lines, random: Random) -> Lines:
    """A callback that did nothing makes two calls: if one goes away again, it still does something."""
    whole = [at for at, line in enumerate(lines) if line.startswith('{"at"') and '"result"' in line]
    at = random.choice(whole)
    head, result = lines[at].rsplit(', "result": ', 1)
    log = '{"context": 1, "call": "proxy_log", "args": {"level": "INFO", "message": "hi"}, "result": "OK"}\n'
    return [*lines[:at], head + "}\n", log, log, '{"result": ' + result, *lines[at + 1 :]]


def numbered(lines: Lines, random: Random) -> Lines:
    """A value is never the same twice."""
    return [
        re.sub(r'"(message|key|value)": "', rf'"\g<1>": "{at} ', line) if random.random() < 0.5 else line
        for at, line in enumerate(lines)
    ]


def trapped_at_once(lines: Lines, random: Random) -> Lines:
    """Callbacks and calls trap where they begin."""
    return [
        re.sub(r', "result": .*', ', "trap": {"kind": "unreachable", "detail": "x", "frames": []}}', line)
        if line.startswith(('{"at"', '{"context"')) and random.random() < 0.05
        else line
        for line in lines
    ]


MUTATIONS: tuple[Callable[[Lines, Random], Lines], ...] = (
    shifted, without_line, with_line_again, without_exchange, exchange_again, another_text, another_answer,
    reasons_gone, measured, first_call, numbered, cut_off, trapped, trapped_at_once, allocated, spelled_otherwise,
    without_spaces,
)  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_changed_trace_has_the_same_pairs_by_lines_and_by_rows(
    mutation: Callable[[Lines, Random], Lines], tmp_path: Path
) -> None:
    random = Random(mutation.__name__)
    for name in random.sample(SMALL, 4):
        lines = lines_of(name)
        pairs_both_ways(tmp_path, "".join(lines), "".join(mutation(lines, random)))


@pytest.mark.parametrize("seed", range(12))
def test_many_changes_at_once_too(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    name = random.choice(SMALL)
    left, right = lines_of(name), lines_of(name)
    for mutation in random.sample(MUTATIONS[:11], 4):
        right = mutation(right, random)
    pairs_both_ways(tmp_path, "".join(left), "".join(right))
    pairs_both_ways(tmp_path, "".join(right), "".join(left))


def test_exchanges_that_lie_across_pieces_of_the_file_are_told_as_others(tmp_path: Path) -> None:
    head, *lines = lines_of("http_auth/browser")
    left, random = [head, *lines * 24], Random(3)
    assert sum(map(len, left)) > 1 << 18
    right = trapped_at_once(with_line_again(numbered(left, random), random), random)
    pairs_both_ways(tmp_path, "".join(left), "".join(right), rows=50)


@pytest.mark.parametrize("exchange", [0, 1, 2])
def test_an_outcome_that_differs_alone_is_found(exchange: int, tmp_path: Path) -> None:
    lines = lines_of("http_auth/browser")
    at = [at for at, line in enumerate(lines) if "outcome" in line][exchange]
    changed = [*lines[:at], lines[at].replace('"status": ', '"status": 1'), *lines[at + 1 :]]
    paths = tmp_path / "left.jsonl", tmp_path / "right.jsonl"
    for path, text in zip(paths, (lines, changed), strict=True):
        path.write_text("".join(text))
    found = compare(*paths)
    assert found.alignment.same
    assert [pair.same for pair in found.outcomes] == [place != exchange for place in range(3)]


def test_an_outcome_in_another_spelling_is_the_same(tmp_path: Path) -> None:
    lines = lines_of("http_auth/browser")
    sorted_keys = [json.dumps(json.loads(line), sort_keys=True) + "\n" for line in lines]
    paths = tmp_path / "left.jsonl", tmp_path / "right.jsonl"
    for path, text in zip(paths, (lines, sorted_keys), strict=True):
        path.write_text("".join(text))
    assert compare(*paths).same


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            '{"outcome": {',
            '{"outcome": {"result": 1, ',
            "x.jsonl: there are lines that simwasm does not write",
        ),
        (
            '{"context": 2, ',
            '{"context": true, ',
            "x.jsonl: line 8 has a `call` that is no text, or a `context`",
        ),
        (
            '{"context": 2, ',
            '{"context": {}, ',
            "x.jsonl: line 8 has a `call` that is no text, or a `context`",
        ),
    ],
)
def test_odd_lines_are_an_error(old: str, new: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(lines_of("http_auth/browser")).replace(old, new, 1).replace("401", "402"))
    with pytest.raises(TraceError) as error:
        compare(path, CASES["http_auth/browser"].golden)
    assert why in re.sub(r"line \d+", "line 8", str(error.value))
