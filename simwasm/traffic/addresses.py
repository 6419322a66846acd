"""Traffic in other storage, at addresses like s3://bucket/day/*.jsonl, through fsspec.

Rules that live here: fsspec and the package of a kind of storage are asked for when they are needed and missing; what
they raise is anything, and becomes an error with the address.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple, cast

from simwasm.errors import TrafficError


class Found(NamedTuple):
    """A file in other storage."""

    address: str
    size: int | None
    found: bool
    """A folder or a pattern brought it."""


def found_at(address: str) -> Iterator[Found]:
    """The files of an address: itself, or those of a folder or a pattern, sorted; hidden ones are skipped."""
    with _told(address):
        storage, path = _storage(address)
        if "*" in path or "?" in path:
            names = storage.glob(path)
        elif storage.isdir(path):
            names = storage.find(path)
        else:
            yield Found(address, storage.size(path), found=False)
            return
        shown = [name for name in sorted(names) if not _hidden(name, path) and storage.isfile(name)]
        if not shown:
            raise TrafficError(f"{address}: has no files; is the address right?")
        for name in shown:
            yield Found(storage.unstrip_protocol(name), storage.size(name), found=True)


def _hidden(name: str, below: str) -> bool:
    return any(part.startswith(".") for part in name.removeprefix(below).split("/"))


def opened(address: str) -> BinaryIO:
    """Open a file in other storage."""
    with _told(address):
        storage, path = _storage(address)
        return cast("BinaryIO", storage.open(path, "rb"))


def _storage(address: str) -> tuple[Any, str]:
    try:
        fsspec: Any = importlib.import_module("fsspec")  # few need it
    except ImportError:
        raise TrafficError(
            f"{address}: addresses of other storage need the package fsspec: pip install fsspec"
        ) from None
    found: tuple[Any, str] = fsspec.url_to_fs(address)
    return found


@contextmanager
def _told(address: str) -> Iterator[None]:
    try:
        yield
    except TrafficError:
        raise
    except FileNotFoundError:
        raise TrafficError(f"{address}: is not there; is the address right?") from None
    except Exception as error:  # the packages of storage raise what they like
        raise TrafficError(f"{address}: cannot be read: {str(error) or type(error).__name__}") from None
