"""Places: moments by names, found again on any tape."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from debugging import debugging, inputs_of
from hypothesis import given
from hypothesis import strategies as st

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.places import Place, find_place, place_of
from simwasm.debug.tape import Tape
from simwasm.errors import InputError


@pytest.fixture(scope="module")
def tape() -> Iterator[Tape]:
    with debugging(inputs_of("allow_header/browser")) as debugger:
        yield debugger.tape


def test_every_position_is_found_again_by_its_place(tape: Tape) -> None:
    for position in range(1, len(tape) + 1):
        place = Place.from_json(json.loads(json.dumps(place_of(tape, position).to_json())))
        assert find_place(tape, place) == of_host_call(tape, position)


def of_host_call(tape: Tape, position: int) -> int:
    """The host call whose allocator is at work, if one is; else the position itself."""
    name = tape.entered(position).function.name
    return tape.around(position) if name in ALLOCATORS else position


def test_the_place_of_an_allocator_is_that_of_the_host_call_it_works_for(tape: Tape) -> None:
    names = [tape.entered(position).function.name for position in range(1, len(tape) + 1)]
    begins, ends = (at for at, name in enumerate(names, 1) if name == "proxy_on_memory_allocate" and at < 40)
    place = Place(2, "proxy_on_request_headers", 1, "proxy_get_header_map_value", 1)
    assert place_of(tape, begins) == place
    assert place_of(tape, ends) == place


def test_what_is_not_there_any_more_leads_to_what_is_around_it(tape: Tape) -> None:
    callback = find_place(tape, Place(2, "proxy_on_request_headers", 1))
    assert find_place(tape, Place(2, "proxy_on_request_headers", 1, "proxy_http_call", 1)) == callback
    assert find_place(tape, Place(2, "proxy_on_request_headers", 9)) == callback
    assert find_place(tape, Place(2, "proxy_on_request_trailers", 1)) == tape.spans[1].first
    assert find_place(tape, Place(99)) == tape.spans[0].first


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["exchange", "callback", "nth", "call", "x"]), inner, max_size=3)
    ),
)


@given(JSON)
def test_no_content_of_a_file_is_more_than_an_error(tape: Tape, content: object) -> None:
    try:
        place = Place.from_json(content)
    except InputError:
        return
    assert 0 < find_place(tape, place) <= len(tape)
