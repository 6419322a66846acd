"""Exports, read by the readers that others wrote, and compared with what the trace says."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simwasm.abi.enums import MetricType
from simwasm.errors import TraceError
from simwasm.exports.otlp import write_otlp
from simwasm.exports.perfetto import write_perfetto
from simwasm.exports.prometheus import BUCKETS, write_prometheus
from simwasm.host.metrics import MetricIds, Metrics
from simwasm.trace.scan import everything

GOLDEN = Path(__file__).parents[2] / "traces" / "golden"
HTTP_AUTH = GOLDEN / "http_auth" / "browser.jsonl"
ALL = sorted(GOLDEN.glob("*/*.jsonl"))
names = pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")


def written(write: Callable[..., None], path: Path) -> str:
    """What is written for a trace."""
    parts: list[str] = []
    write(everything(path), parts.append)
    return "".join(parts)


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    """Perfetto's events of a kind."""
    return [each for each in json.loads(written(write_perfetto, path))["traceEvents"] if each["ph"] == kind]


@names
def test_slices_of_a_track_are_inside_of_one_another_or_apart(path: Path) -> None:
    """Which is what viewers ask for; otherwise they leave slices out."""
    tracks: dict[int, list[tuple[int, int]]] = {}
    for each in events(path, "X"):
        start, length = round(each["ts"] * 1000), round(each["dur"] * 1000)
        tracks.setdefault(each["tid"], []).append((start, start + length))
    assert tracks
    for slices in tracks.values():
        around: list[tuple[int, int]] = []
        for start, end in sorted(slices, key=lambda slice: (slice[0], -slice[1])):
            while around and around[-1][1] <= start:
                around.pop()
            assert not around or end <= around[-1][1]
            around.append((start, end))


def test_an_exchange_is_a_track_with_its_name() -> None:
    tracks = {
        each["tid"]: each["args"]["name"] for each in events(HTTP_AUTH, "M") if each["name"] == "thread_name"
    }
    assert tracks == {
        0: "the plugin itself", 1: "#1 GET /get → 200", 2: "#2 GET /get → 403", 3: "#3 POST /post → 200"
    }  # fmt: skip


@names
def test_the_slice_of_an_exchange_begins_before_all_in_it_and_ends_behind(path: Path) -> None:
    """In the file, too: a viewer takes the first of two that begin together for the outer one."""
    every = json.loads(written(write_perfetto, path))["traceEvents"]
    for track in {each["tid"] for each in every if each["ph"] == "X"} - {0}:
        begun, *inside, ended = (each for each in every if each["tid"] == track and each["ph"] in "BXE")
        assert (begun["ph"], ended["ph"]) == ("B", "E")
        assert begun["ts"] == min(each["ts"] for each in inside)
        assert ended["ts"] >= max(each["ts"] + each["dur"] for each in inside)


def test_calls_are_slices_with_what_went_in_and_came_out() -> None:
    found = next(each for each in events(HTTP_AUTH, "X") if each["args"].get("row") == 41)
    assert found["name"] == "proxy_get_header_map_value"
    assert found["args"] == {
        "row": 41, "plugin": "http_auth", "context": 3, "map_type": "HTTP_REQUEST_HEADERS", "key": "authorization",
        "status": "NOT_FOUND", "reason": "there is no header `authorization`",
    }  # fmt: skip


def test_log_lines_are_instants_and_callouts_go_from_call_to_answer() -> None:
    assert [each["name"] for each in events(HTTP_AUTH, "i")][:2] == [
        "INFO: auth answered 200",
        "INFO: auth answered 401",
    ]
    begun, ended = events(HTTP_AUTH, "b"), events(HTTP_AUTH, "e")
    assert [each["name"] for each in begun] == ["callout auth"] * 3
    assert all(
        start["id"] == end["id"] and end["ts"] - start["ts"] >= 1000
        for start, end in zip(begun, ended, strict=True)
    )


def timed(tmp_path: Path) -> Path:
    """A trace that tells what calls took."""
    text = HTTP_AUTH.read_text()
    text = re.sub(
        r'"result": "OK"(, "gives": \{"[a-z_]*": ("[^"]*"|\d+)\})?}',
        r'"result": "OK"\1, "took_ns": 3000}',
        text,
    )
    file = tmp_path / "timed.jsonl"
    file.write_text(
        text.replace('{"result": "PAUSE"}', '{"result": "PAUSE", "took_ns": 20000, "instructions": 9}')
    )
    return file


