"""YAML with places: what values are, where they are, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwasm.config.tree import MOST_VALUES, read_tree, read_trees, tree_of, trees_of
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
        ("apiVersion: 1\napiVersion: 2", "line 1 has it, too: write `---` between two documents"),
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


def test_a_file_may_hold_several_documents_and_empty_ones_are_none() -> None:
    text = "# made\n---\na: &x 1\n---\n---\n~\n---\n- b\n...\n"
    assert [each.plain() for each in trees_of(text, "a")] == [{"a": 1}, ["b"]]
    with pytest.raises(ConfigError, match="nothing before is called &x"):
        trees_of("a: &x 1\n---\nb: *x", "a")


def test_json_is_read_with_its_places() -> None:
    text = '{"a": [1, -2.5e1, true, null],\n\t"b": {"c": "\\ud83d\\ude00\\/"}}\n[]'
    first, second = trees_of(text, "a.json")
    assert first.plain() == {"a": [1, -25.0, True, None], "b": {"c": "\U0001f600/"}}
    assert first.entries is not None
    assert (str(first.entries["b"].node.place), second.items) == ("a.json:2:7", [])


def test_what_begins_like_json_may_be_yaml() -> None:
    assert tree_of("{a: b}", "a.yaml").plain() == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a" 1}', "a.json:1:6: is not JSON: here must be `:`, not `1`"),
        ('{"a": 1,}', "a.json:1:9: is not JSON: here must be a name"),
        ("[1 2]", r"a.json:1:4: is not JSON: here must be `,` or `\]`"),
        ("[01]", "a.json:1:2: is not JSON: here must be a value"),
        ('["a', "the rest of a text"),
        ('["a\nb"]', "the rest of a text"),
        ("[nul]", "must be a value"),
        ("[1", "but it ends"),
        ('{"a": 1, "a": 2}', "a.json:1:10: `a` is there twice"),
        ('["\\ud800"]', "half of a character"),
        ("[" + "9" * 400 + "]", "a number of 400 characters"),
        ("[" * 101, "a.json:1:101: is nested more than 100 deep"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tree_of(text, "a.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_say_its_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("é: 1\r\n".encode(encoding))
    assert read_tree(path).plain() == {"é": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: \xff", r"a.yaml:2: is not UTF-8 at byte 8: save it as UTF-8"),
        (b"<!DOCTYPE html><html>", "a.yaml:1:1: is a page for browsers"),
        (b"a:\n  {{ if .b }}\n  c: 1\n", "a.yaml:2:4: a mapping cannot be a name: a template of Helm"),
        (b"a:\n\tb: 1\n", r"a.yaml:2:1: is not YAML: found character"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_trees(path)


def test_aliases_cannot_nest_deeper_than_anybody_writes() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200)]
    with pytest.raises(ConfigError, match="is nested more than 100 deep"):
        tree_of("\n".join(lines), "a")


@pytest.mark.parametrize(
    "text", ["a: !%1b[31m x", "a: !%1b[31m [x]", 'a: !!int "\\e[31m"', '"\\e[31m": 1\n"\\e[31m": 2']
)
def test_nothing_of_a_file_reaches_the_terminal_as_it_is(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tree_of(text, "a")
    assert str(caught.value).isprintable()
