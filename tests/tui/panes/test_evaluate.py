"""Eval: what expressions come to, watching them, and typing."""

from __future__ import annotations

from looking import goto, one, open_pane, standing, texts
from simwasm_tui.items import item_at
from simwasm_tui.panes.evaluate import Evaluate
from simwasm_tui.panes.evaluate_lines import Answer, answer, lines
from simwasm_tui.text import common
from terminal import Terminal, on_screen, run

CASE = "http_auth/browser"
PATH = 'headers.request[":path"]'


def pane(at: Terminal) -> Evaluate:
    found = at.pane("eval")
    assert isinstance(found, Evaluate)
    return found


async def ask(at: Terminal, text: str) -> None:
    """Type an expression and have it worked out."""
    pane(at).do_type()
    await at.settle()
    pane(at).typing.value = text
    await at.press("enter")


# What it comes to.


def test_expressions_are_worked_out_at_the_stop() -> None:
    with standing(CASE) as at:
        sight = at.go("proxy_get_header_map_value")
        assert answer(PATH, sight.scope).value == '"/get"'
        assert answer("args.key", sight.scope) == Answer("args.key", '"authorization"')
        pointer = next(each for each in sight.arguments if each.name == "key").pointer
        assert answer(f"text({pointer}, 13)", sight.scope).value == '"authorization"'


def test_what_is_wrong_is_an_answer_too() -> None:
    with standing(CASE) as at:
        scope = at.go("proxy_get_header_map_value").scope
        assert answer("headers.requst", scope).wrong
        assert "`request`" in answer("headers.requst", scope).value
    assert answer("1", None) == Answer("1", "the run is moving", True)


def test_a_watch_whose_value_is_another_one_is_marked_with_what_it_was() -> None:
    shown = texts(lines([Answer("a", "1"), Answer("b", "2")], {"a": "1", "b": "1"}, (), 80))
    assert shown == ["Watched", "  a  1", "~ b  1 → 2"]


def test_results_come_after_the_watches_with_the_row_they_were_asked_on() -> None:
    items = lines([Answer("a", "1")], {}, [Answer("len(x)", "no", True, 4)], 80)
    assert texts(items) == ["Watched", "  a       1", "", "› len(x)  no  row 5"]
    assert [item_at(items, index).watch for index in range(4)] == ["", "a", "", "len(x)"]


def test_values_that_a_plugin_made_are_harmless() -> None:
    assert texts(lines((), {}, [Answer("x", "\x1b[31m\nred")], 80)) == ["› x  \\e[31m\\nred"]


def test_what_words_have_in_common() -> None:
    assert (common(["request", "request_trailers", "response"]), common(["a", "b"]), common([])) == (
        "re",
        "",
        "",
    )


# On the screen.


def test_an_expression_is_typed_worked_out_and_remembered() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await goto(at, "proxy_http_call")
            await open_pane(at, "eval")
            await at.press("equals_sign")
            await at.type("1+2")
            assert pane(at).typing.value == "1+2"
            await at.press("enter")
            assert at.lines("eval") == [f"› 1+2  3  row {at.stop.row + 1}"]
            assert pane(at).typing.value == ""
            await at.press("up")
            assert pane(at).typing.value == "1+2"
            await at.press("down", "escape")
            assert (pane(at).typing.value, at.app.focused) == ("", pane(at).list)

    run(test())


def test_keys_of_the_run_are_letters_while_one_types() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await open_pane(at, "eval")
            row = at.stop.row
            await at.press("equals_sign", "s", "n", "c", "q", "4")
            assert (pane(at).typing.value, at.stop.row) == ("sncq4", row)

    run(test())


def test_tab_completes_as_far_as_it_is_clear_and_then_tells_what_there_is() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await goto(at, "proxy_http_call")
            await open_pane(at, "eval")
            await at.press("equals_sign")
            await at.type("len(hea")
            await at.press("tab")
            assert pane(at).typing.value == "len(headers"
            await at.type(".re")
            await at.press("tab")
            assert "request  request_trailers  response" in at.said
            await at.type("quest[")
            pane(at).typing.value += '":pa'
            pane(at).typing.cursor_position = 99
            await at.press("tab")
            assert pane(at).typing.value == f"len({PATH}"
            await at.type("zz")
            await at.press("tab")
            assert at.said == "Nothing begins like that."

    run(test())


def test_a_watch_is_shown_at_every_stop_and_marked_where_it_changed() -> None:
    async def test() -> None:
        async with on_screen("rate_limit/browser") as at:
            await goto(at, "proxy_increment_metric")
            await open_pane(at, "eval")
            await ask(at, 'metric["rate_limit.requests"]')
            await ask(at, "position")
            await at.press("escape", "end")
            name = item_at(pane(at).list.lines, pane(at).list.cursor).watch
            await at.press("w")
            assert at.view.watches == (name,)
            await at.press("home", "down")
            await ask(at, "1")
            pane(at).toggle("position")
            await at.settle()
            before = at.stop.position
            await at.press("escape", "s")
            assert "~ position" in one(at.lines("eval")[:4], "position")
            assert f"{before}" in one(at.lines("eval")[:4], "position")

    run(test())


def test_watches_go_with_delete_or_when_watched_again() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await open_pane(at, "eval")
            pane(at).toggle("position")
            await at.settle()
            pane(at).toggle("callback")
            await at.settle()
            assert list(at.view.watches) == ["position", "callback"]
            assert pane(at).note == "2 watches"
            await at.press("home", "down", "delete")
            assert list(at.view.watches) == ["callback"]
            pane(at).toggle("callback")
            await at.settle()
            assert not list(at.view.watches)

    run(test())


def test_what_cannot_be_read_is_not_watched() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await open_pane(at, "eval")
            pane(at).toggle("len(")
            await at.settle()
            assert at.view.watches == ()
            assert at.said.startswith("That cannot be watched: ")

    run(test())


def test_the_result_under_the_cursor_is_removed_and_enter_types_it_again() -> None:
    async def test() -> None:
        async with on_screen(CASE) as at:
            await open_pane(at, "eval")
            for text in ("1", "2", "3"):
                await ask(at, text)
            await at.press("escape", "home", "down", "delete")
            assert [line.split()[1] for line in at.lines("eval")] == ["3", "1"]
            await at.press("home", "enter")
            assert (pane(at).typing.value, at.app.focused) == ("3", pane(at).typing)

    run(test())


def test_with_nothing_asked_the_pane_teaches() -> None:
    async def test() -> None:
        async with on_screen(CASE, (120, 50)) as at:
            await open_pane(at, "eval")
            assert [line for line in at.screen() if "Press = and type an expression" in line]

    run(test())
