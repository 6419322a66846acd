"""The access log line has Istio's fields, each a string."""

from __future__ import annotations

import json

from playbook import Guest, Play, returns

from simwasm.exchange import Exchange, request, response
from simwasm.host.access_log import access_log_line, timestamp
from simwasm.host.outcome import Outcome
from simwasm.host.ports import Failure

KEYS = """authority_for bytes_received bytes_sent downstream_local_address downstream_remote_address duration
istio_policy_status method path protocol request_id requested_server_name response_code response_flags route_name
start_time trace_id upstream_cluster upstream_host upstream_local_address upstream_response_time
upstream_service_time upstream_transport_failure_reason user_agent x_forwarded_for""".split()


def fields(outcome: Outcome) -> dict[str, str]:
    found: dict[str, str] = json.loads(access_log_line(outcome, "outbound|80||shop", "10.0.0.1:80"))
    return found


def test_a_passed_request_names_its_upstream() -> None:
    sent = request("POST", "/p", host="shop.example", headers=[("user-agent", "test")], body=b"12345")
    answer = response(200, body=b"abc", after_ns=7_000_000)
    found = fields(Play(Guest(on_request_headers=returns(0))).run(Exchange("1", 0, sent, answer)))
    assert list(found) == KEYS
    assert all(isinstance(value, str) for value in found.values())
    expected = {
        "authority_for": "shop.example", "bytes_received": "5", "bytes_sent": "3", "duration": "7", "method": "POST",
        "path": "/p", "response_code": "200", "response_flags": "-", "upstream_host": "10.0.0.1:80",
        "upstream_service_time": "7", "user_agent": "test", "upstream_cluster": "outbound|80||shop",
    }  # fmt: skip
    assert expected.items() <= found.items()


def test_a_local_reply_has_no_upstream() -> None:
    def deny(guest: Guest, *args: object) -> int:
        guest.call("send_local_response", 403, "", b"no", (), -1)
        return 1

    found = fields(Play(Guest(on_request_headers=deny)).run(request("GET", "/")))
    assert (found["response_code"], found["upstream_host"], found["bytes_sent"]) == ("403", "-", "2")


def test_flags_tell_a_failed_upstream() -> None:
    refused = Play(Guest(on_request_headers=returns(0)), answer=Failure("connection failure"))
    assert fields(refused.run(request("GET", "/")))["response_flags"] == "UF"


def test_a_time_is_written_with_its_fraction() -> None:
    assert timestamp(1725525211079869000) == "2024-09-05T08:33:31.079869Z"
    assert timestamp(1725525211079869000, digits=3) == "2024-09-05T08:33:31.079Z"


def test_a_time_beyond_all_dates_is_the_last_one() -> None:
    assert timestamp(10**21) == "9999-12-31T23:59:59.000000Z"
