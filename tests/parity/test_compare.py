"""A difference is found, and told so that it can be acted on; what may differ is not one."""

from __future__ import annotations

from dataclasses import replace

from simwasm.exchange import Exchange, Headers, Message, request, response
from simwasm.parity.account import Account, Inside, Seen
from simwasm.parity.client import End
from simwasm.parity.compare import compare
from simwasm.parity.log import Crossing, Direction, PluginLog

NOTHING = Inside((), ())
EXCHANGE = Exchange("1", 0, request("GET", "/"), name="a page")


def call(function: str, *words: int, result: int | None = 0, depth: int = 0) -> Crossing:
    return Crossing(Direction.TO_HOST, "env", function, words, result, None, depth, 0)


def account(
    client: Message | None = None,
    crossings: tuple[Crossing, ...] = (),
    logs: tuple[PluginLog, ...] = (),
    end: End = End.COMPLETE,
) -> Account:
    """A run of one exchange."""
    seen = Seen(EXCHANGE, end, client or response(200), (), (), Inside(crossings, logs))
    return Account(0, NOTHING, (seen,), NOTHING)


def answered(*headers: tuple[str, str]) -> Account:
    return account(response(200, headers=headers))


def told(simwasm: Account, envoy: Account) -> list[str]:
    """All differences, as one reads them."""
    return [line for difference in compare(simwasm, envoy) for line in str(difference).splitlines()]


def test_equal_accounts_have_no_difference() -> None:
    assert compare(account(), account()) == ()


def test_a_difference_names_the_exchange_and_shows_both_sides() -> None:
    assert told(answered(("x-a", "1")), answered(("x-a", "2"))) == [
        "#1 a page: client response (- simwasm, + Envoy)",
        "     :status: 200",
        "    -x-a: 1",
        "    +x-a: 2",
        "     ended: complete",
    ]


def test_the_order_of_headers_counts() -> None:
    one, two = ("x-a", "1"), ("x-b", "2")
    assert told(answered(one, two), answered(two, one)) != []


def test_the_end_of_an_answer_counts() -> None:
    assert "    +ended: reset" in told(account(), account(end=End.RESET))


def test_dates_and_request_ids_may_differ() -> None:
    def at(second: int, digit: str) -> Headers:
        uuid = f"{digit * 8}-1111-4111-8111-111111111111"
        return ("date", f"Sat, 21 Nov 2026 07:00:{second} GMT"), ("x-request-id", uuid)

    assert told(answered(*at(10, "a")), answered(*at(59, "b"))) == []


def test_a_malformed_date_is_a_difference() -> None:
    assert "    -date: yesterday" in told(
        answered(("date", "yesterday")), answered(("date", "Sat, 21 Nov 2026 07:00:00 GMT"))
    )


def test_a_missing_date_is_a_difference() -> None:
    assert "    +date: <the time of the answer>" in told(
        answered(), answered(("date", "Sat, 21 Nov 2026 07:00:00 GMT"))
    )


def test_one_word_of_a_crossing_counts() -> None:
    assert told(
        account(crossings=(call("proxy_log", 2, 1024, 5, depth=1),)),
        account(crossings=(call("proxy_log", 2, 1024, 6, depth=1),)),
    ) == [
        "#1 a page: crossings (- simwasm, + Envoy)",
        "    -  proxy_log(2, 1024, 5) -> 0",
        "    +  proxy_log(2, 1024, 6) -> 0",
    ]


def test_the_result_of_a_crossing_counts() -> None:
    calls = (call("proxy_log", 2, 1024, 5),), (call("proxy_log", 2, 1024, 5, result=2),)
    assert told(*(account(crossings=crossings) for crossings in calls)) != []


def test_how_often_the_monotonic_clock_is_asked_does_not_count() -> None:
    monotonic = call("clock_time_get", 1, 0, 1024)
    assert told(account(crossings=(monotonic, monotonic)), account(crossings=(monotonic,))) == []


def test_how_often_the_wall_clock_is_asked_counts() -> None:
    wall = call("clock_time_get", 0, 0, 1024)
    assert told(account(crossings=(wall, wall)), account(crossings=(wall,))) != []


def test_a_log_line_counts_with_its_level_and_its_source() -> None:
    line = PluginLog("info", "name root", "hello", 0)
    for other in (replace(line, level="warning"), replace(line, source="name"), replace(line, text="bye")):
        assert told(account(logs=(line,)), account(logs=(other,))) != []
