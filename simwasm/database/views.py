"""Lines of trace files as calls, in SQL, made of as little as a question names.

    read      n  f  json                        each line, with its number among all lines, and its file's
    lines     o  head                           1 opens a call, -1 closes one, 0 does both, null is something else
    steps     depth                             a running sum of `o`
    marks     row  position  time  callback       running sums and maxima: one pass, nothing is kept
    ended     the end of each call              of its own line, or of the next one that has the same depth

Rules: windows and joins are the dear parts, and DuckDB computes them whether a question needs them or not, so they are
left out here if no column of theirs is named; running maxima carry a value by being made of the line's number and the
value, since they need no sorting; a line that cannot be is an `error`, whose words come from `simwasm.trace`.
A call at an even depth is the plugin's function, at an odd depth the host's: they take turns.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from simwasm.abi.table import FUNCTIONS
from simwasm.trace.whose import CALLBACKS as CREATING

BROKEN = "this line cannot be in a trace"
"""The text of the error that a view ends with."""
_NAMES = tuple(dict.fromkeys(row.name for row in FUNCTIONS))
_SHIFT = 1 << 63
_MANY = 1024
assert len(_NAMES) < _MANY


class Source(NamedTuple):
    """A trace file, as the views read it."""

    path: str
    """Where DuckDB finds it."""
    name: str
    """What the user calls it."""
    plugin: str
    """The plugin of lines that name none."""
    unfinished: int
    """How many calls are open where it ends."""
    cut: bool
    """It ends in the middle of a line."""


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def listed(texts: Sequence[str]) -> str:
    """A list of texts in SQL."""
    return f"[{', '.join(map(literal, texts))}]"


class Views:
    """Writes the views over some files."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._several = len(sources) > 1
        self.again = False
        """Numbers of contexts were used again."""

    def read(self) -> str:
        """Every line of every file."""
        cut = ", ignore_errors = true" if any(source.cut for source in self._sources) else ""
        paths = listed([source.path for source in self._sources])
        number = "parse_filename(filename, true)::INTEGER" if self._several else "1"
        name = ", filename = true" if self._several else ""
        return f"select row_number() over () n, {number} f, json from read_ndjson_objects({paths}{name}{cut})"

    def lines(self) -> str:
        """What each line does."""
        return f"select n, f, json, {_SHAPE} o, {_HEAD} head from ({self.read()})"

    def steps(self) -> str:
        """How deep calls are."""
        left = " ".join(
            f"when f = {number + 1} then -{source.unfinished}"
            for number, source in enumerate(self._sources, 1)
            if source.unfinished and number < len(self._sources)
        )
        step = (
            f"coalesce(o, case when head then case {left} else 0 end else 0 end)"
            if left
            else "coalesce(o, 0)"
        )
        return (
            f"select *, if(d < 0, error({literal(BROKEN)}), d - coalesce((o = 1)::INTEGER, 0))::INTEGER depth"
            f" from (select *, sum({step}) over (rows unbounded preceding) d from ({self.lines()}))"
        )

    def marks(self, wanted: Set[str]) -> str:
        """Running numbers and names, as far as they are wanted."""
        found = f"select *, {_IS_ROW} two from ({self.steps()})"
        running = {
            "events": "sum(case o when 0 then 2 when 1 then 1 when -1 then 1 else 0 end)",
            "lasts": "sum(coalesce((o >= 0)::INTEGER, 0) + coalesce(two, 0))",
            "clock": f"max(case when o >= 0 then {field('at')}::BIGINT + n::HUGEINT * {_SHIFT} end)",
            "inside": f"max(case when o >= 0 and depth = 0 then "
            f"coalesce(list_position({listed(_NAMES)}, {field('call')}), 0) + n * {_MANY} end)",
        }
        asked = [name for name, columns in MARKS.items() if not wanted.isdisjoint(columns)]
        if not asked:
            return found
        sums = ", ".join(f"{running[name]} over (rows unbounded preceding) as {name}" for name in asked)
        found = f"select *, {sums} from ({found})"
        counted = [name for name in asked if name in ("events", "lasts")] if self._several else []
        if counted:
            before = ", ".join(
                f"max(case when head then {name} end) over (rows unbounded preceding) as {name}_before"
                for name in counted
            )
            found = (
                f"select * replace ({', '.join(f'{name} - {name}_before as {name}' for name in counted)})"
                f" from (select *, {before} from ({found}))"
            )
        made = ", ".join(_MADE[column] for name in asked for column in MARKS[name])
        return f"select *, {made} from ({found})"

    def calls(self, wanted: Set[str], keep: str) -> str:
        """Calls with their ends, as far as they are wanted; `keep` says which."""
        found = f"from ({self.marks(wanted)}) where o is not null and {keep}"
        paths = list(
            dict.fromkeys(path for column, paths in TOLD.items() if column in wanted for path in paths)
        )
        own = (
            {"told": f"json_extract_string(json, {listed(['$.' + path for path in paths])})"} if paths else {}
        )
        own |= {"gave": "json_extract(json, '$.gives')"} if GAVE in wanted else {}
        if not own:
            return f"select * {found} and o >= 0"
        frame = f"(partition by {'f, ' if self._several else ''}depth order by n)"
        first = ", ".join(f"{made} as {name}" for name, made in own.items())
        whole = ", ".join(f"if(o = 1, lead({name}) over {frame}, {name}) as {name}" for name in own)
        ends = "".join(f", told[{at}] as {END}{path.replace('.', '_')}" for at, path in enumerate(paths, 1))
        return (
            f"select *{ends} from (select * replace ({whole}) from (select *, {first} {found})) where o >= 0"
        )

    def name(self) -> str:
        """A file's name."""
        names = [source.name for source in self._sources]
        return f"{listed(names)}[f]" if self._several else literal(names[0])

    def plugin(self) -> str:
        """The plugin of a line."""
        plugins = [source.plugin for source in self._sources]
        only = f"{listed(plugins)}[f]" if self._several else literal(plugins[0])
        return f"coalesce({field('plugin')}, {only})"

    def marked(self) -> str:
        """The lines that tell of contexts and of the ends of exchanges, in their order."""
        named = " or ".join(f"contains(json, '\"{name}\"')" for name in CREATING)
        return (
            f"select f, n, {OUTCOME} as outcome, {self.plugin()} as plugin, {field('context')}::BIGINT as context,"
            f" {field('call')} as called, (json->>'$.args.parent_context_id')::BIGINT as parent"
            f" from ({self.lines()}) where {named} or {OUTCOME}"
        )

    def endings(self) -> str:
        """The lines that tell what became of exchanges."""
        return f"select n, f, json from ({self.lines()}) where {OUTCOME}"


