#!/bin/bash
# Types the README's commands in a bare Debian 12 that has nothing but git, in a clone of what is
# committed here; root is needed to make one.
#
#     tools/test-fresh.sh            as root, who has no sudo
#     tools/test-fresh.sh --sudo     as a user who has
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/bare-root.sh

prepare='apt-get update && apt-get install -y make'
question='curl -s localhost:8000/v2/models/linear/infer -d '
user=root
packages=(git)
if [ "${1:-}" = --sudo ]; then
    user=developer
    packages+=(sudo)
    prepare='sudo apt-get update && sudo apt-get install -y make'
fi

fail() {
    echo "test-fresh: $*" >&2
    exit 1
}

# What is typed must be what the README says.
in_readme() {
    grep -qF -- "$1" README.md || fail "README.md does not say: $1"
}

typed() {
    printf '\n$ %s\n' "$1"
    in_root "$root" "$user" "cd ~/hippocamp && $1"
}

[ "$(id -u)" = 0 ] || fail "root is needed to make a root file system"
in_readme "apt-get install -y make"
in_readme "make serve"
in_readme "make test"
ask=$(grep -F -- "$question" README.md | head -n 1) || fail "README.md does not ask the seed model"

root=$(mktemp -d /var/tmp/bare-debian.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
bare_root "$root" "${packages[@]}"
home=$root/root
if [ $user != root ]; then
    home=$root/home/$user
    chroot "$root" useradd --create-home --user-group "$user"
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$user"
fi
git clone --quiet --no-local . "$home/hippocamp"
chroot "$root" chown -R "$user:$user" "${home#"$root"}"

typed "$prepare"

log=$root/serve.log
typed "make serve" >"$log" 2>&1 &
serve=$!
until grep -q 'Started HTTPService' "$log"; do
    kill -0 $serve 2>/dev/null || { cat "$log"; fail "make serve ended"; }
    sleep 0.5
done
printf '\n$ %s\n' "$ask"
answer=$(bash -c "$ask")
echo "$answer"
# The weights of the seed model are round, so that its answer can be written down.
[[ $answer == *'"data":[1.625]'* ]] || fail "the seed model did not answer"
servers_in "$root" | xargs kill -TERM
wait $serve || fail "make serve did not end well"

typed "make test"
printf '\ntest-fresh: both commands work in a bare Debian 12, as %s\n' "$user"
