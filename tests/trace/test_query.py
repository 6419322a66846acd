"""The filter language: its grammar, its terms on rows of real plugins, and what is said when it is not understood."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tapes import record, tape_of
from wat import callback, plugin

from simwasm.debug.conditions import OnTape, matching_rows
from simwasm.debug.tape import Tape
from simwasm.errors import InputError
from simwasm.exchange import Exchange, request
from simwasm.trace.query import TERMS, QueryError, compile, complete, parse
from simwasm.trace.query.complete import reference
from simwasm.trace.query.names import HOST_NAMES, functions, short
from simwasm.trace.query.syntax import OPERATORS, All, Any, Comparison, Node, Not, Text
from simwasm.trace.query.terms import NAMED
from simwasm.trace.rows import Row

HTTP_AUTH = "http_auth/browser"


def found(text: str, tape: Tape) -> list[Row]:
    """The rows that a filter means."""
    query, around = compile(text), OnTape(tape)
    return [row for row in rows(tape) if query(row, around)]


def rows(tape: Tape) -> Iterator[Row]:
    """All rows of a tape."""
    return (tape.rows[index] for index in range(len(tape.rows)))


def called(text: str, id: str = HTTP_AUTH) -> set[str]:
    """The functions on the rows that a filter means."""
    return {short(row.entered.function.name) for row in found(text, tape_of(id))}


# The grammar.

words = st.from_regex(r"[a-z/*.:-][a-z0-9_/*.-]{0,6}", fullmatch=True).filter(
    lambda word: word not in ("and", "or", "not") and word[1:2] != ":" and ":" not in word[1:] and word != ":"
)
values = st.text(st.sampled_from("ab*\"'\\()[] =~<!:\n\té"), max_size=8)
comparisons = st.builds(
    Comparison, st.from_regex(r"[a-z][a-z.]{0,5}", fullmatch=True), st.sampled_from(OPERATORS), values
)
leaves = comparisons | st.builds(Text, words) | st.builds(Text, values, st.just(True))
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Any, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


@given(trees)
def test_a_tree_that_is_printed_and_parsed_is_the_same_tree(tree: Node) -> None:
    assert parse(str(tree)) == tree


@given(st.text(st.sampled_from("ab ()!\"'~:=<>\\ornotand.\n"), max_size=30))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    try:
        tree = parse(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert parse(str(tree)) == tree


@given(st.sampled_from([*TERMS, *NAMED.values()]), st.sampled_from(OPERATORS), st.text(max_size=5))
def test_whatever_a_term_is_compared_with_is_a_query_or_a_query_error(
    term: object, operator: str, value: str
) -> None:
    node = Comparison(term.name, operator, value)  # type: ignore[attr-defined]  # a Term
    tape = tape_of(HTTP_AUTH)
    try:
        query = compile(str(node))
    except QueryError:
        return
    assert set(matching_rows(query, tape)) <= {row.position for row in rows(tape)}


def test_a_space_is_an_and_which_binds_closer_than_or() -> None:
    assert parse("a b or not c") == Any((All((Text("a"), Text("b"))), Not(Text("c"))))
    assert parse("a and (b or !c)") == All((Text("a"), Any((Text("b"), Not(Text("c"))))))


def test_a_value_may_hold_the_parentheses_of_a_regular_expression() -> None:
    assert parse("(key~^(a|b)$)") == Comparison("key", "~", "^(a|b)$")


def test_spaces_may_stand_around_an_operator() -> None:
    assert parse("status != OK") == parse("status!=OK")


@pytest.mark.parametrize("text", ["(" * 100_000, "!" * 100_000, "not " * 100_000 + "a", "(a " * 50_000])
def test_a_filter_that_is_nested_too_deeply_is_an_error(text: str) -> None:
    with pytest.raises(QueryError, match="around one another"):
        compile(text)


def test_a_filter_may_be_long() -> None:
    assert not found(" or ".join(["nothing_is_called_so"] * 5_000), tape_of(HTTP_AUTH))


@pytest.mark.parametrize(
    ("text", "said", "position"),
    [
        ("statsu:OK", "unknown term `statsu`: did you mean `status`?", 0),
        ("a status:NOTFUND", "`status` is never `NOTFUND`: did you mean `NOT_FOUND`?", 9),
        ("call:get_heder", "the ABI has no function `get_heder`: did you mean `get_header`?", 5),
        ("arg.lvel:1", "unknown term `arg.lvel`: did you mean `arg.level`?", 0),
        ("dur>5", "`dur` is compared with a number, as in `dur>1ms`", 4),
        ("key<b", "`key` has no order: use `:`, `=` or `~`", 0),
        ("key~[", "this regular expression cannot be used", 4),
        ("key:", "a value is missing after `key:`", 4),
        ("(a", "this parenthesis is not closed: add `)`", 0),
        ("a)", "`)` is not expected here", 1),
        ("a or", "something is missing at the end", 4),
        ('"a', 'this text has no end: add `"`', 0),
        ("=5", "a term's name is missing before `=`", 0),
        ("http://a", "Put it in quotes", 0),
    ],
)
def test_an_error_says_what_is_wrong_and_where(text: str, said: str, position: int) -> None:
    with pytest.raises(QueryError) as caught:
        compile(text)
    assert said in str(caught.value)
    assert caught.value.position == position
    assert isinstance(caught.value, InputError)


# The terms.


def test_an_empty_filter_means_every_row() -> None:
    tape = tape_of(HTTP_AUTH)
    assert len(found("", tape)) == len(tape.rows)


def test_the_example_of_every_term_is_a_query() -> None:
    for term in TERMS:
        assert compile(term.example)
        assert term.name in term.example


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("get_header", {"proxy_get_header_map_value"}),
        ("proxy_log", {"proxy_log"}),
        ("log", {"proxy_log"}),
        ("on_request_headers", {"proxy_on_request_headers"}),
        ("on_http_request_headers", {"proxy_on_request_headers"}),
        ("OnHttpRequestHeaders", {"proxy_on_request_headers"}),
        ("on_http_call_response", {"proxy_on_http_call_response"}),
        ("*_shared_data", {"proxy_get_shared_data", "proxy_set_shared_data"}),
        ("header_map_size", {"proxy_get_header_map_size"}),
        ("nothing", set()),
    ],
)
def test_functions_are_found_by_forgiving_names(written: str, meant: set[str]) -> None:
    assert functions(written) == meant


@given(st.sampled_from(HOST_NAMES))
def test_a_function_is_found_by_its_own_name_and_is_then_the_only_one(name: str) -> None:
    assert functions(name) == {name}


def test_the_allocator_is_meant_only_where_it_is_named() -> None:
    assert "proxy_on_memory_allocate" in {row.entered.function.name for row in rows(tape_of(HTTP_AUTH))}
    assert "on_memory_allocate" not in called("call:*") | called("callback")
    assert called("call:on_memory_alloc*") == called("call:memory_allocate") == {"on_memory_allocate"}


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ("call:get_header map:req key~auth", {"get_header_map_value"}),
        ("map:resp", set()),
        ("header:authorization status:not_found", {"get_header_map_value"}),
        ("header:AUTHORIZATION status:1", {"get_header_map_value"}),
        ("upstream:auth", {"http_call"}),
        ("upstream:a*h arg.timeout_ms>=1KiB", set()),
        ("upstream:a*h arg.timeout_ms=1000", {"http_call"}),
        ("ret:Pause", {"on_request_headers"}),
        ("kind:return ret:false", set()),
        ("in:on_http_call_response host:*", {"get_header_map_value", "continue_stream", "log",
                                             "send_local_response", "set_effective_context"}),
        ("log:ANSWERED log~40\\d$", {"log"}),
        ("level>=INFO", {"log"}),
        ("level<info", set()),
        ("trap", set()),
        ("phase:callout depth<1", {"on_http_call_response"}),
        ("value~Bearer call:http_call", {"http_call"}),
        ("out.call_id=4", {"http_call"}),
        ("vm:http_auth exchange:2 method:GET path:/get* call:http_call", {"http_call"}),
        ("vm!=http_auth", set()),
        ("does:write", {"send_local_response"}),
        ("does:read in:on_request_headers", {"get_header_map_value"}),
        ("exchange>3", set()),
    ],
)  # fmt: skip
def test_a_term_means_the_rows_that_it_says(text: str, functions: set[str]) -> None:
    got = called(text)
    assert got <= functions
    assert bool(got) == bool(functions)


def test_what_a_row_does_not_have_fits_nothing() -> None:
    tape = tape_of(HTTP_AUTH)
    with_status = len(found("status:OK", tape)) + len(found("status!=OK", tape))
    assert with_status == sum(row.entered.function.errors is not None for row in rows(tape))
    assert len(found("not status:OK", tape)) > len(found("status!=OK", tape))


def test_of_several_values_one_is_enough_and_none_may_be_the_unwanted() -> None:
    assert called("call:http_call header:authorization exchange:1") == {"http_call"}
    assert called("call:http_call header!=authorization exchange:1") == set()


def test_a_regular_expression_looks_at_the_case_only_if_it_has_capitals() -> None:
    assert called("value~^bearer") == called("value~^Bearer") != set()
    assert called("value~^BEARER") == set()


def test_a_bare_word_is_looked_for_in_names_arguments_and_results() -> None:
    assert called("let-me-in") >= {"http_call", "get_header_map_value"}
    assert called('"LET-ME-IN"') == called("let-me-in")
    assert called("http_call") >= {"http_call", "on_http_call_response"}


def test_a_callback_has_its_result_on_the_row_where_it_ends() -> None:
    assert {row.kind.name for row in found("ret:Pause", tape_of(HTTP_AUTH))} == {"RETURN"}


def test_a_trap_is_found_by_its_kind_and_is_a_problem() -> None:
    traps = plugin(callback("proxy_on_request_headers", "unreachable"))
    tape = record([traps], [Exchange("1", 0, request("GET", "/"))])
    assert [row.kind.name for row in found("trap", tape)] == ["TRAP"]
    assert found("trap", tape) == found("trap:unreachable", tape) == found("problem:error", tape)
    assert not found("trap:fuel", tape)


def test_a_query_knows_whether_it_needs_a_call_to_have_ended() -> None:
    assert compile("status!=OK").ends
    assert not compile("call:log level>=WARN").ends
    assert [query.ends for query in compile("on_log or trap").alternatives] == [True, True]
    assert [query.ends for query in compile("call:log or trap").alternatives] == [False, True]


@given(st.sampled_from([term.example for term in TERMS]), st.sampled_from([term.example for term in TERMS]))
def test_what_is_asked_of_events_and_of_rows_has_one_answer(one: str, other: str) -> None:
    tape = tape_of("rate_limit/tap")
    for text in (one, f"{one} or {other}", f"{one} {other}", f"not {one}"):
        assert list(matching_rows(compile(text), tape)) == [row.position for row in found(text, tape)]


# Completion and help.


def test_terms_are_offered_and_then_their_values() -> None:
    assert [each.text for each in complete("sta")] == ["status:"]
    offered = complete("trap or status!=not")
    assert (offered[0].text, offered[0].start) == ("NOT_FOUND", 16)
    assert complete("call:on_req")[0].text == "on_request_headers"
    assert [each.text for each in complete("arg.timeo")] == ["arg.timeout_ms:"]
    assert [each.text for each in complete("(ke")] == ["key:"]


def test_the_cursor_says_what_is_completed() -> None:
    assert [each.text for each in complete("sta map:req", 3)] == ["status:"]


def test_everything_that_is_offered_as_a_value_is_one() -> None:
    for term in TERMS:
        for candidate in complete(f"{term.name}:"):
            compile(f"{term.name}:{candidate.text}")


def test_the_reference_has_every_term() -> None:
    lines = reference().splitlines()
    assert len(lines) == len(TERMS) + 2
    assert all(term.example in line and term.doc in line for term, line in zip(TERMS, lines, strict=False))
