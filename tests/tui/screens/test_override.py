"""Answering otherwise: the run forks, both branches are kept, compared and gone to."""

from __future__ import annotations

from simwasm_tui.screens.branches import Branches
from simwasm_tui.screens.diff import Diff
from simwasm_tui.screens.form import Field
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.screens.override import Overriding
from simwasm_tui.text import plain
from terminal import Terminal, on_screen, run
from textual.widgets import Static
from until import until

from simwasm.abi.enums import Status
from simwasm.trace.rows import Kind

CASE = "http_auth/browser"


async def stand_on(at: Terminal, name: str, kind: Kind = Kind.HOST_CALL, nth: int = 0) -> None:
    rows = at.debugger.tape.rows
    found = [
        row
        for row in map(rows.__getitem__, range(len(rows)))
        if (row.entered.function.name, row.kind) == (name, kind)
    ]
    at.main.goto(found[nth].position)
    await at.settle()


async def forked(at: Terminal) -> None:
    """Say that the second header that is asked for is not there."""
    await stand_on(at, "proxy_get_header_map_value", nth=1)
    await at.press("O", "ctrl+u")
    await at.type("NOT_FOUND")
    await at.press("enter")
    await at.settle()


def test_what_the_host_answered_stands_in_the_form() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await stand_on(at, "proxy_get_header_map_value")
            await at.press("O")
            assert [field.text for field in at.app.screen.query(Field)] == ["OK", "Bearer let-me-in"]

    run(test())


def test_another_status_forks_the_run() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await forked(at)
            assert [branch.name for branch in at.debugger.branches] == ["run", "fork 1"]
            assert at.debugger.branch.name == "fork 1"
            (override,) = at.debugger.branch.overrides.values()
            assert override.status is Status.NOT_FOUND
            outcome = at.debugger.tape.spans[0].outcome
            assert outcome is not None
            assert outcome.status == 403

    run(test())


def test_another_value_is_what_the_plugin_reads() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await stand_on(at, "proxy_get_header_map_value", nth=1)
            await at.press("O", "down", "ctrl+u")
            await at.type("401")
            await at.press("enter")
            await at.settle()
            logged = [line.log.text for line in at.debugger.tape.lines]
            assert "auth answered 401" in " ".join(logged)

    run(test())


def test_a_callback_returns_another_action() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await stand_on(at, "proxy_on_response_headers", Kind.CALLBACK)
            await at.press("O", "ctrl+u")
            await at.type("STOP_ALL_AND_BUFFER")
            await at.press("enter")
            await at.settle()
            outcome = at.debugger.tape.spans[0].outcome
            assert outcome is not None
            assert outcome.waiting

    run(test())


def test_what_is_no_status_is_told_and_the_form_stays() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await stand_on(at, "proxy_get_header_map_value")
            await at.press("O", "ctrl+u")
            await at.type("NOPE")
            await at.press("enter")
            assert isinstance(at.app.screen, Overriding)
            under = at.app.screen.query_one("#status", Field).query_one(".under", Static)
            assert "a status is one of OK" in str(under.content)

    run(test())


def test_what_has_no_status_cannot_be_answered_otherwise() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await at.press("O")
            assert isinstance(at.app.screen, MainScreen)
            assert at.said.startswith(
                "This cannot be answered otherwise: proxy_on_context_create returns nothing"
            )

    run(test())


def test_branches_are_listed_named_and_switched_to() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await forked(at)
            await at.press("V")
            assert isinstance(at.app.screen, Branches)
            line = plain(at.app.screen.list.lines.line(1, 120))
            assert "from run, row 20: get_header_map_value → NOT_FOUND" in line
            await at.press("n", "ctrl+u")
            await at.type("no answer")
            await at.press("enter")
            assert at.debugger.branch.name == "no answer"
            await at.press("up", "enter")
            await at.settle()
            assert at.debugger.branch.name == "run"
            assert at.debugger.tape.rows[at.stop.row].entered.function.name == "proxy_get_header_map_value"

    run(test())


def test_two_branches_cannot_have_one_name() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await forked(at)
            await at.press("V", "n", "ctrl+u")
            await at.type("run")
            await at.press("enter")
            assert at.debugger.branch.name == "fork 1"

    run(test())


def test_two_branches_are_compared_and_a_difference_is_gone_to_on_its_branch() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await forked(at)
            await at.press("D")
            diff = at.app.screen
            assert isinstance(diff, Diff)
            await until(lambda: diff.sides is not None)
            assert diff.sides is not None
            assert "78 same" in diff.sides.summary
            first = diff.sides.alignment[diff.sides.changes[0]]
            assert (first.left, first.right) == (19, 19)
            await at.press("n", "n", "enter")
            await at.settle()
            assert at.debugger.branch.name == "run"
            assert at.stop.row == 23

    run(test())


def test_only_differences_are_shown_and_all_rows_again() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await forked(at)
            await at.press("D")
            diff = at.app.screen
            assert isinstance(diff, Diff)
            await until(lambda: diff.sides is not None)
            whole = len(diff.list.lines)
            await at.press("n", "d")
            assert diff.sides is not None
            assert len(diff.list.lines) == len(diff.sides.changes) < whole
            assert diff.list.cursor == 1
            await at.press("d", "N", "N")
            assert len(diff.list.lines) == whole
            assert diff.list.cursor == diff.sides.place(diff.sides.changes[0])

    run(test())
