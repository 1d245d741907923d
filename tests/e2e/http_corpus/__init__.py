"""Raw requests to every endpoint, good and bad, whose answers NVIDIA's server was recorded with."""

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

CASES = [
    *endpoints.CASES,
    *datatypes.CASES,
    *inference.CASES,
    *outputs.CASES,
    *bodies.CASES,
    *generating.CASES,
    *memory.CASES,
    *control.CASES,
    *framing.CASES,
]
