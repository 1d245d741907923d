#!/bin/bash
# Format and lint of everything that is written by hand. `make check` calls this with .venv on PATH,
# after build/dev has been built: clang-tidy reads its compile commands and generated headers.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/parts.sh

c_files() {
    git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cc' '*.cu' '*.cuh'
}

c_format() {
    c_files | xargs clang-format --dry-run --Werror
}

c_lint() {
    python .venv/bin/run-clang-tidy.py -clang-tidy-binary .venv/bin/clang-tidy \
        -p build/dev -quiet -j "$(nproc)" '^(?!.*/build/).*/(src|python|tests)/.*\.cc?$'
}

python_code() {
    ruff format --check && ruff check
}

shell_scripts() {
    shellcheck -x -P tools tools/*.sh .ci/run
}

part "clang-format" c_format
part "clang-tidy" c_lint
part "ruff" python_code
part "shellcheck" shell_scripts
part "hadolint" hadolint Dockerfile
summary
