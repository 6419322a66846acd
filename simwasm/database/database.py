"""Questions in SQL about trace files, answered by DuckDB.

Rules: a question reads these files and nothing else: DuckDB is locked in before it sees one; memory is bounded, what
does not fit goes to a temporary folder; what a question names is made for it, and nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb

from simwasm.database import question
from simwasm.database.contexts import WRITTEN, write_contexts
from simwasm.database.interruptible import interruptible
from simwasm.database.problems import write_problems
from simwasm.database.question import EVERYTHING, Needs
from simwasm.database.selections import selection
from simwasm.database.sources import Ready, ready
from simwasm.database.tables import PROBLEMS, TABLES, TRACES
from simwasm.database.views import BROKEN, Views, listed, literal
from simwasm.errors import InputError
from simwasm.trace.file import open_trace

_MEMORY = "1GB"
_BATCH = 1_000
_LONG = 2_000


class Answer(NamedTuple):
    """What a question is answered with."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """As DuckDB names them."""
    rows: Iterator[tuple[Any, ...]]


class Database:
    """Some trace files that can be asked."""

    def __init__(self, paths: Sequence[str], *, memory: str = _MEMORY) -> None:
        if not paths:
            raise InputError("which traces? Name files that --trace has written")
        self._folder = TemporaryDirectory(prefix="simwasm-query-")
        place = Path(self._folder.name)
        try:
            self.files: tuple[Ready, ...] = tuple(ready(paths, place))
            self._connection = _locked(place, [os.path.realpath(path) for path in paths], memory)
        except BaseException:
            self._folder.cleanup()
            raise
        self._views = Views([file.source for file in self.files])
        self._made: set[str] = set()
        self._refuse_holes()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong with the ends of files."""
        return tuple(file.note for file in self.files if file.note)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()
        self._folder.cleanup()

    def ask(self, text: str) -> Answer:
        """Answer a question; rows come as they are asked for."""
        told = question.only(text)
        self._prepare(told)
        found = self._answer(told)
        described = found.description or []
        names, types = tuple(each[0] for each in described), tuple(str(each[1]) for each in described)
        return Answer(names, types, self._rows(found))

    def write(self, text: str, path: str) -> None:
        """Write the answer as Parquet."""
        told = question.only(text)
        self._prepare(told)
        inside = Path(self._folder.name) / "answer.parquet"
        self._answer(f"copy (\n{told}\n) to {literal(str(inside))} (format parquet)")
        try:
            copyfile(inside, path)
        except OSError as error:
            raise InputError(f"-o {path}: cannot be written: {error.strerror}") from None

    def _refuse_holes(self) -> None:
        """Where a file ends in the middle of a line DuckDB passes over what it cannot read: that is to be the end."""
        cut = sum(file.source.cut for file in self.files)
        if cut:
            row = self._run(f"select count(*) from ({self._views.read()}) where json is null").fetchone()
            if row is None or row[0] > cut:
                self._look_through()

    def _prepare(self, text: str) -> None:
        """Make what a question names."""
        try:
            needed = question.needs(self._connection, text)
        except duckdb.Error as error:
            raise self._wrong(error) from None
        self._make(needed)

    def _make(self, needed: Needs) -> None:
        if "exchanges" in needed.tables or "exchange" in needed.columns:
            self._contexts()
        if "problems" in needed.tables:
            self._problems()
        if "traces" in needed.tables:
            self._traces()
        for table in TABLES:
            if table.name in needed.tables and table not in (PROBLEMS, TRACES):
                sql = selection(self._views, table, needed.columns)
                self._run(f"create or replace view {table.name} as {sql}")

    def _contexts(self) -> None:
        if "contexts" in self._made:
            return
        place = Path(self._folder.name)
        found = self._run(self._views.marked())
        self._views.again = write_contexts(self._rows(found), place)
        till = f"coalesce(lead(begins) over (partition by f, plugin, context order by begins) - 1, {1 << 62})"
        for name, columns in WRITTEN.items():
            types = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
            more = f", {till} as till" if name == "contexts" and self._views.again else ""
            file = literal(str(place / f"{name}.ndjson"))
            self._run(
                f"create table inside.{name} as select *{more} from read_ndjson({file}, columns = {{{types}}})"
            )
        self._made.add("contexts")

    def _problems(self) -> None:
        if "problems" in self._made:
            return
        file = Path(self._folder.name) / "problems.ndjson"
        write_problems([each.source.name for each in self.files], file)
        columns = ", ".join(f"'{column.name}': '{column.type}'" for column in PROBLEMS.columns)
        self._run(f"create view problems as from read_ndjson({literal(str(file))}, columns = {{{columns}}})")
        self._made.add("problems")

    def _traces(self) -> None:
        rows = [
            f"({literal(file.source.name)}, {listed([made.name for made in file.header.plugins])}::VARCHAR[],"
            f" {literal(file.header.engine) if file.header.engine else 'null'}::VARCHAR,"
            f" {literal(file.header.profile)},"
            f" {file.header.seed}::BIGINT, {file.header.started_ns}::BIGINT,"
            f" {literal(file.note) if file.note else 'null'}::VARCHAR)"
            for file in self.files
        ]
        names = ", ".join(TRACES.names)
        self._run(f"create or replace view traces as select * from (values {', '.join(rows)}) t({names})")

    def _answer(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run what a question has become."""
        try:
            return interruptible(self._connection, partial(self._connection.execute, sql))
        except duckdb.BinderException:
            self._make(EVERYTHING)  # with all columns there are, those that are near are told
            return self._run(sql)
        except duckdb.Error as error:
            raise self._wrong(error) from None

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return interruptible(self._connection, partial(self._connection.execute, sql))
        except duckdb.Error as error:
            raise self._wrong(error) from None

    def _rows(self, found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
        while True:
            try:
                batch = interruptible(self._connection, partial(found.fetchmany, _BATCH))
            except duckdb.Error as error:
                raise self._wrong(error) from None
            if not batch:
                return
            yield from batch

    def _wrong(self, error: duckdb.Error) -> Exception:
        """What went wrong, in words: of a file with its line, otherwise as DuckDB tells it."""
        said = str(error).strip()
        if BROKEN in said or "Malformed JSON" in said or "Invalid unicode" in said.lower():
            self._look_through()
        if isinstance(error, duckdb.OutOfMemoryException):
            return InputError(f"the question needs more memory than {_MEMORY}: ask for less of it at once")
        if isinstance(error, duckdb.CatalogException) and "Table with name" in said:
            said = _near(said)
        if isinstance(error, duckdb.PermissionException):
            said += f"\na question reads the tables of these traces: {_names()}"
        return InputError(said[:_LONG])

    def _look_through(self) -> None:
        """Read the files ourselves, which tells what is wrong where."""
        for file in self.files:
            trace = open_trace(file.source.name)
            try:
                trace.index()
            finally:
                trace.close()


def _locked(folder: Path, files: Sequence[str], memory: str) -> duckdb.DuckDBPyConnection:
    spill = folder / "spill"
    found = duckdb.connect(
        config={
            "memory_limit": memory,
            "temp_directory": str(spill),
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    found.execute("create schema inside")
    found.execute(f"set allowed_directories = {listed([f'{folder}/'])}")
    found.execute(f"set allowed_paths = {listed(files)}")
    found.execute("set enable_external_access = false")
    found.execute("set lock_configuration = true")
    return found


def _names() -> str:
    return ", ".join(table.name for table in TABLES)


def _near(said: str) -> str:
    """A complaint about a table that there is not, with those there are."""
    asked = re.search(r"Table with name (\S+) does not exist!", said)
    close = get_close_matches(asked[1].lower(), [table.name for table in TABLES], 1) if asked else []
    lines = [line for line in said.splitlines() if not line.startswith("Did you mean")]
    hint = f"did you mean `{close[0]}`? " if close else ""
    return "\n".join([lines[0], f"{hint}There are {_names()}", *lines[1:]])
