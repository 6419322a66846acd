"""The inspector: what its lines say of real states, and what its keys do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from debugging import inputs_for, inputs_of, requests
from looking import goto, one, open_pane, standing, texts
from simwasm_tui.items import item_at
from simwasm_tui.panes.inspector import TABS, Inspector
from simwasm_tui.panes.inspector_body import Form, body_lines, facts, fitting, shown
from simwasm_tui.panes.inspector_call import action_items, call_items, pointed
from simwasm_tui.panes.inspector_headers import Since, changed, header_items, then
from simwasm_tui.panes.inspector_host import metric_items, property_items, shared_changed, shared_items
from simwasm_tui.panes.memory import Memory
from simwasm_tui.panes.prettyjson import pretty, why_not
from simwasm_tui.text import plain
from simwasm_tui.widgets.tabs import Tabs
from terminal import Terminal, on_screen, run
from wat import callback, plugin

from simwasm.abi.enums import BufferType
from simwasm.debug.state_maps import YES, Access, BodyState
from simwasm.trace.rows import Kind

REMOVES = "response_body/browser"
RESPONSE = "proxy_on_response_headers"


def inspector(at: Terminal) -> Inspector:
    pane = at.pane("inspector")
    assert isinstance(pane, Inspector)
    return pane


# Headers.


def test_a_header_that_the_callback_removed_is_marked_where_it_stood() -> None:
    with standing(REMOVES) as run:
        sight = run.go(RESPONSE, Kind.RETURN, 1)
        earlier = then(sight.state, sight.tape, Since.CALLBACK, None)
        lines = texts(header_items(sight.state, earlier, 60))
        place = lines.index("- content-length   536")
        assert lines[place - 1].startswith("  connection")
        assert "Response headers  1 changed" in lines


def test_at_the_callbacks_entry_nothing_has_changed_since() -> None:
    with standing(REMOVES) as run:
        sight = run.go(RESPONSE, Kind.CALLBACK)
        lines = texts(header_items(sight.state, then(sight.state, sight.tape, Since.CALLBACK, None), 60))
        assert not [line for line in lines if line[:1] in "~+-" and line]


def test_since_the_previous_stop_only_what_happened_after_it_counts() -> None:
    with standing(REMOVES) as run:
        before = run.go("proxy_remove_header_map_value", nth=1)
        after = run.go(RESPONSE, Kind.RETURN, 1)
        lines = texts(header_items(after.state, then(after.state, after.tape, Since.STOP, before.state), 60))
        assert one(lines, "- content-length")
        assert changed(after.state, before.state)
        assert not changed(after.state, after.state)


def test_since_the_streams_start_a_change_of_an_earlier_callback_is_still_there() -> None:
    with standing(REMOVES) as run:
        run.go(RESPONSE, Kind.RETURN, 1)
        run.debugger.step().result(60)
        sight = run.look()
        entry = texts(header_items(sight.state, then(sight.state, sight.tape, Since.CALLBACK, None), 60))
        start = texts(header_items(sight.state, then(sight.state, sight.tape, Since.STREAM, None), 60))
        assert not [line for line in entry if line.startswith("- content-length")]
        assert one(start, "- content-length")


def test_a_stop_in_another_exchange_is_not_compared_with() -> None:
    with standing(REMOVES) as run:
        first = run.go(RESPONSE, Kind.RETURN, 0)
        other = run.go(RESPONSE, Kind.RETURN, 1)
        assert then(other.state, other.tape, Since.STOP, first.state).maps is None


def test_a_map_that_is_not_there_says_why() -> None:
    with standing(REMOVES) as run:
        sight = run.go("proxy_on_request_headers", Kind.CALLBACK)
        items = header_items(sight.state, then(sight.state, sight.tape, Since.CALLBACK, None), 200)
        place = texts(items).index("Response headers – not here")
        assert "proxy_on_response_headers" in items[place].told


def test_headers_that_cannot_be_read_now_are_shown_with_the_reason() -> None:
    with standing(REMOVES) as run:
        sight = run.go("proxy_on_response_body", Kind.CALLBACK)
        items = header_items(sight.state, then(sight.state, sight.tape, Since.CALLBACK, None), 200)
        lines = texts(items)
        place = lines.index("Request headers")
        assert lines[place + 1] == "  not readable now"
        assert items[place + 1].told.startswith("The plugin cannot read them now: ")
        assert [line for line in lines if ":path" in line]


def test_escape_sequences_in_headers_stay_in_their_line() -> None:
    echo = plugin(callback("proxy_on_context_create"), callback("proxy_on_request_headers"))
    with standing(inputs_for(echo, requests(1, ("x-evil", "\x1b[31mred\r\n")))) as run:
        sight = run.go("proxy_on_request_headers", Kind.CALLBACK)
        items = header_items(sight.state, then(sight.state, sight.tape, Since.CALLBACK, None), 60)
        assert one(texts(items), "x-evil").endswith("\\e[31mred\\r\\n")


def test_a_filter_leaves_headings_and_what_has_the_text() -> None:
    with standing(REMOVES) as run:
        sight = run.go("proxy_on_request_headers", Kind.CALLBACK)
        earlier = then(sight.state, sight.tape, Since.CALLBACK, None)
        heading, *lines = texts(header_items(sight.state, earlier, 60, "USER-A"))
        assert heading == "Request headers"
        assert [line.split()[0] for line in lines] == ["user-agent"]


# Bodies.


def body(data: bytes, **more: object) -> BodyState:
    return BodyState(BufferType.HTTP_RESPONSE_BODY, data, YES, YES, **more)  # type: ignore[arg-type]  # fields of it


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b'{"a": 1}', Form.JSON),
        (b"{not json}", Form.TEXT),
        (b"plain \xc3\xa9", Form.TEXT),
        (bytes(range(256)), Form.HEX),
        (b"\xff\xfe\xfd" * 9, Form.HEX),
    ],
)
def test_the_form_that_suits_a_body(data: bytes, form: Form) -> None:
    assert fitting(data) is form


def test_ten_megabytes_as_hexadecimal_are_lines_that_are_made_when_seen() -> None:
    (lines,) = shown(bytes(10_000_000), Form.HEX, 80)
    assert len(lines) == 625_000
    assert plain(lines.line(624_999, 80)).startswith("9896" + "70 ")


def test_ten_megabytes_as_text_say_where_they_are_cut() -> None:
    lines = texts(shown(b"x" * 10_000_000, Form.TEXT, 100)[1])
    assert lines == ["… 9,737,856 bytes more: as hexadecimal (v) all of them are shown."]


def test_text_that_is_wider_than_the_pane_goes_on_in_the_next_line() -> None:
    assert texts(shown(b"abcdefghij\n\nkl", Form.TEXT, 8)[0]) == ["abcdefgh", "ij", "", "kl"]


def test_json_is_set_out_with_its_numbers_as_they_were_written() -> None:
    lines = [plain(line) for line in pretty('{"a":[1.0e5,{}],"b":{"c":null},"d":[]}')]
    parts = ['  "a": [', "    1.0e5,", "    {}", "  ],", '  "b": {', '    "c": null', "  },", '  "d": []']
    assert lines == ["{", *parts, "}"]


@pytest.mark.parametrize("text", ["{", "[1,]", "[" * 100_000 + "]" * 100_000, "x" * 2_000_000])
def test_what_is_no_json_says_why(text: str) -> None:
    assert why_not(text)


def test_a_body_that_is_no_json_is_shown_as_text_with_the_reason() -> None:
    reason, *rest = shown(b"hello", Form.JSON, 60)
    assert texts(reason)[0].startswith("  This is not JSON: ")
    assert texts(rest[0]) == ["hello"]


def test_how_much_there_is_of_a_body() -> None:
    assert (
        facts(body(b"abc", buffered=b"abcdef", received=9))
        == "3 bytes now · 6 held back · 9 come in · more comes"
    )
    assert facts(body(b"abc", received=3, ended=True)) == "3 bytes now · 3 come in · end of stream"


def test_a_body_that_cannot_be_read_says_why_and_shows_what_is_held_back() -> None:
    with standing(REMOVES) as run:
        state = run.go(RESPONSE, Kind.CALLBACK).state
    hidden = BodyState(BufferType.HTTP_REQUEST_BODY, b"", Access(False, "not now"), YES, b"held", 4)
    lines = texts(body_lines(replace(state, bodies=(hidden,)), Form.FITTING, 60))
    assert lines[:2] == ["▾ Request body", "  4 held back · 4 come in · more comes"]
    assert lines[2:] == ["  The plugin cannot read it now: not now.", "  held back", "held", ""]


def test_a_folded_body_is_its_heading() -> None:
    with standing(REMOVES) as run:
        state = run.go("proxy_on_response_body", Kind.CALLBACK).state
        folded = frozenset({"HTTP_RESPONSE_BODY"})
        assert "▸ Response body" in texts(body_lines(state, Form.FITTING, 60, folded))
        assert len(body_lines(state, Form.FITTING, 60, folded)) < len(body_lines(state, Form.FITTING, 60))


# Properties, shared things.


def test_properties_have_their_type_and_those_without_a_value_the_reason() -> None:
    with standing("rate_limit/browser") as run:
        lines = texts(property_items(run.go("proxy_on_response_body", Kind.CALLBACK).state, None, 60), 400)
        assert one(lines, "  source.address ").endswith('"127.0.0.1:50001"  text')
        assert "proxy_on_request_headers" in one(lines, "request.url_path")


def test_shared_data_that_a_call_wrote_is_marked() -> None:
    with standing("rate_limit/browser") as run:
        before = run.go("proxy_set_shared_data")
        after = run.go("proxy_on_request_headers", Kind.RETURN)
        assert one(texts(shared_items(after.state, before.state, 60)), "rate_limit.client").startswith("+ ")
        assert shared_changed(after.state, before.state)
        assert not shared_changed(after.state, after.state)


def test_metrics_show_what_they_were() -> None:
    with standing("rate_limit/browser") as run:
        before = run.go("proxy_on_request_headers", Kind.CALLBACK)
        after = run.go("proxy_on_request_headers", Kind.RETURN)
        assert "0 → 1" in one(texts(metric_items(after.state, before.state, 60)), "~ rate_limit.allowed")


def test_callouts_in_flight_are_among_what_is_shared() -> None:
    with standing("http_auth/browser") as run:
        lines = texts(shared_items(run.go("proxy_on_http_call_response", Kind.CALLBACK).state, None, 60))
        assert "Callouts in flight" not in "\n".join(lines)
        lines = texts(shared_items(run.go("proxy_on_request_headers", Kind.RETURN).state, None, 60))
        assert one(lines, "auth HTTP")


def test_empty_tabs_teach() -> None:
    with standing("http_auth/browser") as run:
        state = run.go("proxy_on_request_headers", Kind.CALLBACK).state
        assert "proxy_define_metric" in "\n".join(texts(metric_items(state, None, 60)))


# The call.


def test_an_argument_stands_for_its_bytes() -> None:
    with standing("http_auth/browser") as run:
        sight = run.go("proxy_get_header_map_value")
        items = call_items(sight.tape, sight.stop.position, sight.memory, 60, sight.stop.position)
        key = next(item for item in items if item.name == "key")
        assert key.bytes is not None
        assert sight.memory is not None
        assert sight.memory.read(*key.bytes) == b"authorization"
        assert key.watch == "args.key"


def test_what_the_host_will_answer_is_told_as_recorded() -> None:
    with standing("http_auth/browser") as run:
        sight = run.go("proxy_get_header_map_value")
        lines = texts(call_items(sight.tape, sight.stop.position, sight.memory, 60, sight.stop.position))
        assert "status OK  recorded, ahead" in lines
        after = texts(call_items(sight.tape, sight.stop.position, None, 60, len(sight.tape)))
        assert "status OK" in after


def test_the_bytes_shown_first_are_those_that_go_in() -> None:
    with standing("http_auth/browser") as run:
        argument = pointed(run.go("proxy_get_header_map_value").arguments)
        assert argument is not None
        assert argument.name == "key"
        assert pointed(run.go("proxy_set_effective_context").arguments) is None


# What comes of it.


def test_the_action_says_who_resumes_what_it_stops() -> None:
    with standing("http_auth/browser") as run:
        sight = run.go("proxy_on_request_headers", Kind.RETURN)
        lines = texts(action_items(sight.state, sight.tape, sight.stop.position, 60), 60)
        assert lines[0] == "on_request_headers returned PAUSE"
        assert "callout" in " ".join(lines)
        later = run.go("proxy_on_http_call_response", Kind.CALLBACK)
        told = texts(action_items(later.state, later.tape, later.stop.position, 200))
        assert one(told, "#1 PAUSED in request headers by `http_auth`, waiting for")


def test_a_result_that_lies_ahead_is_told_as_such() -> None:
    with standing("http_auth/browser") as run:
        sight = run.go("proxy_http_call")
        assert texts(action_items(sight.state, sight.tape, sight.stop.position, 60))[0] == (
            "on_request_headers will return PAUSE"
        )


# On the screen.


def test_3_goes_through_the_tabs_and_back_to_the_first() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await open_pane(at, "inspector")
            seen = []
            for _ in TABS:
                seen.append(inspector(at).tab)
                await at.press("3")
            assert tuple(seen) == TABS
            assert inspector(at).tab == TABS[0]
            await at.press("less_than_sign")
            assert inspector(at).tab == TABS[-1]

    run(test())


def test_a_tab_is_chosen_with_the_mouse() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser", (200, 50)) as at:
            tabs = inspector(at).query_one(Tabs)
            first, _ = tabs.names(tabs.size.width)[:2]
            await at.click(tabs, len(first) + 3, 0)
            assert inspector(at).tab == "Body"

    run(test())


def test_d_compares_with_the_next_moment_and_the_heading_names_it() -> None:
    async def test() -> None:
        async with on_screen(REMOVES, (160, 40)) as at:
            await goto(at, "proxy_remove_header_map_value", nth=1)
            await at.press("s")
            await open_pane(at, "inspector")
            for since in (Since.STOP, Since.STREAM, Since.CALLBACK):
                await at.press("d")
                assert inspector(at).note == f"Δ {since.value}"
                assert one([line for line in at.lines("inspector") if line.startswith("-")], "content-length")

    run(test())


def test_a_tab_with_something_new_has_a_dot() -> None:
    async def test() -> None:
        async with on_screen("rate_limit/browser", (200, 50)) as at:
            await goto(at, "proxy_set_shared_data")
            await at.press("s")
            tabs = inspector(at).query_one(Tabs)
            shown = plain(tabs.made(0, 80))
            assert "Shared•" in shown
            assert "Body•" not in shown
            assert inspector(at).badge == "•"

    run(test())


def test_choosing_an_argument_shows_its_bytes_in_the_memory() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await goto(at, "proxy_http_call")
            await open_pane(at, "inspector")
            inspector(at).choose("Call")
            lines = inspector(at).list.lines
            index = next(i for i in range(len(lines)) if item_at(lines, i).name == "headers")
            inspector(at).list.go(index)
            await at.settle()
            memory = at.pane("memory")
            assert isinstance(memory, Memory)
            assert memory.selected is not None
            assert (memory.selected.at, memory.selected.size) == item_at(lines, index).bytes

    run(test())


def test_w_watches_the_header_under_the_cursor_once() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await goto(at, "proxy_http_call")
            await open_pane(at, "inspector")
            await at.press("home", "down", "w", "w")
            assert at.view.watches == ('headers.request[":authority"]',)
            await at.press("home", "w")
            assert len(at.view.watches) == 1

    run(test())


def test_slash_filters_the_tab_and_the_pane_keeps_the_focus() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser") as at:
            await open_pane(at, "inspector")
            await at.press("s", "slash")
            await at.type("user")
            await at.press("enter")
            assert [line for line in at.lines("inspector") if ":path" in line] == []
            assert at.app.focused is inspector(at).list

    run(test())


def test_the_cursor_in_the_trace_chooses_the_call_that_is_explained() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser", (160, 40)) as at:
            await goto(at, "proxy_http_call")
            inspector(at).choose("Call")
            assert at.lines("inspector")[0] == "proxy_http_call"
            await open_pane(at, "trace")
            await at.press("up")
            assert at.lines("inspector")[0] == "proxy_get_header_map_value"

    run(test())


def test_v_changes_the_form_of_bodies() -> None:
    async def test() -> None:
        async with on_screen(REMOVES, (160, 40)) as at:
            await goto(at, "proxy_on_response_body", Kind.CALLBACK)
            await open_pane(at, "inspector")
            await at.press("v", "v")
            assert inspector(at).form is Form.HEX
            assert [line for line in at.lines("inspector") if line.startswith("0000 ")]

    run(test())


def test_on_a_small_screen_the_inspector_is_a_tab_with_the_action_in_one_line() -> None:
    async def test() -> None:
        async with on_screen("http_auth/browser", (80, 24)) as at:
            await goto(at, "proxy_on_request_headers", Kind.RETURN)
            await open_pane(at, "inspector")
            assert [line for line in at.screen() if line.startswith("on_request_headers returned PAUSE")]

    run(test())


def test_everything_of_a_case_can_be_inspected_at_every_row() -> None:
    for case in ("http_auth/browser", "rate_limit/browser", "response_body/chunks"):
        with standing(inputs_of(case)) as run:
            rows = run.debugger.tape.rows
            before = None
            for index in range(0, len(rows), 5):
                run.debugger.goto(rows.position(index)).result(60)
                sight = run.look()
                state = sight.state
                for since in Since:
                    assert header_items(state, then(state, sight.tape, since, before), 31)
                for items in (property_items, shared_items, metric_items):
                    assert items(state, before, 31)
                assert len(body_lines(state, Form.FITTING, 31))
                assert call_items(sight.tape, sight.stop.position, sight.memory, 31, sight.stop.position)
                assert action_items(state, sight.tape, sight.stop.position, 31)
                before = state
