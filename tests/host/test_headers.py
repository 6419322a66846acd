"""Header maps keep Envoy's rules."""

from __future__ import annotations

from simwasm.host.headers import HeaderMap


def test_names_compare_case_insensitively() -> None:
    headers = HeaderMap([("x-a", "1")])
    assert headers.get("X-A") == "1"
    assert headers.remove("X-a")
    assert headers.entries == ()


def test_the_first_of_several_values_is_the_value() -> None:
    headers = HeaderMap([("x-a", "1"), ("x-a", "2")])
    assert headers.get("x-a") == "1"
    assert headers.all("x-a") == ["1", "2"]


def test_adding_makes_a_second_entry() -> None:
    headers = HeaderMap([("x-a", "1")])
    headers.add("x-a", "2")
    assert headers.entries == (("x-a", "1"), ("x-a", "2"))


def test_adding_to_a_header_with_a_slot_joins_the_values() -> None:
    headers = HeaderMap([("accept", "a")], request=True)
    headers.add("Accept", "b")
    assert headers.entries == (("accept", "a,b"),)


def test_a_response_has_other_slots_than_a_request() -> None:
    headers = HeaderMap([("accept", "a"), ("vary", "a")])
    headers.add("accept", "b")
    headers.add("vary", "b")
    assert headers.entries == (("accept", "a"), ("vary", "a,b"), ("accept", "b"))


def test_cookies_stay_apart() -> None:
    headers = HeaderMap([("cookie", "a=1")], request=True)
    headers.add("cookie", "b=2")
    assert headers.entries == (("cookie", "a=1"), ("cookie", "b=2"))


def test_replacing_leaves_one_value_at_the_end() -> None:
    headers = HeaderMap([("x-a", "1"), ("x-b", "2"), ("x-a", "3")])
    headers.replace("x-a", "4")
    assert headers.entries == (("x-b", "2"), ("x-a", "4"))


def test_removing_what_is_absent_says_so() -> None:
    assert not HeaderMap().remove("x-a")


def test_pseudo_headers_come_first_however_late_they_are_added() -> None:
    headers = HeaderMap([(":method", "GET"), ("x-a", "1")])
    headers.add(":path", "/")
    assert [name for name, _ in headers.entries] == [":method", ":path", "x-a"]


def test_host_is_the_authority_of_a_request() -> None:
    request = HeaderMap([(":authority", "a")], request=True)
    assert request.get("host") == "a"
    assert HeaderMap([(":authority", "a")]).get("host") is None


def test_assigning_removes_everything_first() -> None:
    headers = HeaderMap([(":status", "200"), ("x-a", "1")])
    headers.assign([("X-B", "2"), (":status", "404")])
    assert headers.entries == ((":status", "404"), ("x-b", "2"))


def test_the_size_is_that_of_names_and_values() -> None:
    assert HeaderMap([("x-a", "grüße"), ("b", "")]).byte_size() == 3 + 7 + 1
