"""Dates and times of recordings, as nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = 10**9
_LAST_SECOND = 59


def nanoseconds(text: str) -> int | None:
    """The moment that this is, like 2024-09-05T08:33:31.079Z, to the nanosecond; None if it is none."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        return None
    minute = _minute(parts[1], parts[2], parts[5] or "+00", parts[6] or "00")
    seconds = int(parts[3])
    if minute is None or seconds > _LAST_SECOND:
        return None
    return (minute + seconds) * _SECOND + int((parts[4] or "").ljust(9, "0"))


@lru_cache(maxsize=64)
def _minute(date: str, minute: str, hours: str, minutes: str) -> int | None:
    """The seconds until a minute began, None if there is no such minute; entries come in their order."""
    try:
        began = datetime.fromisoformat(f"{date}T{minute}00{hours}:{minutes}")
    except ValueError:
        return None
    return int((began - _EPOCH).total_seconds())
