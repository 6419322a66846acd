"""What reports show: ranges of missed lines, lcov as the real lcov reads it, pages without anything from outside."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from small_coverage import GROUND, SMALL

from simwasm.coverage.lcov import lcov
from simwasm.coverage.own import OwnNames, is_own_path
from simwasm.coverage.pages import pages, text_here, write_pages
from simwasm.coverage.summary import Part, missed, overall, summarize
from simwasm.coverage.table import report
from simwasm.coverage.values import Covered, Source
from simwasm.errors import InputError
from simwasm.trace.text import plain

EVIL = "<script>alert(1)</script>\x1b[31m\n\"'&"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({}, ""),
        ({1: True, 2: True}, ""),
        ({1: False}, "1"),
        ({1: True, 2: False, 3: False, 7: False, 8: True, 9: False}, "2-7, 9"),
    ],
)
def test_missed_lines_are_ranges(lines: dict[int, bool], expected: str) -> None:
    assert missed(lines) == expected


def test_only_all_is_a_hundred_percent() -> None:
    assert [str(Part(*each)) for each in ((999, 1000), (3, 3), (0, 0), (1, 3))] == [
        "99%",
        "100%",
        "100%",
        "33%",
    ]


def test_lines_count_and_instructions_where_there_are_none() -> None:
    shown = summarize(SMALL)
    assert shown.part == Part(2, 2)
    without = summarize(replace(SMALL, ground=replace(GROUND, sources=())))
    assert without.part == Part(2, 5)
    assert overall([shown, without]) == Part(4, 10)


def test_the_table_tells_what_was_never_met() -> None:
    never = replace(SMALL, reached=0, callbacks={"proxy_on_tick": 0})
    text = "\n".join(report(summarize(never), plain))
    assert "callbacks: 0 of 1" in text
    assert re.search(r"never  proxy_on_tick", text)
    assert re.search(r"b\.c +2 +2 +0%  1-7", text)
    assert "functions of the source that were never run: 1\n  b.c:1  f" in text
    assert text.endswith("0% reached: 0 of 2 lines, 0 of 1 functions, 0 of 5 instructions")


def test_what_a_plugin_names_is_shown_escaped() -> None:
    ground = replace(
        GROUND,
        sources=(replace(GROUND.sources[0], path=EVIL, here=""),),
        functions=(GROUND.functions[0]._replace(name=EVIL),),
    )
    odd = replace(SMALL, name=EVIL, ground=ground, callbacks={EVIL: 1}, host_calls={EVIL: 0})
    shown = [summarize(odd)]
    text = "\n".join(report(shown[0], plain))
    assert "\x1b" not in text
    assert "\x1b" not in "\n".join(lcov(shown))
    for page in pages(shown, lambda source: EVIL):
        assert "<script" not in page.content
        assert "\x1b" not in page.content
        assert re.fullmatch(r"[\w.-]+\.html", page.name)


@pytest.mark.skipif(shutil.which("genhtml") is None, reason="lcov is not here")
def test_lcov_and_genhtml_read_it(tmp_path: Path, refused: Covered) -> None:
    file = tmp_path / "plugin.info"
    file.write_text("".join(f"{line}\n" for line in lcov([summarize(refused)])))
    told = subprocess.run(["lcov", "--summary", str(file)], capture_output=True, text=True, check=True)
    assert re.search(r"lines\.+: 94\.4% \(17 of 18 lines\)", told.stdout + told.stderr)
    made = subprocess.run(
        ["genhtml", str(file), "-o", str(tmp_path / "html")], capture_output=True, text=True, check=True
    )
    assert "functions..: 100.0% (4 of 4 functions)" in made.stdout
    (page,) = (tmp_path / "html").rglob("lib.rs.gcov.html")
    assert "on_http_request_headers" in page.read_text()


class _Outside(HTMLParser):
    """Whatever a page would have to fetch, and whatever is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asked += [value or "" for name, value in attrs if name in ("src", "srcset", "data")]
        self.asked += [tag] * (tag in ("script", "link", "iframe", "img"))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_only_the_ends_of_lines_that_compilers_know_end_a_line() -> None:
    _, page = pages([summarize(SMALL)], lambda source: "one\f\u2028\r\ntwo\n")
    assert re.findall('id="L([0-9]+)"', page.content) == ["1", "2"]


def test_what_is_no_file_is_not_read() -> None:
    device = replace(GROUND.sources[0], here="/dev/zero", digest="")
    (shown,) = summarize(replace(SMALL, ground=replace(GROUND, sources=(device,)))).sources
    assert text_here(shown, lambda path: None) is None


