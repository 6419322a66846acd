"""HAR entries become what Envoy's codec would have handed over; what is wrong is told with its place."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from simwasm.errors import TrafficError
from simwasm.exchange import Chunk, Exchange, Headers
from simwasm.traffic.connections import Numbers
from simwasm.traffic.har import Har
from simwasm.traffic.notes import Notes

Json = dict[str, Any]


def har(*entries: object) -> bytes:
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": list(entries)}}).encode()


def entry(request: Json | None = None, response: Json | None = None, **rest: object) -> Json:
    asked = {"method": "GET", "url": "http://httpbin/status/418", "httpVersion": "HTTP/1.1", "headers": []}
    answered = {"status": 200, "headers": [], "content": {"size": 0}}
    return {"request": {**asked, **(request or {})}, "response": {**answered, **(response or {})}, **rest}


def headers(**named: str) -> list[Json]:
    return [{"name": name.replace("_", "-"), "value": value} for name, value in named.items()]


def read(data: bytes, notes: list[str] | None = None) -> list[Exchange]:
    heard: list[str] = [] if notes is None else notes
    return list(Har().read(io.BytesIO(data), "login.har", Notes(heard.append)))


def one(request: Json | None = None, response: Json | None = None, **rest: object) -> Exchange:
    (exchange,) = read(har(entry(request, response, **rest)))
    return exchange


def plain(found: Headers) -> Headers:
    return tuple(header for header in found if not header[0].startswith(":"))


def test_an_http1_request_gets_pseudo_headers_from_its_url_and_host() -> None:
    request = one(
        {"url": "http://10.0.0.1:8080/get?a=1#top", "headers": headers(Host="httpbin", Allow="true")}
    )
    assert request.request.headers == (
        (":authority", "httpbin"),
        (":path", "/get?a=1"),
        (":method", "GET"),
        (":scheme", "http"),
        ("allow", "true"),
    )


def test_recorded_pseudo_headers_are_kept_in_their_order() -> None:
    pseudo = [(":method", "GET"), (":authority", "shop"), (":scheme", "https"), (":path", "/cart")]
    recorded = [{"name": name, "value": value} for name, value in pseudo]
    exchange = one({"url": "https://shop/cart", "httpVersion": "h2", "headers": recorded})
    assert exchange.request.headers == tuple(pseudo)
    assert exchange.connection.protocol == "HTTP/2"


def test_an_http2_request_recorded_without_pseudo_headers_gets_them_too() -> None:
    exchange = one({"url": "https://shop/cart", "httpVersion": "HTTP/2", "headers": headers(Host="shop")})
    assert [name for name, _ in exchange.request.headers] == [":authority", ":path", ":method", ":scheme"]


@pytest.mark.parametrize(
    ("recorded", "protocol"),
    [
        ("http/2.0", "HTTP/2"),
        ("h3", "HTTP/3"),
        ("HTTP/1.0", "HTTP/1.0"),
        ("unknown", "HTTP/1.1"),
        ("", "HTTP/1.1"),
    ],
)
def test_the_protocol_is_spelled_as_envoy_does(recorded: str, protocol: str) -> None:
    assert one({"httpVersion": recorded}).connection.protocol == protocol


def test_an_unknown_protocol_with_recorded_pseudo_headers_is_http2() -> None:
    recorded = [{"name": ":method", "value": "GET"}]
    assert one({"httpVersion": "unknown", "headers": recorded}).connection.protocol == "HTTP/2"


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://httpbin", "httpbin", "/"),
        ("http://httpbin?x=1", "httpbin", "/?x=1"),
        ("http://ann:secret@httpbin/", "httpbin", "/"),
        ("http://[::1]:80/a//b", "[::1]:80", "/a//b"),
        ("/only/a/path", "", "/only/a/path"),
        ("HTTP://Httpbin/ż", "Httpbin", "/ż"),
    ],
)
def test_an_address_is_taken_apart_without_being_changed(url: str, authority: str, path: str) -> None:
    request = one({"url": url}).request
    assert (request.header(":authority"), request.header(":path")) == (authority, path)


def test_a_repeated_header_stays_repeated() -> None:
    twice = [{"name": "Accept", "value": "a"}, {"name": "accept", "value": "b"}]
    assert plain(one({"headers": twice}).request.headers) == (("accept", "a"), ("accept", "b"))


def test_values_joined_with_newlines_are_taken_apart() -> None:
    exchange = one(None, {"headers": headers(Set_Cookie="a=1\nb=2")})
    assert exchange.response is not None
    assert plain(exchange.response.headers) == (("set-cookie", "a=1"), ("set-cookie", "b=2"))


def test_the_text_of_a_posted_body_is_sent_and_measured() -> None:
    posted = {"mimeType": "application/json", "text": '{"name": "Żaneta"}'}
    request = one({"method": "POST", "postData": posted, "headers": headers(Content_Length="3")}).request
    assert request.body == (Chunk('{"name": "Żaneta"}'.encode()),)
    assert request.header("content-length") == "19"


def test_a_form_kept_only_as_fields_is_written_out() -> None:
    fields = [{"name": "user", "value": "ann b"}, {"name": "q", "value": "a&b"}]
    posted = {"mimeType": "application/x-www-form-urlencoded", "params": fields}
    assert one({"method": "POST", "postData": posted}).request.data == b"user=ann+b&q=a%26b"


def test_a_multipart_form_kept_only_as_fields_is_written_out() -> None:
    file = {"name": "photo", "value": "PNG", "fileName": "me.png", "contentType": "image/png"}
    posted = {"mimeType": "multipart/form-data; boundary=xyz", "params": [{"name": "a", "value": "1"}, file]}
    assert one({"method": "POST", "postData": posted}).request.data == (
        b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--xyz\r\nContent-Disposition: form-data; name="photo"; filename="me.png"\r\n'
        b"Content-Type: image/png\r\n\r\nPNG\r\n--xyz--\r\n"
    )


def test_a_compressed_response_is_replayed_decoded_and_says_so() -> None:
    recorded = headers(Content_Type="text/plain", Content_Encoding="gzip", Content_Length="25", Vary="x")
    response = one(None, {"headers": recorded, "content": {"size": 5, "text": "hello"}}).response
    assert response is not None
    assert response.data == b"hello"
    assert plain(response.headers) == (("content-type", "text/plain"), ("content-length", "5"), ("vary", "x"))


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 204), ("GET", 101)])
def test_a_response_without_a_body_by_definition_keeps_its_headers(method: str, status: int) -> None:
    recorded = headers(Content_Encoding="gzip", Content_Length="25")
    response = one({"method": method}, {"status": status, "headers": recorded}).response
    assert response is not None
    assert response.body == ()
    assert plain(response.headers) == (("content-encoding", "gzip"), ("content-length", "25"))


def test_a_base64_body_is_decoded() -> None:
    content = {"size": 4, "encoding": "base64", "text": base64.encodebytes(b"\x00\xff\xfe!" * 30).decode()}
    response = one(None, {"content": content}).response
    assert response is not None
    assert response.data == b"\x00\xff\xfe!" * 30


def test_text_is_encoded_as_its_media_type_says() -> None:
    content = {"size": 1, "mimeType": "text/plain", "text": "ä"}
    latin = headers(Content_Type="text/plain; charset=iso-8859-1")
    response = one(None, {"headers": latin, "content": content}).response
    assert response is not None
    assert response.data == b"\xe4"


@pytest.mark.parametrize("charset", ["klingon", "ascii", "rot13", "hex", "undefined", "a.b"])
def test_text_that_does_not_fit_its_charset_is_utf8(charset: str) -> None:
    content = {"size": 1, "mimeType": f"text/plain; charset={charset}", "text": "ä"}
    response = one(None, {"content": content}).response
    assert response is not None
    assert response.data == "ä".encode()


def test_half_a_surrogate_pair_becomes_what_a_browser_would_send() -> None:
    content = {"size": 1, "text": "a\ud800b"}
    response = one(None, {"content": content}).response
    assert response is not None
    assert response.data == "a\ufffdb".encode()


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2024-09-05T08:33:31.079Z", 1725525211_079000000),
        ("2024-09-05T10:33:31.0798691+02:00", 1725525211_079869100),
        ("2024-09-05T03:03:31-0530", 1725525211_000000000),
        ("1969-12-31T23:59:59.5Z", -500000000),
    ],
)
def test_the_start_is_read_to_the_nanosecond(text: str, ns: int) -> None:
    assert one(startedDateTime=text).started_ns == ns


def test_times_become_the_delay_of_the_answer_and_of_its_body() -> None:
    timings = {"send": 1, "wait": 12.345, "receive": 0.5, "blocked": -1}
    response = one(None, {"content": {"text": "x"}}, timings=timings).response
    assert response is not None
    assert (response.after_ns, response.body[0].after_ns) == (12_345_000, 500_000)


def test_a_phase_that_does_not_apply_takes_no_time() -> None:
    response = one(timings={"wait": -1, "receive": -1}).response
    assert response is not None
    assert response.after_ns == 0


def test_tls_and_the_server_name_come_from_the_address() -> None:
    details = {"protocol": "TLS 1.2"}
    recorded = entry(
        {"url": "https://shop.example:8443/"}, serverIPAddress="2001:db8::1", _securityDetails=details
    )
    connection = read(har(recorded))[0].connection
    assert connection.requested_server_name == "shop.example"
    assert connection.destination == "[2001:db8::1]:8443"
    assert connection.tls is not None
    assert connection.tls.tls_version == "TLSv1.2"


@pytest.mark.parametrize("literal", ["127.0.0.1", "[::1]"])
def test_an_address_literal_is_no_server_name(literal: str) -> None:
    assert one({"url": f"https://{literal}/"}).connection.requested_server_name == ""


def test_entries_of_one_connection_share_its_number() -> None:
    shared = [entry(connection="17"), entry(connection="20"), entry(connection="17"), entry(), entry()]
    assert [exchange.connection.id for exchange in read(har(*shared))] == [1, 2, 1, 3, 4]


def test_cookies_that_are_only_listed_are_sent() -> None:
    listed = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    assert one({"cookies": listed}).request.header("cookie") == "a=1; b=2"
    assert one({"cookies": listed, "headers": headers(Cookie="x=1")}).request.header("cookie") == "x=1"


def test_websocket_messages_are_told() -> None:
    notes: list[str] = []
    read(har(entry(None, {"status": 101}, _webSocketMessages=[{}, {}])), notes)
    assert notes == [
        "login.har, entry 1: 2 WebSocket messages are not replayed: what a filter sees is the upgrade"
    ]


def broken_entries(data: bytes) -> tuple[list[str], list[str]]:
    """The ids of what can be read, and what is told of the rest."""
    broken: list[str] = []
    found = Har().read(io.BytesIO(data), "a.har", Notes(broken=lambda error: broken.append(str(error))))
    return [exchange.id for exchange in found], broken


SPOILT = {
    "no JSON": (b'"url": ', b'"url" ', "entry 2: not JSON at line 1, column "),
    "an open quote": (b'"GET"', b'"GET', "entry 2: not JSON at line 1, column "),
    "a key twice": (b'"url":', b'"url": 1, "url":', 'entry 2: not JSON that can be used: the key "url" is given twice'),
    "bytes that are no text": (b"GET", b"\xff", "entry 2: not UTF-8 text at line 1, column "),
    "another type": (b'"GET"', b"5", "entry 2: request.method must be text, but is a number: 5"),
    "nothing": (b'"GET"', b"", "entry 2: not JSON at line 1, column "),
    "nested deeply": (b'"GET"', b"[" * 200_000, "entry 2: nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "what"), SPOILT.values(), ids=list(SPOILT))
def test_a_broken_entry_is_told_and_the_next_are_read(old: bytes, new: bytes, what: str) -> None:
    parts = har(entry(), entry(), entry()).split(old)
    ids, broken = broken_entries(old.join(parts[:2]) + new + old.join(parts[2:]))
    assert ids == ["1", "3"]
    assert broken[0].startswith(f"a.har, {what}")


def test_a_file_that_is_cut_gives_the_entries_before_the_cut() -> None:
    data = har(entry(), entry(), entry())[:-100]
    ids, broken = broken_entries(data)
    assert ids == ["1", "2"]
    assert broken == [
        f"a.har, entry 3: is cut at line 1, column {len(data) + 1}, after {len(data)} bytes; "
        "record it again or mend it by hand"
    ]


def test_what_else_a_har_holds_may_stand_anywhere() -> None:
    pages = [{"id": "page_1", "title": "x" * 2_000_000}]
    whole = {
        "_about": {"log": 1},
        "log": {"pages": pages, "entries": [entry()], "version": "1.2", "comment": ""},
        "end": [],
    }
    assert len(read(json.dumps(whole).encode())) == 1


def test_entries_of_any_size_are_read_where_the_window_ends() -> None:
    sizes = [1, 300_000, 524_288, 1_500_000, 7]
    entries = [entry(None, {"content": {"text": "ż" * size}}) for size in sizes]
    bodies = [exchange.response.data for exchange in read(har(*entries)) if exchange.response]
    assert [len(body) // 2 for body in bodies] == sizes


def test_connections_that_are_long_gone_are_forgotten() -> None:
    numbers = Numbers(most=2)
    assert [numbers.of(name) for name in ("a", "b", "a", "c", "a", "b", None, None)] == [
        1,
        2,
        1,
        3,
        1,
        4,
        5,
        6,
    ]


def test_entries_are_numbered_as_in_the_file_and_named_by_their_comment() -> None:
    exchanges = read(har(entry(), entry(None, {"status": 0}), entry(comment="the teapot")))
    assert [(exchange.id, exchange.label) for exchange in exchanges] == [
        ("1", "GET /status/418"),
        ("3", "the teapot"),
    ]


def test_an_entry_without_an_answer_is_skipped_and_told() -> None:
    notes: list[str] = []
    blocked = entry(None, {"status": 0, "_error": "net::ERR_BLOCKED_BY_CLIENT"})
    assert read(har(blocked, entry({"url": "data:text/plain,x"})), notes) == []
    assert notes == [
        'login.har, entry 1: httpbin/status/418 got no answer ("net::ERR_BLOCKED_BY_CLIENT"); skipped',
        "login.har, entry 2: a data: address is not asked over HTTP; skipped",
    ]


def test_a_mark_of_an_unanswered_request_that_is_no_flag_is_told() -> None:
    with pytest.raises(TrafficError, match="entry 1: _unanswered must be true or false, but is a number: 1"):
        read(har({**entry(None, {"status": 0}), "_unanswered": 1}))


def test_a_body_that_was_not_recorded_is_told() -> None:
    notes: list[str] = []
    lost = entry({"method": "POST", "headers": headers(Content_Length="7")}, {"content": {"size": 99}})
    (exchange,) = read(har(lost), notes)
    assert exchange.request.header("content-length") == "0"
    assert notes == [
        "login.har, entry 1: the response body of 99 bytes was not recorded: replayed without",
        "login.har, entry 1: the request body had 7 bytes, the recording holds 0: replayed with these",
    ]


def test_a_bare_minimum_of_fields_is_enough() -> None:
    bare = {"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 200}}
    (exchange,) = read(har(bare))
    assert exchange.response is not None
    assert exchange.response.headers == ((":status", "200"),)


WRONG = {
    'request has no "method"': entry({"method": None}),
    'request has no "url"': entry({"url": None}),
    "request.method is not an HTTP method": entry({"method": "GET /"}),
    "request.url must be text, but is a number: 5": entry({"url": 5}),
    "request.url has a blank": entry({"url": "http://a/b c"}),
    "request.headers must be a list, but is an object": entry({"headers": {"a": "b"}}),
    "request.headers[1].name is not the name": entry({"headers": headers(a="1", **{"b c": "2"})}),
    "request.headers[0].value holds": entry({"headers": headers(a="1\r2")}),
    "request.headers[0].value must be text": entry({"headers": [{"name": "a", "value": 1}]}),
    "request.postData has form fields but no text": entry(
        {"postData": {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}}
    ),
    "response.status must be a whole number, but is text": entry(None, {"status": "200"}),
    "response.status is not an HTTP status": entry(None, {"status": 1000}),
    "response.content.text is not base64": entry(None, {"content": {"encoding": "base64", "text": "é"}}),
    "response.content.encoding is an encoding": entry(None, {"content": {"encoding": "rot13"}}),
    "timings.wait is longer than a day": entry(timings={"wait": 1e300}),
    "timings.wait is too large a number": entry(timings={"wait": 10**400}),
    "startedDateTime is not a date": entry(startedDateTime="yesterday"),
    "startedDateTime must be text": entry(startedDateTime=5),
}


@pytest.mark.parametrize(("what", "bad"), WRONG.items(), ids=list(WRONG))
def test_a_mistake_is_told_with_its_entry_and_its_path(what: str, bad: Json) -> None:
    with pytest.raises(TrafficError) as caught:
        read(har(entry(), bad))
    assert str(caught.value).startswith(f"login.har, entry 2: {what}")
    assert str(caught.value).endswith("; record it again or mend it by hand")


def test_a_number_that_no_double_can_hold_is_told() -> None:
    with pytest.raises(TrafficError, match=r"entry 1: timings.wait is too large a number"):
        read(har(entry(timings={"wait": 7})).replace(b"7", b"1e999"))


NOT_HAR = {
    b"": "login.har: is cut at line 1, column 1, after 0 bytes",
    b'{"log": {"entries": [': "login.har, entry 1: is cut at line 1, column 22, after 21 bytes",
    b'{"log": {\n"entries": [{"request": {"url': "login.har, entry 1: is cut at line 2, column 30, after 39 bytes",
    b"GET / HTTP/1.1": "login.har: not JSON at line 1, column 1: Expecting value",
    b'{"log": {"entries": []},\r\n "log": 2}': 'login.har: has the key "log" twice',
    b"[]": "login.har: must be an object, but is a list",
    b"{}": 'login.har: has no "log"',
    b'{"log": {}}': 'login.har: log has no "entries"',
    b'{"log": {"entries": {}}}': "login.har: log.entries must be a list, but is an object",
    b'{"log": {"entries": [7]}}': "login.har, entry 1: must be an object, but is a number: 7",
    b'{"log": NaN}': "login.har: not JSON that can be used: NaN is not a JSON number",
    b"[" * 200_000: "login.har: nested too deeply",
    b"9" * 20_000: "login.har: not JSON that can be used",
    b'{"log": "\xff"}': "login.har: not UTF-8 text at line 1, column 10",
}


@pytest.mark.parametrize(("data", "what"), NOT_HAR.items(), ids=[text[:40] for text in NOT_HAR.values()])
def test_what_is_not_a_har_is_told(data: bytes, what: str) -> None:
    with pytest.raises(TrafficError) as caught:
        read(data)
    assert str(caught.value).startswith(what)


def test_a_byte_order_mark_and_windows_newlines_change_nothing() -> None:
    text = json.dumps({"log": {"entries": [entry()]}}, indent=1).replace("\n", "\r\n")
    assert read(b"\xef\xbb\xbf" + text.encode()) == [one()]


def test_a_hundred_thousand_headers_are_read() -> None:
    many = [{"name": "x", "value": str(number)} for number in range(100_000)]
    assert len(one({"headers": many}).request.headers) == 100_004


@pytest.mark.parametrize(
    ("head", "yes"),
    [
        (b'{"log": {', True),
        (b'\r\n{\n "log"\n:\r\n{', True),
        (b'{"_about": "Charles", "log": {', True),
        (b'{"log": "GET / HTTP/1.1", "stream": "stdout"}', False),
        (b"<html>", False),
        (b'{"simwasm": "traffic"}', False),
    ],
)
def test_a_har_is_recognised_by_its_beginning(head: bytes, yes: bool) -> None:
    assert Har().sniff(head) is yes