def field(name: str) -> str:
    """What a line with a call has under a name."""
    return _FIELDS[name]


_TOGETHER = ("at", "plugin", "context")
_FIELDS = {
    "call": "json_extract_string(json, '$.call')",
    **{name: f"json_extract_string(json, {listed(['$.' + each for each in _TOGETHER])})[{place}]"
       for place, name in enumerate(_TOGETHER, 1)},
}  # fmt: skip
"""What lines with a call have. Many questions are about functions alone, and each path that is looked for costs."""

_ANY_SHAPE = f"""case
  when json is null then null
  when json_exists(json, '$.call') then case when json_exists(json, '$.result') or json_exists(json, '$.trap')
    then 0 else 1 end
  when json_exists(json, '$.result') or json_exists(json, '$.trap') then -1
  when json_exists(json, '$.outcome') or json_exists(json, '$.format') then null
  else error({literal(BROKEN)}) end"""
_SHAPE = f"""(case
  when (starts_with(json, '{{"at": ') or starts_with(json, '{{"context": ') or starts_with(json, '{{"plugin": '))
    and contains(json, '"call": "')
    and (contains(json, ', "result": ') or not contains(json, '"result"') and not contains(json, '"trap"'))
    then case when contains(json, ', "result": ') then 0 else 1 end
  when starts_with(json, '{{"result"') and not contains(json, '"call"') and not contains(json, '"outcome"') then -1
  when starts_with(json, '{{"outcome"') then null
  else {_ANY_SHAPE} end)"""
"""As `simwasm.trace.shape` tells lines apart: by a few words where the line is as simwasm writes it."""

_HEAD = """(starts_with(json, '{"format"') or not starts_with(json, '{"outcome"') and contains(json, '"format"')
  and json_exists(json, '$.format') and json_exists(json, '$.plugins'))"""
OUTCOME = (
    """(starts_with(json, '{"outcome"') or contains(json, '"outcome"') and json_exists(json, '$.outcome'))"""
)
_IS_ROW = (
    """(o <= 0 and (depth % 2 = 0 or contains(json, '"trap"') and json_exists(json, '$.trap')))::INTEGER"""
)
"""Whether the end of a call is a row of its own: of the plugin's functions, and where one is left by a trap."""


MARKS = {"events": ("position",), "lasts": ("row",), "clock": ("time",), "inside": ("callback",)}
_MADE = {
    "position": "(events - (o = 0)::INTEGER)::BIGINT as position",
    "row": "(lasts - if(o = 0, two, 0))::BIGINT as row",
    "time": f"(clock % {_SHIFT})::BIGINT as time",
    "callback": f"{listed(_NAMES)}[(inside % {_MANY})::INTEGER] as callback",
}
TOLD = {
    "status": ("result",),
    "answer": ("result",),
    "reason": ("reason",),
    "trap": ("trap.kind", "trap.detail"),
    "duration": ("took_ns",),
    "instructions": ("instructions",),
}
"""The columns that are made of the end of a call, and of what in it."""
GAVE = "result"
"""The column with what a call gave back."""
END = "end_"
"""What the names begin with that the parts of an end have in a view."""
