#!/bin/bash
# Installs what the named groups need and is not there yet: Debian packages (apt-packages.txt), and
# Python packages (requirements*.txt) into .venv. Costs a fraction of a second when nothing is
# missing.
#
#     tools/setup.sh build [serve] [test] [check] [bench] [fuzz] [fresh]
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
pytorch_index=https://download.pytorch.org/whl/cpu
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() {
    echo "setup: $*"
}

die() {
    echo "setup: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root, and there is no sudo; as root, run: $*"
    fi
}

# The Debian packages of the groups that are not installed.
missing_packages() {
    awk -v groups=" $* " '!/^#/ && index(groups, " " $1 " ") { print $2 }' tools/apt-packages.txt |
        sort -u >"$scratch/wanted"
    # shellcheck disable=SC2016
    xargs dpkg-query -W -f '${Package} ${db:Status-Status}\n' <"$scratch/wanted" 2>/dev/null |
        awk '$2 == "installed" { print $1 }' | sort -u >"$scratch/present" || true
    comm -23 "$scratch/wanted" "$scratch/present"
}

install_packages() {
    command -v dpkg-query >/dev/null ||
        die "this is no Debian: install what tools/apt-packages.txt lists by hand"
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# Debian's own Python where there is one: it is the one whose shared library apt installs.
make_venv() {
    if "$venv/bin/python" -c '' 2>/dev/null; then
        return
    fi
    local python=/usr/bin/python3
    [ -x "$python" ] || python=$(command -v python3) || die "no python3"
    say "making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

pip_install() {
    "$venv/bin/pip" install --quiet --progress-bar off "$@"
}

has_torch() {
    "$venv/bin/python" - "$1" <<'PYTHON' 2>/dev/null
import importlib.metadata
import sys

sys.exit(importlib.metadata.version("torch").split("+")[0] != sys.argv[1])
PYTHON
}

# The build for CPUs from wherever pip is set up to look, else from PyTorch's own index; only where
# neither has it, the one of PyPI.
install_torch() {
    local version
    version=$(sed -n 's/^torch==//p' requirements.txt)
    if has_torch "$version"; then
        return
    fi
    say "installing torch $version for CPUs"
    if pip_install -c requirements.txt "torch==$version+cpu" 2>"$scratch/first"; then
        return
    fi
    if pip_install -c requirements.txt "torch==$version+cpu" \
        --retries 1 --extra-index-url "$pytorch_index" 2>"$scratch/second"; then
        return
    fi
    tail -n 1 "$scratch/first" "$scratch/second" >&2
    say "no CPU build of torch $version can be reached; PyPI's may bring gigabytes of GPU libraries"
    pip_install -c requirements.txt "torch==$version"
}

# install_requirements FILE: what FILE lists, unless just that has been installed before.
install_requirements() {
    local key stamp=$venv/.installed-${1%.txt}
    key=$(cat requirements-build.txt "$1" | sha256sum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
        return
    fi
    if [ "$1" = requirements.txt ]; then
        install_torch
    fi
    say "installing $1"
    pip_install -r "$1"
    echo "$key" >"$stamp"
}

[ $# -gt 0 ] || die "usage: tools/setup.sh GROUP..."
mkdir -p .cache
exec 9>.cache/setup.lock
flock 9
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

install_packages "$@"
for group in "$@"; do
    case $group in
        build) make_venv && install_requirements requirements-build.txt ;;
        serve) make_venv && install_requirements requirements.txt ;;
        test | check) make_venv && install_requirements "requirements-$group.txt" ;;
    esac
done
