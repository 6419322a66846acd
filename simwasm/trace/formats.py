"""Formats of trace files: their number, and a converter for each step from one to the next.

1   until simwasm had goldens
2   the header may tell what was redacted and what plays the trace again; its plugins may be without a digest; calls and
    outcomes may tell what they took and cost

Rules: a converter takes a line and gives the same line of the next format, knowing nothing of other lines; what it does
not know it leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Content = dict[str, Any]
"""A line, parsed."""
Converter = Callable[[Content], Content]

FORMAT = 2
"""The newest, which is written."""


def _second(content: Content) -> Content:
    """Format 2 only has more."""
    return {**content, "format": 2} if "format" in content else content


CONVERTERS: dict[int, Converter] = {1: _second}
"""By the format that is converted."""


def converter(number: int) -> Converter:
    """What makes lines of the newest format of lines of another."""
    steps = [CONVERTERS[old] for old in range(number, FORMAT)]

    def convert(content: Content) -> Content:
        for step in steps:
            content = step(content)
        return content

    return convert
