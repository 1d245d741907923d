# shellcheck shell=bash
# Sourced by the scripts that need a bare Debian 12: makes one in a folder, and runs commands in it.
# How this machine reaches Debian's and Python's packages (mirror, proxy, certificates, settings of
# pip) is carried over, so that it also works behind a mirror.

# mirror CODENAME DEFAULT: where apt finds that part of Debian here.
mirror() {
    local found
    # shellcheck disable=SC2016
    found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
        "Codename: $1" 2>/dev/null | head -n 1)
    echo "${found:-$2}"
}

# bare_root FOLDER [PACKAGE...]: what the image debian:12 holds, and the packages named.
bare_root() {
    local root=$1 debian security proxies=()
    shift
    debian=$(mirror bookworm http://deb.debian.org/debian)
    security=$(mirror bookworm-security http://deb.debian.org/debian-security)
    mapfile -t proxies < <(apt-config dump | grep -E '^Acquire::(http|https)::Proxy')
    mmdebstrap --quiet --variant=minbase "${proxies[@]/#/--aptopt=}" "${@/#/--include=}" bookworm "$root" \
        "deb $debian bookworm main" "deb $debian bookworm-updates main" \
        "deb $security bookworm-security main"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
    if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
        mkdir -p "$root/usr/local/share/ca-certificates"
        cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    fi
    carry_pip_settings "$root"
}

# Writes pip's settings of this machine into the root.
carry_pip_settings() {
    local root=$1
    python3 -m pip config list 2>/dev/null | python3 -c '
import ast, collections, sys
settings = collections.defaultdict(dict)
for line in sys.stdin:
    name, _, value = line.strip().partition("=")
    section, _, key = name.partition(".")
    section = "global" if section == ":env:" else section
    settings[section][key] = ast.literal_eval(value)
for section, values in settings.items():
    print(f"[{section}]")
    for key, value in values.items():
        print(f"{key} = {value}")
' >"$root/etc/pip.conf" || true
}

# The files and folders of this machine that pip's settings name, to be seen in the root as well. An
# index refers to what lies beside its folder "simple".
pip_paths() {
    local path
    grep -oE '(file://)?/[^ ]+' "$1/etc/pip.conf" | sed 's|^file://||; s|/simple$||' | sort -u |
        while read -r path; do
            if [ -e "$path" ] && [[ $path != /etc/ssl/* ]]; then
                echo "$path"
            fi
        done
}

# in_root FOLDER USER COMMAND: runs a line of shell in the root, with file systems and process ids of
# its own: whatever it starts has ended when this returns.
in_root() {
    local root=$1 user=$2 command=$3 home=/root
    [ "$user" = root ] || home=/home/$user
    mapfile -t shared < <(pip_paths "$root")
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        root=$1 user=$2 home=$3 command=$4
        shift 4
        cd /
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount -t tmpfs tmpfs "$root/dev"
        for node in null zero full random urandom tty; do
            : >"$root/dev/$node"
            mount --bind "/dev/$node" "$root/dev/$node"
        done
        ln -s /proc/self/fd "$root/dev/fd"
        mkdir "$root/dev/shm"
        mount -t tmpfs -o size=64m tmpfs "$root/dev/shm"
        for path in "$@"; do
            if [ -d "$path" ]; then
                mkdir -p "$root$path"
            else
                mkdir -p "$(dirname "$root$path")" && touch "$root$path"
            fi
            mount --bind "$path" "$root$path"
        done
        exec chroot "$root" /usr/bin/env -i HOME="$home" TERM=dumb LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            setpriv --reuid="$user" --regid="$user" --init-groups bash -c "$command"
    ' - "$root" "$user" "$home" "$command" "${shared[@]}"
}

# servers_in FOLDER: the ids of the servers that run in the root.
servers_in() {
    local process
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/root")" = "$1" ] &&
            [ "$(cat "$process/comm")" = hippocamp ]; then
            echo "${process#/proc/}"
        fi
    done 2>/dev/null
}
