"""A trace file of an older format, written anew in the newest.

Rules: the file is replaced whole or not at all, and keeps its rights; a line that a converter leaves as it is keeps its
bytes, so that a review shows only what is new; nothing but one line is kept in memory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from simwasm.errors import InputError, TraceError
from simwasm.trace.formats import FORMAT, Content, converter
from simwasm.trace.linefile import BOM, LineFile
from simwasm.trace.lines import dumps
from simwasm.trace.parse import Wrong, content_of, format_of, read_header


def upgrade(path: str | Path) -> int:
    """Bring a trace file to the newest format; the number of the one it had."""
    file = LineFile(path)
    try:
        first = file.first().removeprefix(BOM)
        header = _understood(path, first)
        if header["format"] < FORMAT:
            replaced(path, _lines(file, first, header["format"]))
        number: int = header["format"]
        return number
    finally:
        file.close()


def _understood(path: str | Path, line: bytes) -> Content:
    """The first line, once it is known that it can be read."""
    try:
        content = content_of(line)
        if "format" in content:
            format_of(content)
        read_header(content)
    except Wrong as wrong:
        raise TraceError(f"{path}: line 1 {wrong}; record it again, or mend it by hand") from None
    return content


def _lines(file: LineFile, first: bytes, number: int) -> Iterator[bytes]:
    convert = converter(number)
    at, count = 0, 0
    while data := file.lines(at):
        at += len(data)
        for line in BytesIO(data):
            count += 1
            bare = line.removeprefix(BOM) if count == 1 else line
            try:
                content = content_of(bare) if bare.strip() else {}
            except Wrong as wrong:
                raise TraceError(f"{file.path}: line {count} {wrong}; the file stays as it was") from None
            made = convert(content)
            yield bare if made is content else (dumps(made) + "\n").encode("utf-8", "backslashreplace")


def replaced(path: str | Path, parts: Iterator[bytes]) -> None:
    """Write a file anew; others see it complete, or as it was."""
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            with open(unfinished, "wb") as file:
                file.writelines(parts)
            with suppress(FileNotFoundError):
                shutil.copymode(target, unfinished)
            os.replace(unfinished, target)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
