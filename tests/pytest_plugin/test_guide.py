"""The guide: every example on it runs, and it has all names."""

from __future__ import annotations

import re

import pytest
from deployed import three
from projects import ROOT, Reports, ran_in
from scripted import scripted
from under_test import PASSES

import simwasm.testing

GUIDE = (ROOT / "docs" / "testing.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
TESTS = re.findall(r"^def (test_\w+)", "".join(EXAMPLES), re.MULTILINE)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, imported: None) -> Reports:
    """A run of all examples."""
    folder = tmp_path_factory.mktemp("guide")
    for sample in set(re.findall(r'"(\w+)\.wasm"', GUIDE)) - {"ping"}:
        if (source := ROOT / "samples" / sample / "plugin.wasm").exists():
            (folder / f"{sample}.wasm").symlink_to(source)
    three(folder / "chain.yaml")
    (folder / "ping.wasm").write_bytes(scripted(dict.fromkeys(PASSES, ()), PASSES))
    (folder / "traffic.har").symlink_to(ROOT / "traces" / "traffic" / "allow_header.har")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    for number, example in enumerate(EXAMPLES):
        (folder / f"test_{number}.py").write_text(example)
    return ran_in(folder, "--update-goldens")


@pytest.mark.parametrize("name", TESTS)
def test_an_example_passes(ran: Reports, name: str) -> None:
    its = re.compile(rf"::{name}(\[|$)")
    assert not [told for test, told in ran.failed.items() if its.search(test)]
    assert any(map(its.search, ran.passed))


def test_the_names_of_simwasm_testing_are_all_there() -> None:
    assert (
        re.findall(r"^\| `(\w+)` \|", GUIDE.partition("## Names")[2], re.MULTILINE) == simwasm.testing.__all__
    )
