"""The header map of Google's plugin tester."""

from __future__ import annotations

import pytest

from simwasm.abi.status import Refusal
from simwasm.suites.google import headers
from simwasm.suites.google.headers import CaselessMap


def test_names_are_sorted_as_capital_letters() -> None:
    found = CaselessMap([("b", ""), ("_", ""), ("A", ""), ("a-", ""), (":path", ""), ("é", "")])
    assert [name for name, _ in found.entries] == [":path", "A", "a-", "b", "_", "é"]


def test_only_ascii_letters_have_a_case() -> None:
    found = CaselessMap([("é", "1"), ("É", "2")])
    assert (found.get("é"), found.get("É"), len(found)) == ("1", "2", 2)


def test_a_name_keeps_the_spelling_it_came_with_until_it_is_removed() -> None:
    found = CaselessMap([("Name", "1")])
    found.replace("name", "2")
    assert found.entries == (("Name", "2"),)
    found.remove("NAME")
    found.add("nAME", "3")
    assert found.entries == (("nAME", "3"),)


def test_removing_what_is_not_there_changes_nothing() -> None:
    found = CaselessMap([("a", "1")])
    found.remove("b")
    assert found.entries == (("a", "1"),)


def test_a_map_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "LARGEST", 10)
    found = CaselessMap([("a", "12345")])
    found.replace("a", "1234567")
    with pytest.raises(Refusal):
        found.add("b", "12")
    found.remove("a")
    found.add("b", "123456789")