def test_what_was_measured_is_how_long_slices_are(tmp_path: Path) -> None:
    path = timed(tmp_path)
    found = {each["args"].get("row"): each for each in events(path, "X")}
    assert (found[12]["name"], found[12]["dur"], found[12]["args"]["instructions"]) == (
        "proxy_on_request_headers",
        20.0,
        9,
    )
    assert found[13]["dur"] == 3.0
    assert json.loads(written(write_perfetto, path))["otherData"]["clock"].endswith("really took")
    assert json.loads(written(write_perfetto, HTTP_AUTH))["otherData"]["clock"].endswith("each crossing")


@pytest.mark.skipif(
    shutil.which("trace_processor_shell") is None, reason="needs Perfetto's trace_processor_shell"
)
def test_perfetto_reads_every_slice() -> None:
    perfetto = pytest.importorskip("perfetto.trace_processor")
    config = perfetto.TraceProcessorConfig(bin_path=shutil.which("trace_processor_shell"))
    told = iter([written(write_perfetto, HTTP_AUTH).encode()])
    with perfetto.TraceProcessor(trace=told, config=config) as processor:
        (count,) = processor.query("select count(*) as n from slice where dur > 0")
        assert count.n == sum(len(events(HTTP_AUTH, kind)) for kind in "XBb")


def request(path: Path) -> Any:
    """The request that OpenTelemetry's own messages make of what is written; OTLP's JSON has identifiers in hex."""
    messages = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    from google.protobuf import json_format

    told = json.loads(written(write_otlp, path))
    for span in told["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in {"traceId", "spanId", "parentSpanId"} & span.keys():
            span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return json_format.ParseDict(told, messages.ExportTraceServiceRequest())


def spans(path: Path) -> list[Any]:
    """All spans."""
    return list(request(path).resource_spans[0].scope_spans[0].spans)


def attributes(span: Any) -> dict[str, Any]:
    """A span's attributes."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@names
def test_opentelemetry_reads_spans_that_are_a_tree(path: Path) -> None:
    found = spans(path)
    ids = {(span.trace_id, span.span_id): span for span in found}
    assert len(ids) == len(found) > 0
    for span in found:
        assert len(span.trace_id) == 16
        assert len(span.span_id) == 8
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        if span.parent_span_id:
            parent = ids[span.trace_id, span.parent_span_id]
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_an_exchange_is_a_servers_span_with_conventional_names() -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    server = [span for span in spans(HTTP_AUTH) if span.kind == Span.SPAN_KIND_SERVER]
    assert [span.name for span in server] == ["GET /get", "GET /get", "POST /post"]
    told = attributes(server[1])
    assert (told["http.request.method"], told["url.path"], told["http.response.status_code"]) == (
        "GET",
        "/get",
        403,
    )
    assert told["simwasm.local_reply"] is True
    assert attributes(server[0])["server.address"] == "httpbin:8000"


def test_a_callout_is_a_clients_span_and_log_lines_are_events() -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    found = spans(HTTP_AUTH)
    client = [span for span in found if span.kind == Span.SPAN_KIND_CLIENT]
    assert [(span.name, attributes(span)["url.path"]) for span in client] == [("GET auth", "/check")] * 3
    lines = [attributes(event)["log.message"] for span in found for event in span.events]
    assert lines == ["auth answered 200", "auth answered 401", "auth answered 200"]


def test_spans_are_the_same_each_time_and_others_of_another_trace() -> None:
    assert written(write_otlp, HTTP_AUTH) == written(write_otlp, HTTP_AUTH)
    assert not {span.span_id for span in spans(HTTP_AUTH)} & {span.span_id for span in spans(ALL[0])}


def samples(path: Path) -> dict[str, float]:
    """The samples that Prometheus' own parser finds; those of counters end with `_total` for it."""
    parser = pytest.importorskip("prometheus_client.parser")
    families = list(parser.text_string_to_metric_families(written(write_prometheus, path)))
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for each in families
        for sample in each.samples
    }


def test_prometheus_reads_the_metrics_of_a_sample() -> None:
    assert samples(GOLDEN / "rate_limit" / "browser.jsonl") == {
        "rate_limit_allowed_total": 5, "rate_limit_in_window": 2, "rate_limit_rejected_total": 2
    }  # fmt: skip


def test_the_text_is_that_of_envoy() -> None:
    """As Envoy 1.40 shows the same metrics: no prefix, counters before gauges."""
    assert written(write_prometheus, GOLDEN / "rate_limit" / "browser.jsonl").splitlines() == [
        "# TYPE rate_limit_allowed counter", "rate_limit_allowed{} 5",
        "# TYPE rate_limit_rejected counter", "rate_limit_rejected{} 2",
        "# TYPE rate_limit_in_window gauge", "rate_limit_in_window{} 2",
    ]  # fmt: skip


