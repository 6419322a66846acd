"""Tests as cases: which module and configuration they are played with, what is told of those that fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import scripted

from simwasm.engines.engine import Engine
from simwasm.errors import SimwasmError
from simwasm.suites.bench import Bench, Options
from simwasm.suites.case import Case, Miss
from simwasm.suites.google.cases import cases
from simwasm.trace.rows import Kind

SAMPLES = Path(__file__).parents[3] / "samples"
ALLOW = SAMPLES / "allow_header/plugin.wasm"
FILES = ("allow_header/tests.textpb", "response_body/tests.textpb", "config_loading/tests.yaml")


def misses(case: Case, engine: str = "wasmtime", plugin: str | Path = "") -> list[Miss]:
    bench = Bench(Options(engine, str(plugin)))
    try:
        return list(case.play(bench))
    finally:
        bench.close()


def written(folder: Path, text: str) -> Case:
    path = folder / "tests.textpb"
    path.write_text(text)
    return cases(path)[0]


@pytest.mark.parametrize("file", FILES)
def test_samples_pass_their_tests(file: str) -> None:
    found = cases(SAMPLES / file)
    assert len(found) > 1
    assert [miss for case in found for miss in misses(case)] == []


def test_a_case_is_played_on_the_engine_that_is_wanted(engine: Engine) -> None:
    bench = Bench(Options(engine.name))
    assert list(cases(SAMPLES / "allow_header/tests.textpb")[0].play(bench)) == []
    assert bench.plugins[0].trace.setting.engine == engine.name
    bench.close()


@pytest.mark.parametrize("language", ["as", "c"])
def test_the_same_tests_are_played_with_another_plugin(language: str) -> None:
    plugin = SAMPLES / f"allow_header_{language}" / "plugin.wasm"
    found = cases(SAMPLES / "allow_header/tests.textpb")
    assert [miss for case in found for miss in misses(case, plugin=plugin)] == []


def test_a_case_has_name_and_line() -> None:
    found = cases(SAMPLES / "allow_header/tests.textpb")
    assert [(case.name, case.line) for case in found] == [
        ("DeniesWithoutHeader", 5), ("DeniesAnotherValue", 22), ("AllowsWithHeader", 29),
    ]  # fmt: skip


def test_a_miss_has_the_line_of_what_was_expected_and_tells_what_came(tmp_path: Path) -> None:
    case = written(
        tmp_path, 'test {\nrequest_headers {\nresult {\nimmediate {}\nlog { exact: "denied" }\n} } }'
    )
    (miss,) = misses(case, plugin=ALLOW)
    assert (miss.message, miss.line) == ("request_headers: log: expected one that is `denied`", 5)
    assert miss.details.split("\n") == [
        "log:",
        "  #2 wasm-rust: on_http_request_headers",
        "  #2 wasm-rust: allow header not found or is not true, deny by default",
    ]


def test_a_miss_has_the_row_that_ends_its_phase(tmp_path: Path) -> None:
    bench = Bench(Options("wasmtime", str(ALLOW)))
    (miss,) = written(tmp_path, "test { request_headers {} response_headers {} }").play(bench)
    assert miss.row is not None
    row = bench.plugins[0].trace.rows[miss.row - 1]
    assert (row.kind, row.entered.function.name) == (Kind.RETURN, "proxy_on_request_headers")
    bench.close()


def test_what_a_plugin_logged_cannot_break_out_of_its_line(tmp_path: Path) -> None:
    text = r'test { request_headers { input { header { key: "a\033[2J\nb" } } result { immediate {} } } }'
    (miss,) = misses(
        written(tmp_path, text.replace("immediate {}", 'headers { exact: "" } immediate {}')), plugin=ALLOW
    )
    assert "\x1b" not in miss.details


def test_the_trace_of_a_case_is_kept() -> None:
    bench = Bench(Options("wasmtime"))
    list(cases(SAMPLES / "allow_header/tests.textpb")[0].play(bench))
    (played,) = bench.plugins
    assert played.trace.has("proxy_send_local_response")
    bench.close()


def test_files_lie_beside_the_test(tmp_path: Path) -> None:
    (tmp_path / "request.data").write_text("GET / HTTP/1.1\nallow: true\n")
    (tmp_path / "body.data").write_bytes(b"\xff")
    case = written(
        tmp_path,
        'test { request_headers { input { file: "request.data" } } '
        'response_body { input { file: "body.data" } result { body { file: "body.data" } } } }',
    )
    assert misses(case, plugin=ALLOW) == []


def test_a_file_comes_before_content_and_content_before_headers(tmp_path: Path) -> None:
    (tmp_path / "request.data").write_text("GET /file HTTP/1.1\nallow: true")
    case = written(
        tmp_path,
        'test { request_headers { input { header { key: "x" } content: "GET /content HTTP/1.1" file: "request.data" } '
        'result { has_header { key: ":path" value: "/file" } no_header { key: "x" } } } }',
    )
    assert misses(case, plugin=ALLOW) == []


IMPOSSIBLE = {
    'test { request_headers { input { file: "none" } } }': "1:26: {}/none: cannot be read: No such file",
    'test { request_headers { input { content: "GET" } } }': "1:26: `GET` begins no request",
    'test { request_headers { result { immediate {} log { regex: "[asd" } } } }':
        "1:48: this regex does not compile: missing ]: [asd",
    'test { request_headers {} stream_destroy { log { regex: "(" } } }': "1:44: this regex does not compile",
    'test { request_headers { result { immediate {} body { file: "none" } } } }': "1:48: {}/none: cannot be read",
    r'test { request_headers { input { file: "a\0" } } }': "1:26: embedded null byte",
    r'env { config_path: "a\0" } test {}': r"1:7: `a\x00` is no file",
    'env { wasm_path: "none.wasm" } test {}': "1:7: `none.wasm` is no file, neither beside this one nor in",
    'env { config_path: "none" } test {}': "1:7: `none` is no file, neither beside this one nor in",
    'test { num_chunks: 3 response_body { input { content: "ab" } } }': "1:8: 2 bytes cannot be cut into 3 chunks",
}  # fmt: skip


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_makes_playing_impossible_is_told_with_its_place(text: str, tmp_path: Path) -> None:
    with pytest.raises(SimwasmError) as error:
        misses(written(tmp_path, text), plugin="" if "wasm_path" in text else ALLOW)
    assert str(error.value).startswith(f"{tmp_path}/tests.textpb:{IMPOSSIBLE[text].format(tmp_path)}")


def test_a_file_that_names_no_plugin_needs_one(tmp_path: Path) -> None:
    with pytest.raises(SimwasmError, match="no plugin is named\\. Say which by --plugin FILE, or by"):
        misses(written(tmp_path, "test {}"))


def test_a_module_beside_the_file_comes_before_one_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plugin.wasm").write_bytes(scripted({}))
    monkeypatch.chdir(SAMPLES / "allow_header")
    assert misses(written(tmp_path, 'env { wasm_path: "plugin.wasm" } test { request_headers {} }')) == []


def test_other_paths_start_at_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES)
    assert misses(written(tmp_path, 'env { wasm_path: "allow_header/plugin.wasm" } test {}')) == []


def test_a_configuration_may_be_said_whatever_the_file_says() -> None:
    bench = Bench(Options("wasmtime", config='{"header": "a", "value": "b"}'))
    (miss,) = cases(SAMPLES / "config_loading/tests.yaml")[0].play(bench)
    assert "adding a: b to every response" in miss.details
    bench.close()


def test_a_plugin_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    (miss,) = misses(written(tmp_path, "\ntest {}"), plugin=SAMPLES / "config_loading/plugin.wasm")
    assert miss.line == 2
    assert miss.message.startswith(
        "plugin_init: the plugin failed: config_loading: Failed to configure base Wasm plugin"
    )
    assert "log:\n" in miss.details
    assert "invalid configuration" in miss.details
