#!/bin/sh
# Builds the kernels: MVP instructions only, because some of the peers know no others.
# Debian: apt-get install clang-19 lld-19
set -eu
cd "$(dirname "$0")"
for source in *.c; do
    clang-19 --target=wasm32 -mcpu=mvp -O2 -nostdlib -fno-builtin -Wl,--no-entry,--export=run,--strip-all,-z,stack-size=4096 \
        -o "${source%.c}.wasm" "$source"
done
