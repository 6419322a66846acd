"""Files that recorded requests name: their bodies lie beside them.

Rules that live here: a name is looked for in the folder of the file that has it; one that leads out of there is read,
since people do write `../`, and told; what is no plain file, or too large, is not read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from simwasm.traffic.request_text import LARGEST_BODY, Wrong, shortened

Note = Callable[[str], None]
Read = Callable[[str], bytes]


def reader_beside(where: str, note: Note) -> Read:
    """Reads files beside that file; nobody knows what is beside standard input."""
    folder = None if where == "-" or "://" in where else os.path.realpath(os.path.dirname(where) or ".")

    def read(name: str) -> bytes:
        if folder is None:
            raise Wrong(
                f"it names the file {shortened(name)}, and nobody knows where that is: put its text in its place"
            )
        try:
            path = os.path.realpath(os.path.join(folder, name))
        except ValueError:
            raise Wrong(f"{shortened(name)!r} is no name of a file") from None
        data = read_plain(path, name)
        if os.path.commonpath([folder, path]) != folder:
            note(f"{path} is read, which is not in the folder of this file")
        return data

    return read


def read_plain(path: str, name: str) -> bytes:
    """A plain file, which is called so."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for ever
            raise Wrong(f"{shortened(name)} is no plain file")
        with open(path, "rb") as file:
            data = file.read(LARGEST_BODY + 1)
    except OSError as error:
        raise Wrong(f"the file {shortened(name)} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise (
            error if isinstance(error, Wrong) else Wrong(f"{shortened(name)!r} is no name of a file")
        ) from None
    if len(data) > LARGEST_BODY:
        raise Wrong(f"the file {shortened(name)} has more than {LARGEST_BODY:,} bytes")
    return data
