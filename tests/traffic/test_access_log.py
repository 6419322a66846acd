"""Lines of access logs become exchanges of which little is known; other lines of the proxy are left out."""

from __future__ import annotations

import io
import json

import pytest

from simwasm.errors import TrafficError
from simwasm.exchange import Connection, Exchange, request, response
from simwasm.traffic.access_log import AccessLog
from simwasm.traffic.access_log_writing import AccessLogWriter
from simwasm.traffic.notes import Notes, telling

LOGGED = {
    "authority": "httpbin:8000",
    "bytes_received": 0,
    "bytes_sent": 13,
    "connection_termination_details": None,
    "downstream_local_address": "10.1.0.9:80",
    "downstream_remote_address": "10.1.0.7:41234",
    "duration": 7,
    "method": "GET",
    "path": "/status/418?a=1",
    "protocol": "HTTP/2",
    "request_id": "d5250d1a",
    "requested_server_name": None,
    "response_code": 418,
    "response_flags": "-",
    "start_time": "2024-09-05T08:33:31.079Z",
    "upstream_cluster": "inbound|80||",
    "upstream_host": "10.1.0.9:80",
    "upstream_service_time": "5",
    "user_agent": "curl/8.9.0",
    "x_forwarded_for": "10.1.0.1",
}
ISTIO = (
    '[2024-09-05T08:33:31.079Z] "GET /status/418?a=1 HTTP/2" 418 - via_upstream - "-" 0 13 7 5 "10.1.0.1" '
    '"curl/8.9.0" "d5250d1a" "httpbin:8000" "10.1.0.9:80" inbound|80|| 127.0.0.6:4 10.1.0.9:80 10.1.0.7:41234 - default'
)
ENVOY = (
    '[2024-09-05T08:33:31.079Z] "GET /status/418?a=1 HTTP/2" 418 - 0 13 7 5 "10.1.0.1" "curl/8.9.0" "d5250d1a" '
    '"httpbin:8000" "10.1.0.9:80"'
)
PROXY = "2024-09-05T08:33:30.000001Z\tinfo\tEnvoy proxy is ready"


def logged(**other: object) -> str:
    return json.dumps(LOGGED | other)


def read(*lines: str, notes: list[str] | None = None) -> list[Exchange]:
    heard: list[str] = [] if notes is None else notes
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    return list(AccessLog().read(io.BytesIO(data), "a.log", Notes(heard.append)))


def one(**other: object) -> Exchange:
    (exchange,) = read(logged(**other))
    return exchange


@pytest.mark.parametrize("line", [logged(), ISTIO], ids=["JSON", "text"])
def test_a_line_becomes_the_exchange_of_which_it_tells(line: str) -> None:
    (exchange,) = read(line)
    assert exchange.request.headers == (
        (":authority", "httpbin:8000"),
        (":path", "/status/418?a=1"),
        (":method", "GET"),
        (":scheme", "http"),
        ("user-agent", "curl/8.9.0"),
        ("x-forwarded-for", "10.1.0.1"),
        ("x-request-id", "d5250d1a"),
    )
    assert exchange.response == response(418, after_ns=5_000_000)
    assert exchange.started_ns == 1725525211_079000000
    assert exchange.connection == Connection(1, "10.1.0.7:41234", "10.1.0.9:80", "HTTP/2")
    assert exchange.partial


def test_envoys_own_text_is_read_too() -> None:
    (exchange,) = read(ENVOY)
    assert (exchange.label, exchange.request.header(":authority")) == ("GET /status/418?a=1", "httpbin:8000")


def test_members_of_older_versions_are_texts_and_have_other_names() -> None:
    older = {"authority_for": "old", "response_code": "418", "requested_server_name": "-"}
    lines = json.dumps({name: value for name, value in LOGGED.items() if name != "authority"} | older)
    (exchange,) = read(lines)
    assert exchange.request.header(":authority") == "old"
    assert exchange.response is not None


@pytest.mark.parametrize("absent", ["-", None])
def test_what_is_absent_is_not_made_up(absent: str | None) -> None:
    names = [name for name, _ in one(user_agent=absent, request_id=absent).request.headers]
    assert "user-agent" not in names
    assert "x-request-id" not in names


@pytest.mark.parametrize("absent", ["-", None])
def test_an_answer_that_no_upstream_gave_is_not_the_upstreams(absent: str | None) -> None:
    assert one(upstream_host=absent).response is None


def test_nothing_was_answered_where_the_client_left() -> None:
    assert one(response_code=0).response is None


