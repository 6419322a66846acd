"""What a user wrote, and what came with toolchains, SDKs and packages: told by paths, or by names where there are none.

Rules that live here, all of them; where nothing says otherwise, the user wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FOLDERS = (
    # Rust: the library of the toolchain, crates that cargo has fetched
    r"/rustc/[0-9a-f]+/", r"/rustc-\d[^/]*/library/", r"/lib/rustlib/", r"/\.rustup/", r"/rust/deps/",
    r"/\.?cargo/(registry|git)/",
    # Go and TinyGo: the library, modules that go has fetched
    r"/tinygo/(src|lib)/", r"/(usr/local|usr/lib|opt|sdk|x64|libexec)/go[^/]*/src/", r"/go/src/runtime/", r"/pkg/mod/",
    # C and C++: headers, libraries that are linked, SDKs
    r"/emsdk/", r"/emscripten/", r"/wasi-sdk[^/]*/", r"/wasi-libc/", r"/wasi-sysroot/", r"/wasilibc/",
    r"/usr/(include|lib|share)/", r"/compiler-rt/", r"/libcxx(abi)?/", r"/libunwind/",
    r"/dlmalloc/", r"/libc-(top|bottom)-half/", r"/musl/src/",
    # AssemblyScript: the library, packages
    r"/~lib/", r"/node_modules/",
    # all: what was brought along
    r"/external/", r"/third_party/", r"/vendor/",
)  # fmt: skip
_FOREIGN = re.compile("|".join(_FOLDERS))

_CRATES = (
    "core std alloc wasi libc proxy_wasm hashbrown dlmalloc compiler_builtins memchr rustc_demangle miniz_oxide gimli "
    r"addr2line object panic_abort panic_unwind cfg_if log wee_alloc serde\w* itoa ryu prost\w* protobuf chrono time "
    r"regex\w* aho_corasick base64 bytes url hex percent_encoding sha\d anyhow thiserror once_cell lazy_static num_\w+ "
    r"getrandom rand\w* ahash smallvec tinyvec indexmap uuid idna httparse http tracing\w* spin"
)
_LIBC = (
    r"mem(cpy|set|move|cmp|chr|align)|str\w+|_*st\w*(cpy|chr|chrnul)|\w*(malloc|calloc|realloc|free)|abort|_?exit|_Exit"
    r"|sbrk|getenv|getcwd|\w*alloc|internal_memalign|dispose_chunk|dummy|__\w+"
)
_NAMES = re.compile(
    rf"(<?(_\$LT\$)?({'|'.join(_CRATES.split())})::"
    r"|<&?(mut )?(core|std|alloc|\(|\[|str|[ui](\d+|size)|f\d+|bool|char|T\b|&)|_\$LT\$|_*rust_|_*rust(eh)?_"
    rf"|(start:|export:)?~|.*node_modules/|.*proxy[-_]wasm[-_](go|cpp)[-_]sdk|({_LIBC})$)"
)
_GO = re.compile(r"runtime\.|\(\*?runtime\.")
_GO_OWN = re.compile(r"\(?\*?(main\.|(?!golang)[\w-]+\.(com|org|io|dev|net|in|app|cloud)[/_])")
_SDK = re.compile(r"proxy_wasm::|proxy[-_]wasm[-_]go[-_]sdk|proxy-runtime/")
_MARKER = "proxy_abi_version_"
_EXPORTS = ("proxy_on_", "proxy_validate_", "_initialize", "_start", "main")


def is_own_path(path: str) -> bool:
    """Whether a file of source is the user's."""
    return _FOREIGN.search("/" + path.replace("\\", "/")) is None


class OwnNames:
    """Which functions of a module are the user's, as far as their names tell."""

    def __init__(self, names: Sequence[str]) -> None:
        self._is_go = any(map(_GO.match, names))
        self._has_sdk = any(map(_SDK.search, names))

    def __contains__(self, name: str) -> bool:
        """Whether that one is; an SDK's callbacks are not."""
        if _NAMES.match(name) is not None or name.startswith(_MARKER):
            return False
        if self._has_sdk and name.startswith(_EXPORTS) and "." not in name:
            return False
        return not self._is_go or _GO_OWN.match(name) is not None
