"""What the page about these files shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simwasm.suites.bench import Bench, Options
from simwasm.suites.google.cases import cases
from simwasm.suites.google.schema import MESSAGES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/service-extensions.md").read_text()


@pytest.mark.parametrize(("language", "suffix"), [("textproto", "textpb"), ("yaml", "yaml")])
def test_examples_pass(language: str, suffix: str, tmp_path: Path) -> None:
    (example,) = re.findall(f"```{language}\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / f"tests.{suffix}"
    path.write_text(example)
    bench = Bench(Options("wasmtime", str(ROOT / "samples/allow_header/plugin.wasm")))
    assert [list(case.play(bench)) for case in cases(path)] == [[]]
    bench.close()


def test_every_field_is_named() -> None:
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", PAGE))))
    fields = {field for fields in MESSAGES.values() for field in fields}
    assert fields - named == {"test_path"}  # which only that tester itself writes
