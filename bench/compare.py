"""Compares two servers on the same repositories in the same run.

    bench/compare.py [--a hippocamp] [--b oracle] [--rounds 3] [--seconds 3] [--only TEXT …]

The servers take turns (A B, B A, A B, …), so that a change of the machine meets both. What counts
is the median over the rounds of the ratio A / B. `oracle` is NVIDIA's server, started by the
command in the environment variable HC_ORACLE; comparing a server with itself shows how far the
ratios can be trusted. Exits with 1 when Hippocamp misses a target.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import measure  # noqa: E402

# What Hippocamp has to reach: at most, or at least, this many times NVIDIA's value.
TARGETS = {
    "seed, JSON, 1 conn. p50 ms": ("<=", 0.5),
    "seed, JSON, 64 conn. rps": (">=", 3.0),
    "seed, JSON, 64 conn. p99 ms": ("<=", 0.5),
    "identity, 4 KB, 16 conn. rps": (">=", 2.0),
    "identity, 1 MB, 4 conn. rps": (">=", 1.7),
    "identity, 16 MB, 2 conn. rps": (">=", 3.0),
    "10000 strings, JSON, 2 conn. rps": (">=", 4.0),
    "100000 floats, JSON, 2 conn. rps": (">=", 3.0),
    "2000 events, 1 conn. rps": (">=", 5.0),
    "dynamic batching, 64 conn. rps": (">=", 2.5),
    "dynamic batching, 64 conn. batch": (">=", 1.0),
    "ensemble of three, 1 conn. p50 ms": ("<=", 0.5),
    "ensemble of three, 32 conn. rps": (">=", 3.0),
    "BLS of ten calls, 1 conn. rps": (">=", 5.0),
    "BLS of ten calls, 16 conn. rps": (">=", 5.0),
    "gRPC: seed, 1 conn. p50 ms": ("<=", 0.4),
    "gRPC: seed, 16 conn. rps": (">=", 5.0),
    "gRPC: identity, 1 MB, 4 conn. rps": (">=", 1.7),
    "gRPC: identity, 16 MB in shared memory, 1 conn. rps": (">=", 2.0),
    "gRPC: identity, 16 MB viewed in shared memory, 1 conn. rps": (">=", 3.0),
    "gRPC: 10000 responses, 1 conn. rps": (">=", 5.0),
    **{
        f"{name} {quantity}": ("<=", limit)
        for name in measure.LIVES
        if name.startswith("identity")  # the others are mostly what they import
        for quantity, limit in (("start s", 0.2), ("memory MB", 0.65), ("stop s", 0.1))
    },
}


def is_met(target, ratio):
    relation, limit = target
    return ratio <= limit if relation == "<=" else ratio >= limit


def one_turn(kind, folder, options):
    values = measure.load(kind, folder, options.only, options.seconds)
    return values | measure.life(kind, folder, options.only)


def all_turns(options):
    """The values of A and of B, one entry a round."""
    turns = {"a": [], "b": []}
    for i in range(options.rounds):
        for side in ("ab", "ba")[i % 2]:
            kind = getattr(options, side)
            print(f"round {i + 1} of {options.rounds}: {kind}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="hippocamp-bench-") as folder:
                turns[side].append(one_turn(kind, pathlib.Path(folder), options))
    return turns["a"], turns["b"]


def rows_of(a, b, with_targets):
    """A row for each quantity: medians, the median ratio, its extremes, and the target."""
    rows = []
    for name in a[0]:
        ratios = [x[name] / y[name] for x, y in zip(a, b)]
        target = TARGETS.get(name) if with_targets else None
        ratio = statistics.median(ratios)
        rows.append(
            {
                "name": name,
                "a": statistics.median(x[name] for x in a),
                "b": statistics.median(y[name] for y in b),
                "ratio": ratio,
                "lowest_ratio": min(ratios),
                "highest_ratio": max(ratios),
                "target": f"{target[0]} {target[1]}" if target else "",
                "met": is_met(target, ratio) if target else None,
            }
        )
    return rows


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def print_table(rows, options):
    print(f"\nA = {options.a}, B = {options.b}, {options.rounds} rounds of {options.seconds} s\n")
    head = ("", "A", "B", "A / B", "from", "to", "target", "")
    verdicts = {True: "pass", False: "FAIL", None: ""}
    cells = [head] + [
        (
            row["name"],
            number(row["a"]),
            number(row["b"]),
            f"{row['ratio']:.2f}",
            f"{row['lowest_ratio']:.2f}",
            f"{row['highest_ratio']:.2f}",
            row["target"],
            verdicts[row["met"]],
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    for line in cells:
        first, *others = line
        words = [first.ljust(widths[0])]
        words += [word.rjust(width) for word, width in zip(others, widths[1:])]
        print("  ".join(words).rstrip())


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--a", default="hippocamp", choices=("hippocamp", "oracle"))
    parser.add_argument("--b", default="oracle", choices=("hippocamp", "oracle"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each row")
    parser.add_argument("--only", nargs="+", default=[""], help="rows with one of these texts")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build" / "bench.json")
    return parser.parse_args()


def write_report(path, report):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


def main():
    options = read_options()
    a, b = all_turns(options)
    report = {"cores": len(os.sched_getaffinity(0)), "rounds_a": a, "rounds_b": b}
    write_report(options.json, report)
    rows = rows_of(a, b, (options.a, options.b) == ("hippocamp", "oracle"))
    print_table(rows, options)
    write_report(options.json, {"rows": rows, **report})
    missed = [row["name"] for row in rows if row["met"] is False]
    n_targets = sum(row["met"] is not None for row in rows)
    if n_targets:
        print(f"\n{n_targets - len(missed)} of {n_targets} targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
