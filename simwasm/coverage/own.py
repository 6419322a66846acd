"""What a user wrote, and what came with toolchains, SDKs and packages: told by paths, or by names where there are none.

Rules that live here, all of them; where nothing says otherwise, the user wrote it.
"""

from __future__ import annotations

import re

_FOLDERS = (
    r"/rustc/[0-9a-f]+/", r"/rustc-\d[^/]*/library/", r"/lib/rustlib/", r"/\.rustup/", r"/\.cargo/(registry|git)/",
    r"/cargo/(registry|git)/", r"/rust/deps/",
    r"/tinygo/(src|lib)/", r"/go/(src|pkg)/", r"/go\d[^/]*/src/", r"/pkg/mod/", r"/libexec/src/",
    r"/emsdk/", r"/emscripten/", r"/wasi-sdk[^/]*/", r"/wasi-libc/", r"/wasi-sysroot/", r"/wasilibc/",
    r"/usr/(include|lib|share)/", r"/llvm[^/]*/", r"/compiler-rt/", r"/libcxx(abi)?/", r"/libunwind/",
    r"/dlmalloc/", r"/libc-(top|bottom)-half/", r"/musl/src/",
    r"/external/", r"/third_party/", r"/node_modules/", r"/vendor/", r"/~lib/",
)  # fmt: skip
_FOREIGN = re.compile("|".join(_FOLDERS))

_NAMES = re.compile(
    r"<?(_\$LT\$)?(core|wasi|std|alloc|proxy_wasm|hashbrown|dlmalloc|compiler_builtins|memchr|rustc_demangle|miniz_oxide|gimli"
    r"|addr2line|object|panic_abort|panic_unwind|cfg_if|log|wee_alloc)::"
    r"|<&?(mut )?(core|std|alloc|\(|\[|str|[ui](\d+|size)|f\d+|bool|char|T\b|&)|_\$LT\$"
    r"|_*(rust|rg|rdl|wasm|wasi|cxa|lshr|ashl|mul|div|mod|stdio|original)|_?(r|d)l?malloc|_Exit"
    r"|(runtime|reflect|internal|syscall|strings|strconv|errors|fmt|io|os|math|sort|sync|time|unicode|bytes|bufio"
    r"|encoding|context|path|type:)[./(]|go:|_rt0_|wasm_|cmpbody|memeqbody|gcWriteBarrier|gogo|memcmp|memequal"
    r"|github\.com/(tetratelabs|proxy-wasm)/proxy-wasm-go-sdk"
    r"|~lib/|~|.*node_modules/|export:~lib"
    r"|(mem(cpy|set|move|cmp|chr)|str(len|n?cmp|n?cpy|dup|chr|chrnul)|stpcpy|getenv|getcwd|malloc|calloc|realloc|free|abort|exit|sbrk)$"
)  # fmt: skip


def is_own_path(path: str) -> bool:
    """Whether a file of source is the user's."""
    return _FOREIGN.search("/" + path.replace("\\", "/")) is None


def is_own_name(name: str) -> bool:
    """Whether a function is the user's, as far as its name tells."""
    return _NAMES.match(name) is None
