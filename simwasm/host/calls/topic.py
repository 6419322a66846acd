"""How a topic names its handlers: a function becomes the answer to the host function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def calls(*handlers: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The handlers of a topic by name."""
    return {handler.__name__: handler for handler in handlers}
