"""Regular expressions: RE2's, and those that Python's `re` reads alike."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.errors import ConfigError
from simwasm.suites.google import regex
from simwasm.suites.google.regex import Matches, compiled

re2 = pytest.importorskip("re2")


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if RE2 were not installed."""
    monkeypatch.setitem(sys.modules, "re2", None)
    compiled.cache_clear()
    yield
    compiled.cache_clear()


MATCHES = [
    ("a", "a", True),
    ("a", "ab", False),
    ("a|ab", "ab", True),
    (".*", "a\n", False),
    ("(?s).*", "a\n", True),
    ("a$", "a\n", False),
    (r"a\z", "a", True),
    (r"\d", "٣", False),
    (r"[\s]?\s", "\v", False),
    (r"(?P<n>a){2,3}?", "aaa", True),
    (r"[^]a-c\]]+", "d", True),
    ("[[:alpha:]]", "x", True),
    (r"\pL", "ä", True),
    ("(?i)ä", "Ä", True),
    (".", "ä", True),
    ("", "", True),
    (".", "\udcff", False),
    (r"\Qa.b\E", "a.b", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), MATCHES)
def test_a_whole_text_has_to_match(pattern: str, text: str, matches: bool) -> None:
    assert compiled(pattern)(text) is matches


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[asd", "missing ]: [asd"),
        ("(?=a)", "invalid perl operator"),
        ("a**", "bad repetition operator"),
        (r"\1", ""),
    ],
)
def test_what_re2_has_not_does_not_compile(pattern: str, why: str) -> None:
    with pytest.raises(ConfigError, match="^this regex does not compile: .*" + re.escape(why)):
        compiled(pattern)


def test_a_regex_has_a_length() -> None:
    with pytest.raises(ConfigError, match="this regex is longer than 100,000 characters"):
        compiled("a" * 100_001)


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize(
    "pattern", [r"\pL", "[[:alpha:]]", "(?i)a", "(?=a)", r"\1", r"\Qa\E", "a++", "[a", r"a\Z"]
)
def test_without_re2_what_might_differ_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"this regex needs RE2 at .*: pip install 'simwasm\[suites\]'"):
        regex.compiled(pattern)


@pytest.mark.usefixtures("without_re2")
def test_without_re2_what_does_not_compile_is_told() -> None:
    with pytest.raises(ConfigError, match="this regex does not compile: missing \\)"):
        regex.compiled("(a")


_PATTERNS = st.lists(
    st.sampled_from(
        ["a", "b", ".", "*", "+", "?", "{2}", "{1,2}", "|", "(", ")", "(?:", "(?i)", "[ab]", "[^a]", r"[\s-]", r"\s",
         r"\S", r"\d", r"\w", r"\W", "$", "^", r"\b", r"\.", r"\z", "\n", "]", "é", "[]a]", "[a-b"]
    ),
    max_size=6,
).map("".join)  # fmt: skip


@settings(max_examples=60)
@given(_PATTERNS, st.text(st.sampled_from("ab \n\v.]é٣"), max_size=5))
def test_re_takes_re2s_place_only_where_both_say_the_same(pattern: str, text: str) -> None:
    def said(by: Matches) -> bool:
        return by(text)

    try:
        by_re = regex._by_re(pattern)
    except ConfigError:
        return
    assert said(by_re) is said(regex._by_re2(re2, pattern))
