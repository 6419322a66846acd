"""What there is to give once the run stands again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from simwasm.debug.stop import Stop
from simwasm.errors import InputError

T = TypeVar("T")


def once(moved: Future[Stop], give: Callable[[], T]) -> Future[T]:
    """A future of something that is known when another is done; if it never was, that stop says why."""
    found: Future[T] = Future()

    def done(_: Future[Stop]) -> None:
        error = moved.exception()
        if error is not None:
            found.set_exception(error)
            return
        try:
            found.set_result(give())
        except LookupError:
            found.set_exception(InputError(moved.result().note or "it could not be found out"))

    moved.add_done_callback(done)
    return found
