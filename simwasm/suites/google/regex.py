"""Regular expressions as RE2 understands them, matched against the whole of a text.

RE2 itself is used where it is installed. Where it is not, Python's `re` takes its place for what means the same in
both; the rest is refused, so that nothing ever matches differently than it did in the tester.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from simwasm.errors import ConfigError
from simwasm.exchange import to_bytes, to_text
from simwasm.suites.patience import patiently
from simwasm.trace.text import printable

Matches = Callable[[str], bool]
"""Whether a whole text matches."""

LONGEST = 100_000
_INSTALL = "pip install 'simwasm[suites]'"


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Matches:
    """A regular expression, ready to match; one that is none is an error without a place."""
    if len(pattern) > LONGEST:
        raise ConfigError(f"this regex is longer than {LONGEST:,} characters")
    re2 = _re2()
    return _by_re(pattern) if re2 is None else _by_re2(re2, pattern)


def _re2() -> Any:
    """RE2, if it is installed."""
    try:
        import re2  # a library of C++, which only those load who have a regex
    except ImportError:
        return None
    return re2


def _by_re2(re2: Any, pattern: str) -> Matches:
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(to_bytes(pattern), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = to_text(reason) if isinstance(reason, bytes) else str(reason)
        raise ConfigError(f"this regex does not compile: {text}") from None
    return lambda text: found.fullmatch(to_bytes(text)) is not None


_SAME = re.compile(
    r"""\\[dDwWbB]                                # classes, which are of ASCII alone
      | \\[tnrfv]
      | \\[^A-Za-z0-9]                            # a sign taken literally
      | \[\^?\]?(?:\\[dDwWtnrfv]|\\[^A-Za-z0-9]|\[(?!:)|[^\\\[\]])*\]
      | \((?:\?:|\?P<\w+>|(?!\?)) | [)|.^]
      | [*+?]\??(?![*+?{]) | \{[0-9]{1,3}(?:,[0-9]{0,3})?\}\??(?![*+?{])
      | [^\\\[\]()|.^$*+?{}]
      | (?P<end>\$) | (?P<space>\\s) | (?P<unspace>\\S) | (?P<last>\\z)""",
    re.VERBOSE,
)
_INSTEAD = {"end": r"\Z", "last": r"\Z", "space": r"[\t\n\f\r ]", "unspace": r"[^\t\n\f\r ]"}


def _by_re(pattern: str) -> Matches:
    found = re.compile(_translated(pattern), re.ASCII) if pattern else re.compile("")
    return lambda text: patiently(found.fullmatch, text, printable(pattern))


def _translated(pattern: str) -> str:
    parts, at = [], 0
    while at < len(pattern):
        found = _SAME.match(pattern, at)
        if found is None:
            raise ConfigError(f"this regex needs RE2 at `{pattern[at : at + 10]}`: {_INSTALL}")
        parts.append(_INSTEAD.get(found.lastgroup or "", found[0]))
        at = found.end()
    made = "".join(parts)
    try:
        re.compile(made)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"this regex does not compile: {error}") from None
    return made
