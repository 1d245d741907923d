#!/bin/bash
# All tests with sanitizers: the unit tests with each, and the end-to-end tests against a server and
# models' processes that were built with AddressSanitizer and UndefinedBehaviorSanitizer.
# `make test-sanitize` calls this with .venv on PATH.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/parts.sh

unit_tests() {
    cmake --preset "$1" >/dev/null && cmake --build "build/$1" &&
        ctest --test-dir "build/$1" --output-on-failure -j "$(nproc)"
}

# CPython leaves memory to the end of the process by design, so leaks are looked for in the unit
# tests only. AddressSanitizer keeps what is freed, so the server's size says nothing either. A Python
# that is not the server's has to load its library before the module does.
end_to_end() {
    HC_SERVER=build/asan/bin/hippocamp HC_PRELOAD=$(gcc -print-file-name=libasan.so) \
        ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1 \
        pytest tests/e2e -q -n "$(workers)" --dist loadfile \
        --deselect tests/e2e/test_bad_requests.py::test_nothing_is_leaked \
        --deselect tests/e2e/test_linear_memory.py \
        --deselect tests/e2e/test_reloads.py::test_nothing_fails_or_grows
}

# Kernels for GPUs run in the process of their tests here, compiled for the processor.
kernels() {
    HC_SANITIZE_KERNELS=1 LD_PRELOAD=$(gcc -print-file-name=libasan.so) \
        ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 \
        pytest tests/e2e/test_gpu_kernels.py -q
}

part "unit tests with AddressSanitizer" unit_tests asan
part "unit tests with ThreadSanitizer" unit_tests tsan
part "kernels with AddressSanitizer" kernels
part "end-to-end tests with AddressSanitizer" end_to_end
summary
