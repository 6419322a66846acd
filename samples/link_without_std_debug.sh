#!/usr/bin/env bash
# A linker for rustc: wasm-ld, but the standard library goes in without its debug info.
#
# Debian ships that library with 40 MB of it, which nobody steps through and which would make the module nine times as
# large. wasm-ld cannot drop debug info of some inputs only, so those objects are stripped first, once.
set -euo pipefail
stripped=$(dirname "${BASH_SOURCE[0]}")/target/std

arguments=()
for argument in "$@"; do
    if [[ $argument == /usr/lib/rustlib/*.rlib ]]; then
        objects=$stripped/$(basename "$argument" .rlib)
        if [ ! -d "$objects" ]; then
            mkdir -p "$objects.new"
            ar x --output "$objects.new" "$argument"
            for object in "$objects.new"/*.o; do
                wasm-ld-14 --relocatable --strip-debug "$object" -o "$object"
            done
            mv "$objects.new" "$objects"
        fi
        arguments+=("$objects"/*.o) # all of them; --gc-sections drops what is not used
    else
        arguments+=("$argument")
    fi
done
exec wasm-ld-14 "${arguments[@]}"
