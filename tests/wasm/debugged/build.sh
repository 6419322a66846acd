#!/usr/bin/env bash
# Build the modules with debug information that the tests look into: `bash tests/wasm/debugged/build.sh`.
#
# Needs Debian 12: clang-19, lld-19 (from bookworm's llvm-toolchain-19), rustc with libstd-rust-dev-wasm32, lld-14, and
# what `samples/build.sh` leaves: Rust's library without its own debug info, and AssemblyScript. Compiling and linking
# are two steps because clang would run wasm-opt, if there is one. Sources are remapped to /build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# c SOURCE MODULE FLAG…: compile and link without a library.
c() {
    clang-19 --target=wasm32 -ffreestanding -nostdlib -fno-exceptions -fno-rtti -ffile-prefix-map="$PWD=/build" "${@:3}" -c "$1" -o "$out/c.o"
    wasm-ld-19 --no-entry "$out/c.o" -o "$2"
}

for version in 4 5; do
    for level in 0 2; do
        c shapes.c "shapes.dwarf$version.O$level.wasm" -gdwarf-$version -O$level
        c texts.cc "texts.dwarf$version.O$level.wasm" -gdwarf-$version -O$level -std=c++17
    done
done
../../../samples/allow_header_as/node_modules/.bin/asc mapped.ts --runtime stub --sourceMap -O0 --debug -o mapped.wasm
for level in 0 2; do
    RUSTC_BOOTSTRAP=1 /usr/bin/rustc --target wasm32-unknown-unknown -g -C opt-level=$level -C panic=abort -C linker="$PWD/../../../samples/link_without_std_debug.sh" \
        -C linker-flavor=wasm-ld -C overflow-checks=off -C debug-assertions=off --remap-path-prefix "$PWD=/build" rusty.rs -o "$out/rusty.wasm"
    python3 ../../../samples/drop_sections.py "$out/rusty.wasm" .debug_pubnames .debug_pubtypes $([ $level = 0 ] && echo name)
    cp "$out/rusty.wasm" "rusty.O$level.wasm"
done
