"""Virtual time as suites write it: `5ms`, and bounds of it: `< 5s`."""

from __future__ import annotations

import re

from simwasm.suites.shape import Scalar

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = r"[0-9]{1,9}(\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h)"
_LONGEST = 10**17


def duration(text: str) -> int:
    """The nanoseconds of `5ms`, `1.5s`, `2m`."""
    if not re.fullmatch(_DURATION, text):
        raise ValueError(f"`{text[:40]}` is no duration: write a number with its unit, as 5ms, 1.5s or 2m")
    unit = text.lstrip("0123456789.")
    found = round(float(text[: -len(unit)]) * _UNITS[unit])
    if found > _LONGEST:
        raise ValueError(f"`{text}` is longer than three years, which nothing here lasts")
    return found


def span(text: str) -> tuple[int, int]:
    """From which duration to which."""
    bare = text.strip().lstrip("<>=").strip()
    sign = text.strip()[: len(text.strip()) - len(text.strip().lstrip("<>="))]
    found = duration(bare)
    most = 1 << 62
    spans = {"": (found, found), "=": (found, found), "<": (0, found - 1), "<=": (0, found),
             ">": (found + 1, most), ">=": (found, most)}  # fmt: skip
    if sign not in spans:
        raise ValueError(f"`{text[:40]}` is no bound: write '< 5s' or '>= 100ms'")
    return spans[sign]


DURATION = Scalar("a duration (5ms, 1.5s, 2m)", duration, "string", (("pattern", f"^{_DURATION}$|^\\$\\{{"),))
