#!/bin/bash
# Installs the machine-learning frameworks that models/frameworks/ serves into .cache/frameworks and asks
# every model. `make test-frameworks` calls this with .venv on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=.cache/frameworks
if ! cmp -s requirements-frameworks.txt "$environment/installed"; then
    rm -rf "$environment"
    .venv/bin/python -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check \
        -r requirements-frameworks.txt
    cp requirements-frameworks.txt "$environment/installed"
fi
HC_FRAMEWORKS_PYTHON=$PWD/$environment/bin/python pytest tests/e2e/test_frameworks.py -q
