"""Finding names by some of their letters: `onreqh` finds `proxy_on_request_headers`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST = 2000


def fuzzy(names: Sequence[str], wanted: str) -> list[int]:
    """The places of the names that have these letters in this order, the closest first."""
    if not wanted:
        return list(range(len(names)))
    letters = re.compile(".*?".join(map(re.escape, wanted)), re.I | re.S)
    lowered = wanted.lower()
    found: list[tuple[bool, int, int, int]] = []
    for index, name in enumerate(names):
        match = letters.search(name)
        if match is not None:
            apart = lowered not in name.lower()
            found.append((apart, match.end() - match.start() if apart else 0, len(name), index))
    return [entry[-1] for entry in sorted(found)[:_MOST]]