def test_pages_bring_along_all_they_need(refused: Covered) -> None:
    found = list(pages([summarize(refused)], lambda source: "fn main() {}\n" * 60))
    assert len(found) == 2
    for page in found:
        outside = _Outside()
        outside.feed(page.content)
        assert outside.asked == outside.open == []
        assert "url(" not in page.content
    assert f'href="{found[1].name}"' in found[0].content


def test_lines_of_source_are_coloured(refused: Covered) -> None:
    _, page = pages([summarize(refused)], lambda source: "\n".join(f"<{line}>" for line in range(1, 60)))
    assert re.search(r'<tr id="L39" class="miss">.*?<pre>&lt;39&gt;</pre>', page.content)
    assert re.search(r'<tr id="L38" class="hit">.*?<pre>&lt;38&gt;</pre>', page.content)
    assert re.search(r'<tr id="L40"><td', page.content)


def test_a_file_that_is_not_here_is_a_table(refused: Covered) -> None:
    _, page = pages([summarize(refused)], lambda source: None)
    assert "The file is not here, or it was changed since." in page.content
    assert re.search(r'<tr id="L39" class="miss"><td class="n">39</td><td>✗ missed', page.content)


def test_the_text_of_a_source_is_the_one_it_was_built_from(tmp_path: Path) -> None:
    file = tmp_path / "b.c"
    file.write_text("int a;\n")
    known = replace(GROUND.sources[0], here=str(file), digest=sha256(b"int a;\n").hexdigest())
    (shown,) = summarize(replace(SMALL, ground=replace(GROUND, sources=(known,)))).sources
    assert text_here(shown, lambda path: None) == "int a;\n"
    file.write_text("int b;\n")
    assert text_here(shown, lambda path: None) is None
    file.unlink()
    assert text_here(shown, lambda path: None) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--html .*file: cannot be written"):
        write_pages(tmp_path / "file", [summarize(SMALL)], lambda source: None)


@pytest.mark.parametrize(
    "path",
    [
        "/rustc/90c541806f23a127002de5b4038be731ba1458ca/library/core/src/ops/function.rs",
        "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/log-0.4.17/src/lib.rs",
        "vendor/proxy-wasm/src/dispatcher.rs",
        "/usr/local/go/src/runtime/proc.go",
        "/home/ann/go/pkg/mod/github.com/tetratelabs/proxy-wasm-go-sdk@v0.24.0/proxywasm/hostcall.go",
        "/usr/local/lib/tinygo/src/runtime/gc_blocks.go",
        "~lib/string.ts",
        "C:\\Users\\ann\\.rustup\\toolchains\\stable\\lib\\rustlib\\src\\rust\\library\\std\\src\\io.rs",
        "/emsdk/upstream/emscripten/system/lib/libc/musl/src/string/memcpy.c",
        "libc-top-half/musl/src/string/memset.c",
        "external/proxy_wasm_cpp_sdk/proxy_wasm_api.h",
        "/usr/include/c++/12/string",
    ],
)
def test_these_files_are_not_the_users(path: str) -> None:
    assert not is_own_path(path)


@pytest.mark.parametrize(
    "path", ["src/lib.rs", "/home/ann/plugin/src/go/main.go", "assembly/index.ts", "/build/plugin.cc"]
)
def test_these_files_are(path: str) -> None:
    assert is_own_path(path)


@pytest.mark.parametrize(
    ("names", "own"),
    [
        (
            ("proxy_wasm::dispatcher::on", "proxy_on_tick", "<http_auth::A as proxy_wasm::traits::B>::on", "dlfree",
             "core::fmt::write", "<alloc::string::String as core::fmt::Write>::write_str", "serde_json::de::from"),
            {"<http_auth::A as proxy_wasm::traits::B>::on"},
        ),
        (("proxy_on_tick", "helper", "memcpy", "malloc", "proxy_abi_version_0_2_1"), {"proxy_on_tick", "helper"}),
        (
            ("runtime.gc", "main.init.0", "(*main.http).OnTick", "github.com/ann/x.Do", "encoding_json.Marshal",
             "github.com_proxy_wasm_proxy_wasm_go_sdk_proxywasm_internal.proxyOnTick", "proxy_on_tick"),
            {"main.init.0", "(*main.http).OnTick", "github.com/ann/x.Do"},
        ),
        (("assembly/index/Root#onTick", "~lib/string/String#concat", "start:~lib/rt"), {"assembly/index/Root#onTick"}),
    ],
)  # fmt: skip
def test_names_tell_where_there_are_no_paths(names: tuple[str, ...], own: set[str]) -> None:
    found = OwnNames(names)
    assert {name for name in names if name in found} == own


def test_a_source_is_known_by_where_it_is_here() -> None:
    summary = summarize(SMALL)
    assert summary.sources[0].path == "b.c"
    assert Source("/a/b.c", True, "", "", {}).path == "/a/b.c"
