#!/bin/bash
# Serves the fixture models with every Python from 3.9 on that is found (on PATH, and those of
# pyenv), each with the oldest and the newest NumPy that it can have. `make test-pythons` calls this
# with .venv on PATH; the tests themselves always run with the Python of .venv.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/parts.sh

# What is served by models that need nothing but NumPy.
tests=(tests/e2e/test_{models,datatypes,model_errors,output,instances,crash}.py)

# The first NumPy from 1.22 on that has wheels for a Python.
declare -A oldest_numpy=(
    [3.9]=1.22.4 [3.10]=1.22.4 [3.11]=1.23.5 [3.12]=1.26.4 [3.13]=2.1.3 [3.14]=2.3.4
)

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# One interpreter for each version, the first that is found.
find_pythons() {
    local python version
    declare -A seen=()
    for python in /usr/bin/python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 \
        $(compgen -c python3. | sort -uV); do
        version=$(version_of "$python") || continue
        if [ -n "${oldest_numpy[$version]:-}" ] && [ -z "${seen[$version]:-}" ]; then
            seen[$version]=1
            echo "$version $python"
        fi
    done
}

# serve_with PYTHON NUMPY: runs the tests with models in an environment of these two.
serve_with() {
    local environment
    environment=$(mktemp -d "$PWD/.cache/python.XXXXXX")
    "$1" -m venv "$environment" &&
        "$environment/bin/pip" install --quiet --disable-pip-version-check "$2" &&
        HC_MODEL_PYTHON=$environment/bin/python \
            pytest "${tests[@]}" -q -n "$(workers)" --dist loadfile
    local status=$?
    rm -rf "$environment"
    return $status
}

while read -r version python; do
    part "Python $version, NumPy ${oldest_numpy[$version]}" \
        serve_with "$python" "numpy==${oldest_numpy[$version]}"
    part "Python $version, the newest NumPy" serve_with "$python" numpy
done < <(find_pythons)
summary
