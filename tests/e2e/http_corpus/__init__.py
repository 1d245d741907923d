"""Raw requests to every endpoint, good and bad, and the answers that NVIDIA's server gave.

HC_ORACLE='…' python tests/e2e/http_corpus/record.py        records them anew
"""

from http_corpus import (
    bodies,
    control,
    datatypes,
    endpoints,
    framing,
    generating,
    inference,
    memory,
    outputs,
)

# Cases of a group may follow from each other.
GROUPS = [
    endpoints.CASES,
    datatypes.CASES,
    inference.CASES,
    outputs.CASES,
    bodies.CASES,
    generating.CASES,
    memory.CASES,
    control.CASES,
    framing.CASES,
]

CASES = [case for group in GROUPS for case in group]
