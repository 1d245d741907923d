# shellcheck shell=bash
# Sourced by the test scripts: runs named parts, keeps their results, and prints them at the end.

part_results=()
part_failed=0

# part NAME COMMAND...: runs the command, whatever became of the parts before it.
part() {
    local name=$1 begun=$SECONDS result=passed
    shift
    printf '\n== %s\n' "$name"
    if ! "$@"; then
        result=FAILED
        part_failed=1
    fi
    part_results+=("$(printf '%-7s %4d s  %s' "$result" $((SECONDS - begun)) "$name")")
}

# The exit status is that of all parts together.
summary() {
    printf '\n== summary\n'
    printf '%s\n' "${part_results[@]}"
    return $part_failed
}

# How many end-to-end tests to run side by side: they wait more than they work.
workers() {
    local n
    n=$(nproc)
    echo $((n < 4 ? n + 1 : n > 8 ? 8 : n))
}
