"""`simwasm send`: curl with the plugin in the way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from process import Run

PLUGIN = "samples/allow_header/plugin.wasm"


def test_the_tutorials_denied_request_reads_as_the_tutorial_says(simwasm: Run) -> None:
    """The second seed: 403, its body, its two log lines, and the access log line."""
    done = simwasm(
        "send", PLUGIN, "GET", "/status/418", "--access-log", "--name", "istio-system.header-authorization"
    )
    assert done.returncode == 0
    assert done.stdout.startswith("HTTP/1.1 403 Forbidden\n")
    assert done.stdout.endswith("\n\nForbidden by ASM Wasm Plugin, rust version\n")
    first, second, access = done.stderr.splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\tinfo\tenvoy wasm\t"
    log = "wasm log istio-system.header-authorization: #2 wasm-rust: "
    assert re.fullmatch(stamp + re.escape(log + "on_http_request_headers"), first)
    denied = "allow header not found or is not true, deny by default"
    assert re.fullmatch(stamp + re.escape(log + denied), second)
    fields = json.loads(access)
    assert (fields["response_code"], fields["bytes_sent"], fields["upstream_host"]) == ("403", "43", "-")
    assert (fields["method"], fields["path"], fields["protocol"]) == ("GET", "/status/418", "HTTP/1.1")


def test_the_tutorials_allowed_request_reaches_httpbin(simwasm: Run, httpbin: str) -> None:
    done = simwasm(
        "send", PLUGIN, "GET", "/status/418", "-H", "allow: true", "--upstream", httpbin, "--access-log"
    )
    assert done.returncode == 0
    assert done.stdout.startswith("HTTP/1.1 418 ")
    assert "-=[ teapot ]=-" in done.stdout
    assert json.loads(done.stderr.splitlines()[-1])["upstream_host"] == httpbin.removeprefix("http://")


def test_the_first_tutorials_plugin_answers_itself(simwasm: Run) -> None:
    done = simwasm("send", "samples/service_name/plugin.wasm", "GET", "/hi", "-H", "host: my-app.example.com")
    assert done.stdout.startswith("HTTP/1.1 200 OK\nx-service-name: my-custom-service\n")
    assert done.stdout.endswith("\n\nHello from Wasm!\n")
    assert done.stderr.rstrip().endswith(
        "wasm log service_name: Received request for: my-app.example.com /hi"
    )


def test_a_body_is_sent_and_echoed_by_a_real_upstream(simwasm: Run, httpbin: str) -> None:
    done = simwasm(
        "send", PLUGIN, "POST", "/post?a=1", "-H", "allow: true", "-H", "content-type: text/plain", "-d", "grüße",
        "--upstream", httpbin,
    )  # fmt: skip
    echoed = json.loads(done.stdout.partition("\n\n")[2])
    assert (echoed["data"], echoed["args"]) == ("grüße", {"a": "1"})


def test_a_body_is_read_from_a_file_and_from_standard_input(simwasm: Run, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"\x00\xffbinary")
    args = ("send", PLUGIN, "POST", "/", "-H", "allow: true", "--json")
    from_file = json.loads(simwasm(*args, "-d", f"@{body}").stdout)
    from_stdin = json.loads(simwasm(*args, "-d", "@-", stdin="typed").stdout)
    assert from_file["upstream_request"]["body"] == {"base64": "AP9iaW5hcnk="}
    assert from_stdin["upstream_request"]["body"] == "typed"


@pytest.mark.parametrize(
    ("content", "status", "body"),
    [
        (b"plain text", "200 OK", "plain text"),
        (b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\n\r\ngone\r\n", "404 Not Found", "gone\r\n"),
        (b"HTTP/1.1 404 Not Found\nX-A: 1\n\ngone\n", "404 Not Found", "gone\n"),
    ],
)
def test_a_file_answers_for_the_upstream(
    simwasm: Run, tmp_path: Path, content: bytes, status: str, body: str
) -> None:
    answer = tmp_path / "answer"
    answer.write_bytes(content)
    done = simwasm("send", PLUGIN, "GET", "/", "-H", "allow: true", "--respond", str(answer), "--json")
    assert json.loads(done.stdout)["response"]["body"] == body
    assert str(json.loads(done.stdout)["status"]) == status[:3]


def test_an_upstream_that_is_not_there_is_a_503(simwasm: Run) -> None:
    done = simwasm("send", PLUGIN, "GET", "/", "-H", "allow: true", "--upstream", "http://127.0.0.1:1")
    assert done.stdout.startswith("HTTP/1.1 503 Service Unavailable")
    assert "upstream connect error" in done.stdout


def test_verbose_prints_the_crossings(simwasm: Run) -> None:
    done = simwasm("send", PLUGIN, "GET", "/", "-v")
    assert "→ proxy_on_request_headers(context_id: 2, " in done.stderr
    assert "= NOT_FOUND · there is no header `allow`" in done.stderr
    assert "\x1b" not in done.stderr


def test_quiet_leaves_only_the_response(simwasm: Run) -> None:
    done = simwasm("send", PLUGIN, "GET", "/", "--quiet")
    assert (done.stderr, done.stdout[:12]) == ("", "HTTP/1.1 403")


def test_an_expectation_that_fails_is_exit_status_1(simwasm: Run) -> None:
    assert simwasm("send", PLUGIN, "GET", "/", "--expect", "403").returncode == 0
    done = simwasm("send", PLUGIN, "GET", "/", "--expect", "200")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "simwasm: the status is 403, not 200"


def test_a_trace_is_written_to_a_file(simwasm: Run, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    simwasm("send", PLUGIN, "GET", "/", "--trace", str(trace))
    head, *events, outcome, _, _ = map(json.loads, trace.read_text().splitlines())
    assert (head["format"], head["plugins"][0]["abi"]) == (2, "0.2.1")
    assert [event["call"] for event in events if event.get("call", "").startswith("proxy_send")]
    assert outcome["outcome"]["status"] == 403


def test_the_environment_and_configurations_reach_the_plugin(simwasm: Run, tmp_path: Path) -> None:
    config = tmp_path / "plugin.json"
    config.write_text('{"header": "x-powered-by", "value": "a file"}')
    done = simwasm(
        "send",
        "samples/config_loading/plugin.wasm",
        "GET",
        "/",
        "--config",
        f"@{config}",
        "--vm-config",
        "vm!",
    )
    assert "x-powered-by: a file" in done.stdout
    assert "VM configuration: vm!" in done.stderr


@pytest.mark.parametrize(
    ("answer", "status"), [("200", 200), ("401", 403), ("reset", 403), ("timeout", 403), ("refused", 403)]
)
def test_a_callout_is_answered_as_the_words_say(simwasm: Run, answer: str, status: int) -> None:
    done = simwasm(
        "send", "samples/http_auth/plugin.wasm", "GET", "/", "--callout", f"auth={answer}", "--json"
    )
    assert json.loads(done.stdout)["status"] == status


def test_a_callout_can_be_answered_by_a_script_or_a_real_server(
    simwasm: Run, httpbin: str, tmp_path: Path
) -> None:
    script = tmp_path / "auth.json"
    script.write_text(
        '[{"when": {"headers": {"authorization": "good"}}, "reply": {}}, {"reply": {"status": 401}}]'
    )
    args = ("send", "samples/http_auth/plugin.wasm", "GET", "/", "--json")
    good = simwasm(*args, "-H", "authorization: good", "--callout", f"auth={script}")
    bad = simwasm(*args, "-H", "authorization: bad", "--callout", f"auth={script}")
    real = simwasm(*args, "--callout", f"auth={httpbin}")  # httpbin has no /check
    assert [json.loads(done.stdout)["status"] for done in (good, bad, real)] == [200, 403, 403]
