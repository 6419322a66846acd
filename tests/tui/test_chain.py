"""Several plugins on the screen: whose a callback is stands with it."""

from __future__ import annotations

from pathlib import Path

from deployed import ROOT, three
from simwasm_tui.opening import Chosen, start_of, understand
from terminal import on_screen, run

from simwasm.debug.start import Start, read_inputs
from simwasm.recipe import Recipe

TRAFFIC = str(ROOT / "traces" / "traffic" / "allow_header.har")


def test_trace_and_streams_tell_whose_a_callback_is(tmp_path: Path) -> None:
    recipe = Recipe(str(three(tmp_path / "chain.yaml")), (TRAFFIC,), callout=("auth=200",), limit=2)

    async def test() -> None:
        async with on_screen(Start(read_inputs(recipe), recipe), (150, 40)) as at:
            assert "shop.allow + shop.auth + shop.body" in at.screen()[0]
            assert any("← shop.allow on_request_headers(2, 13, true)" in line for line in at.lines("trace"))
            logs = [line for line in at.lines("streams") if "   log" in line]
            assert [line.split()[-1] for line in logs] == ["shop.allow", "shop.auth", "shop.body"]

    run(test())


def test_a_configuration_may_be_typed_with_patterns_of_traffic(tmp_path: Path) -> None:
    path = str(three(tmp_path / "chain.yaml"))
    pattern = str(ROOT / "traces" / "traffic" / "allow_header.ha?")
    chosen = understand(path, f"'{pattern}'")
    assert isinstance(chosen, Chosen)
    assert chosen == Chosen(path, (pattern,))
    start = start_of(chosen)
    assert isinstance(start, Start)
    assert start.inputs is not None
    assert (len(start.inputs.plugins), len(start.inputs.exchanges)) == (3, 5)