METRICS = (("COUNTER", "9lives"), ("COUNTER", "denied.by-rule"), ("GAUGE", "open"), ("HISTOGRAM", "took"))
CHANGES = (
    (8, "increment", 2), (12, "increment", 3), (5, "increment", 7), (5, "increment", -2), (5, "record", 40),
    (5, "increment", -1), (6, "record", 0), (6, "record", 1), (6, "record", 30), (6, "record", 9_999_999),
)  # fmt: skip


def test_metrics_are_those_that_the_host_kept(tmp_path: Path) -> None:
    """The same definitions and changes, given to the host and told by a trace."""
    kept = Metrics()
    ids = MetricIds(kept)
    lines = HTTP_AUTH.read_text().splitlines()[:2]

    def call(name: str, args: dict[str, Any], more: str = "") -> None:
        lines.append(
            f'{{"context": 1, "call": "proxy_{name}_metric", "args": {json.dumps(args)}, "result": "OK"{more}}}'
        )

    for kind, name in METRICS:
        id = ids.define(MetricType[kind], name)
        call("define", {"metric_type": kind, "name": name}, f', "gives": {{"metric_id": {id}}}')
    for id, how, amount in CHANGES:
        if id in dict(ids.all()):
            (ids.increment if how == "increment" else ids.record)(id, amount)
            call(how, {"metric_id": id, "delta" if how == "increment" else "value": amount})
    began = '{"at": 0, "context": 1, "call": "proxy_on_configure", "args": '
    lines.insert(2, began + '{"context_id": 1, "plugin_configuration_size": 0}}')
    file = tmp_path / "metrics.jsonl"
    file.write_text("\n".join([*lines, '{"result": true}']) + "\n")
    found, by_name = samples(file), {name: metric for (_, name), metric in kept.by_name.items()}
    assert found["open"] == by_name["open"].value == 39
    fed = by_name["took"].samples
    assert (found["took_sum"], found["took_count"]) == (sum(fed), len(fed))
    assert [
        found[f"took_bucket{bound:g}" if bound < 1 else f"took_bucket{int(bound)}"] for bound in BUCKETS
    ] == [sum(sample <= bound for sample in fed) for bound in BUCKETS]
    assert found["took_bucket+Inf"] == len(fed)
    assert found["denied_by_rule_total"] == by_name["denied.by-rule"].value
    assert "9lives" not in str(found)


@pytest.mark.parametrize("write", [write_perfetto, write_otlp])
def test_what_a_plugin_says_is_text_that_every_reader_takes(
    write: Callable[..., None], tmp_path: Path
) -> None:
    """Control signs, other bytes than UTF-8, and very much of it."""
    said = ["\\u001b[2J\\u0000\\u202e", "x" * 100_000]
    line = '{"context": 1, "call": "proxy_log", "args": {"level": "INFO", "message": %s}, "result": "OK"}\n'
    head = HTTP_AUTH.read_text().splitlines(keepends=True)[:5]
    told = [line % f'"{each}"' for each in said] + [line % '{"base64": "/wA="}']
    file = tmp_path / "hostile.jsonl"
    file.write_text("".join([*head, *told, '{"result": true}\n']))
    text = written(write, file)
    json.loads(text)
    assert text.isascii()
    assert len(text) < 40_000


@pytest.mark.parametrize("write", [write_perfetto, write_otlp, write_prometheus])
def test_what_is_kept_does_not_grow_with_the_file(write: Callable[..., None], tmp_path: Path) -> None:
    """Ten times as many exchanges need hardly more memory."""
    import tracemalloc

    lines = HTTP_AUTH.read_text().splitlines(keepends=True)

    def most(times: int) -> int:
        file = tmp_path / f"{times}.jsonl"
        file.write_text("".join(lines[:7] + lines[7:-2] * times))
        tracemalloc.start()
        write(everything(file), lambda part: None)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    most(1)
    assert most(16) < most(2) * 2.2


@pytest.mark.parametrize(
    ("before", "after"),
    [('"context": 2', '"context": "x"'), ('"parent_context_id": 1', '"parent_context_id": []')],
)
def test_a_context_that_is_none_is_told_with_its_line(before: str, after: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text(HTTP_AUTH.read_text().replace(before, after))
    with pytest.raises(TraceError, match=r"line [0-9]+ has a `plugin` that is no text, or a `context`"):
        written(write_perfetto, broken)
