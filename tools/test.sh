#!/bin/bash
# The quick tests, one part after the other; a part that fails does not keep the next from running.
# `make test` calls this with .venv on PATH.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/parts.sh

sanitized() {
    cmake --preset asan >/dev/null && cmake --build build/asan &&
        ctest --test-dir build/asan --output-on-failure -j "$(nproc)"
}

# The unit tests that run more than one thread carry the label "threads".
threads() {
    cmake --preset tsan >/dev/null && cmake --build build/tsan &&
        ctest --test-dir build/tsan --output-on-failure -j "$(nproc)" -L threads
}

end_to_end() {
    pytest tests/e2e -q -n "$(workers)" --dist loadfile
}

part "unit tests and fuzz corpora, with AddressSanitizer" sanitized
part "unit tests of threads, with ThreadSanitizer" threads
part "end-to-end tests" end_to_end
summary
