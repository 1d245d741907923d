#!/bin/bash
# Searches for inputs that break a parser: every fuzz target for the given number of seconds, from
# its corpus on. What breaks one is left in build/fuzz/found/TARGET.
#
#     tools/fuzz.sh SECONDS [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
shift
cmake -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 \
    -DHC_CUDA=OFF -DHC_FUZZ=ON -DHC_SANITIZE=fuzzer-no-link,address,undefined >/dev/null
cmake --build build/fuzz

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    for corpus in tests/fuzz/corpus/*/; do
        targets+=("$(basename "$corpus")")
    done
fi
for target in "${targets[@]}"; do
    printf '\n== %s\n' "$target"
    found=build/fuzz/found/$target
    mkdir -p "$found"
    "build/fuzz/tests/fuzz/$target" -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="$found/" -timeout=10 "$found" "tests/fuzz/corpus/$target"
done
