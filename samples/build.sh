#!/usr/bin/env bash
# Build the sample plugins: `bash samples/build.sh [NAME…]`, all of them without a name.
#
# Needs Debian 12 and the package registries; whatever is missing is installed. The Rust samples are built with
# Debian's own Rust 1.63: it still has the target the Istio tutorials name, wasm32-wasi. A newer Rust calls the same
# target wasm32-wasip1: `cargo build --release --target wasm32-wasip1 -p NAME` in this folder builds the same plugin.
#
# No path of the machine may end up in a module: sources are remapped to `samples/…` and `vendor/…`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
all=(
    allow_header allow_header_as allow_header_c allow_header_go
    config_loading grpc_auth http_auth rate_limit response_body service_name
)

main() {
    local name
    [ $# -gt 0 ] || set -- "${all[@]}"
    need wasm-validate wabt
    for name in "$@"; do
        case $name in
        service_name) rust "$name" wasm32-unknown-unknown ;;
        allow_header) rust "$name" wasm32-wasi && rust_debug "$name" ;;
        response_body | http_auth | config_loading | rate_limit | grpc_auth) rust "$name" wasm32-wasi ;;
        allow_header_as) assemblyscript "$name" ;;
        allow_header_c) c "$name" ;;
        allow_header_go) go_wasip1 "$name" ;;
        *) echo "no sample called '$name'; there are: ${all[*]}" >&2 && return 2 ;;
        esac
        finish "$name"
    done
}

# need THING PACKAGE: install the Debian package unless the command or file is there.
need() {
    { command -v "$1" >/dev/null || [ -e "$1" ]; } && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# rust NAME TARGET: build the crate and copy its module to NAME/plugin.wasm.
rust() {
    cargo_build --release --target "$2" --package "$1"
    cp "target/$2/release/$1.wasm" "$1/plugin.wasm"
}

# rust_debug NAME: build the crate for a debugger and copy its module to NAME/plugin.debug.wasm.
rust_debug() {
    linker=$here/link_without_std_debug.sh cargo_build --target wasm32-wasi --package "$1"
    cp "target/wasm32-wasi/debug/$1.wasm" "$1/plugin.debug.wasm"
    # Two indexes that repeat what .debug_info says, and that no debugger of Wasm reads.
    python3 drop_sections.py "$1/plugin.debug.wasm" .debug_pubnames .debug_pubtypes
}

cargo_build() {
    need /usr/bin/cargo cargo
    need /usr/bin/rustc rustc
    need wasm-ld-14 lld-14
    need /usr/lib/rustlib/wasm32-wasi libstd-rust-dev-wasm32
    vendor
    RUSTC=/usr/bin/rustc \
        RUSTFLAGS="--remap-path-prefix=$here=samples --remap-path-prefix=$here/target/vendor=vendor" \
        CARGO_TARGET_WASM32_WASI_LINKER="${linker:-wasm-ld-14}" \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-14 \
        /usr/bin/cargo --config 'source.crates-io.replace-with="vendor"' --config 'source.vendor.directory="target/vendor"' \
        build --quiet --jobs 2 --offline --locked "$@"
}

# go_wasip1 NAME: compile with one certain Go, which any Go from 1.21 on fetches by itself.
go_wasip1() {
    command -v go >/dev/null || { echo "$1 needs Go 1.21 or later; Debian 12 has only 1.19" >&2 && return 1; }
    (cd "$1" && GOTOOLCHAIN=go1.26.8 GOOS=wasip1 GOARCH=wasm GOFLAGS= \
        go build -p 2 -trimpath -buildvcs=false -buildmode=c-shared -o plugin.wasm .)
}

# assemblyscript NAME: run the sample's own npm script.
assemblyscript() {
    need npm npm
    (cd "$1" && npm ci --silent --ignore-scripts && npm run --silent build)
}

# c NAME: compile NAME/plugin.c without a library. The linker is called by hand because clang would run wasm-opt, if
# there is one, and lose the function names.
c() {
    need clang-14 clang-14
    need wasm-ld-14 lld-14
    mkdir -p target/c
    clang-14 --target=wasm32-unknown-unknown -std=c17 -Os -ffreestanding -Wall -Wextra -Werror -c "$1/plugin.c" -o "target/c/$1.o"
    wasm-ld-14 --no-entry "target/c/$1.o" -o "$1/plugin.wasm"
}

# Fetch the crates once. This cargo reads the registry's sparse index only behind an unstable flag, so the fetch gets
# the flag and the build does not.
vendor() {
    [ target/vendor -nt Cargo.lock ] && return
    rm -rf target/vendor
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo -Z sparse-registry vendor --quiet --locked target/vendor >/dev/null
    touch target/vendor
}

# finish NAME: check every module of the sample and print its size.
finish() {
    local module
    for module in "$1"/*.wasm; do
        wasm-validate "$module"
        # The start of any machine's path: the folder we build in, the home of its user.
        if grep -qaF -e "$here" -e "$HOME/" "$module"; then
            echo "$module names a path of this machine" >&2
            return 1
        fi
        printf '%8d  samples/%s\n' "$(stat -c %s "$module")" "$module"
    done
}

main "$@"
