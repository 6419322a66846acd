"""The JSON Schema of suites: every suite of ours is valid by it."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from simwasm.suites.schema import schema

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
SUITES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "traces" / "suites").glob("*.yaml"))
}
SUITES |= {
    f"guide {n}": text for n, text in enumerate(re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.M | re.S), 1)
}


@pytest.fixture(scope="module")
def editor() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("name", SUITES)
def test_our_suites_are_valid(name: str, editor: jsonschema.Draft202012Validator) -> None:
    editor.validate(yaml.safe_load(SUITES[name]))


def test_every_key_of_every_section_is_documented() -> None:
    sections = [schema(), *schema()["$defs"].values()]
    keys = [key for section in sections for key in section.get("properties", {}).values()]
    assert all(key["description"].endswith((".", ":")) for key in keys)
