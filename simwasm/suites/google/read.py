"""Finding out whether a file is one of that tester's, and reading it in the form that it has."""

from __future__ import annotations

import re
from pathlib import Path

from simwasm.config.tree import LARGEST, read_tree
from simwasm.errors import ConfigError
from simwasm.exchange import to_text
from simwasm.plugin import read_bytes
from simwasm.suites.google.suite import Suite, suite_of
from simwasm.suites.google.textproto import read_text
from simwasm.suites.google.yaml_form import suite_record

TEXT_SUFFIXES = (".textpb", ".textproto", ".txtpb", ".pbtxt")
YAML_SUFFIXES = (".yaml", ".yml")
_OF_THEIRS = re.compile(r"^(?:(?P<env>env|runtime)|(?P<test>test)|(?P<tests>tests))[ \t]*:", re.MULTILINE)
_INSIDE = re.compile(
    r"^[- \t]+(?:(?:request|response)_?(?:headers|body)|(?:plugin|stream)_?(?:init|destroy))[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_IN_TEXT = re.compile(r"^[ \t]*(?:test|env|runtime)[ \t\n]*:?[ \t\n]*[{<\[]", re.MULTILINE)


def is_google(path: str | Path, text: str = "") -> bool:
    """Whether a file is one of that tester's: by its name, or in YAML by its fields."""
    suffix = Path(path).suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return True
    found = {match.lastgroup for match in _OF_THEIRS.finditer(text)}
    return suffix in YAML_SUFFIXES and (
        "test" in found or ("tests" in found and _INSIDE.search(text) is not None)
    )


def has_tests(path: str | Path, text: str) -> bool:
    """Whether a file that nobody has named is one of them: the text format may hold anything."""
    in_text = Path(path).suffix.lower() in TEXT_SUFFIXES
    return _IN_TEXT.search(text) is not None if in_text else is_google(path, text)


def read(path: str | Path) -> Suite:
    """The suite that a file holds."""
    if Path(path).suffix.lower() in YAML_SUFFIXES:
        return suite_of(suite_record(read_tree(path)))
    data = read_bytes(path)
    if len(data) > LARGEST:
        raise ConfigError(f"{path}: is larger than {LARGEST >> 20} MiB. Split it")
    return suite_of(read_text(to_text(data), str(path)))
