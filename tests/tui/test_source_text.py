"""Source files: that their lines stay what they are."""

from __future__ import annotations

import pytest
from simwasm_tui.source_text import lines
from simwasm_tui.text import plain


@pytest.mark.parametrize("name", ["lib.rs", "main.go", "plugin.cc", "index.ts", "unknown.zzz"])
def test_colours_change_nothing_of_the_text(name: str) -> None:
    text = 'fn main() {\n\n  let s = "a\\nb"; // é \n/* two\nlines */ return 0x10;\n}\n'
    assert [plain(line) for line in lines(text, name)] == text.splitlines()


def test_a_language_that_is_known_is_coloured() -> None:
    inks = {ink for line in lines('let x = "text"; // why', "lib.rs") for _, ink in line}
    assert {"callback", "string", "muted"} <= inks


def test_escape_sequences_in_a_source_file_are_harmless() -> None:
    for name in ("lib.rs", "unknown.zzz"):
        assert plain(lines("// \x1b[31m", name)[0]) == "// \\e[31m"
