"""YAML with places: what values are, where they are, and what is refused."""

from __future__ import annotations

import pytest

from simwasm.config.tree import MOST_VALUES, tree_of
from simwasm.errors import ConfigError

DEEP = "[" * 200_000


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("2026-01-01", "2026-01-01"), ("1e3", 1000.0), ("0x1f", 31), ("~", None), ("'5'", "5"),
     ("!!str 5", "5"), ("true", True), ("1_000", "1_000"), ("[1, {a: b}]", [1, {"a": "b"}])],
)  # fmt: skip
def test_scalars_are_what_the_core_schema_says(text: str, value: object) -> None:
    assert tree_of(text, "a").plain() == value


def test_every_value_and_every_name_has_its_place() -> None:
    entries = tree_of("a: 1\nbb:\n  - x\n  - y: 2\n", "s.yaml").entries
    assert entries is not None
    items = entries["bb"].node.items
    assert items is not None
    assert (str(entries["bb"].place), str(items[1].place)) == ("s.yaml:2:1", "s.yaml:4:5")


def test_a_scalar_keeps_how_it_is_written() -> None:
    assert tree_of("007", "a").text == "007"


def test_merged_entries_do_not_replace_own_ones() -> None:
    text = "base: &b {x: 1, y: 2}\nown: {<<: *b, x: 3}"
    assert tree_of(text, "a").plain()["own"] == {"x": 3, "y": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a: is empty"),
        ("a: 1\na: 2", r"a:2:1: `a` is there twice; line 1 has it, too"),
        ("a: [", r"a:\d+:\d+: is not YAML"),
        ("a: 1\n---\nb: 1", "a:2:1: a second document begins here"),
        ("a: *b", "a:1:4: nothing before is called &b"),
        ("a: &b [*b]", "nothing before is called &b, or it has not ended here"),
        ("a: !!python/object:os.system x", "means nothing here"),
        ("a: !own {}", "the tag !own means nothing here"),
        ("a: !!int x", "`x` is no int"),
        ("[a]: b", "a list cannot be a name"),
        ("a: {<<: 5}", "merges mappings, not a number"),
        (DEEP, "is nested more than 100 deep"),
        ("\x00", "is not YAML"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tree_of(text, "a")


def test_a_small_file_cannot_become_a_large_one() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 30)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match=f"more than {MOST_VALUES:,} values, aliases counted"):
        tree_of("\n".join(lines), "a")