def test_a_server_name_stands_for_tls() -> None:
    exchange = one(requested_server_name="shop.example")
    assert exchange.connection.tls is not None
    assert exchange.request.header(":scheme") == "https"


def test_other_lines_and_tcp_connections_are_counted_and_partial_is_told_once() -> None:
    notes: list[str] = []
    lines = read(PROXY, "", logged(), '{"level": "info"}', logged(method=None), logged(), notes=notes)
    assert [exchange.id for exchange in lines] == ["3", "6"]
    assert notes == [
        "a.log: 2 lines are no entries of an access log; left out (first: line 1)",
        "a.log: 1 entry is of TCP connections or of no request; left out (first: line 5)",
        "a.log: 2 exchanges are partial: an access log has few headers and no bodies (first: line 3)",
    ]


@pytest.mark.parametrize(
    "line",
    [
        f"2024-09-05T08:33:31.1+02:00 stdout F {logged()}",
        json.dumps({"log": f"{logged()}\n", "stream": "stdout", "time": "2024"}),
    ],
    ids=["containerd", "docker"],
)
def test_what_the_runtime_of_a_container_adds_is_taken_off(line: str) -> None:
    assert read(line)[0].label == "GET /status/418?a=1"


BROKEN = {
    logged()[:-20]: "is cut",
    ISTIO[:90]: "begins like an entry of an access log, but does not go on like one; is it cut?",
    logged(method="GET /"): '"GET /" is not an HTTP method',
    logged(path="/\r\n"): ":path holds a character that no HTTP header can",
    logged(path="/\ud800"): ":path holds a character that no HTTP header can",
    logged().replace("{", '{"path": "/other", ', 1): 'the key "path" is given twice in one object',
    logged().replace("{", "{!"): "not JSON at column 2: Expecting property name enclosed in double quotes",
}


@pytest.mark.parametrize(("line", "what"), BROKEN.items(), ids=list(BROKEN.values()))
def test_a_broken_line_is_told_and_the_others_are_read(line: str, what: str) -> None:
    broken: list[str] = []
    data = "\n".join([logged(), line, logged()]).encode()
    found = AccessLog().read(io.BytesIO(data), "a.log", Notes(broken=lambda error: broken.append(str(error))))
    assert [exchange.id for exchange in found] == ["1", "3"]
    assert broken == [f"a.log, line 2: {what}; mend the line by hand"]


def test_a_log_without_an_entry_is_an_error() -> None:
    with pytest.raises(TrafficError, match=r"a.log: has no entry .* is access logging on\?"):
        read(PROXY)


def test_times_that_do_not_come_back_as_they_were_are_told() -> None:
    notes: list[str] = []
    times = (1_700_000_000_001_000_001, 10**30)
    made = [Exchange("1", time_ns, request("GET", "/")) for time_ns in times]
    AccessLogWriter().write(made, io.BytesIO(), telling(notes.append))
    assert notes == [
        "1 exchange: fractions of milliseconds (an access log has no place for it), #1",
        "1 exchange: when they began (an access log has no place for it), #1",
    ]


@pytest.mark.parametrize(
    ("head", "yes"),
    [
        (logged(), True),
        (ISTIO[:60], True),
        (PROXY, True),
        ("[2024-09-05 08:33:30.079][1][info][main] [source/server.cc:1] starting\n", True),
        ("hello\n" + logged(), True),
        ("# A page\n\nwith a log in it:\n\n" + PROXY, False),
        ('{"level": "info"}\n' * 4 + logged(), True),
        ("2024-09-05T08:33:30.079Z stdout F " + PROXY, True),
        ('{"name": "login"}', False),
        ("hello", False),
        ('{"simwasm": "traffic", "format": 1}', False),
    ],
)
def test_an_access_log_is_recognised_by_a_line_near_its_beginning(head: str, yes: bool) -> None:
    assert AccessLog().sniff(head.encode()) is yes


def test_what_is_written_is_read_back_and_what_is_lost_is_told() -> None:
    notes: list[str] = []
    stream = io.BytesIO()
    (entry,) = read(logged())
    full = Exchange("2", 0, request("POST", "/é", body=b"x"), response(200, body=b"y"))
    AccessLogWriter().write([entry, full], stream, telling(notes.append))
    first, second = read(stream.getvalue().decode())
    assert first == entry
    assert second.label == "POST /é"
    assert notes == [
        "1 exchange: bodies (an access log has no place for it), #2",
        "1 exchange: headers, but for a few of the request (an access log has no place for it), #2",
    ]
