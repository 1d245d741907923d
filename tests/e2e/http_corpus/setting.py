"""What the corpus is about: models, and memory that clients share."""

import contextlib
import pathlib

from http_corpus import memory

MODELS = [
    "add_sub",
    "batched",
    "identity",
    "misbehaves",
    "optional",
    "repeat",
    "request_info",
    "scores",
    "strings",
    "versions",
]
DATATYPES = [
    *("BOOL", "FP16", "FP64", "INT8", "INT16", "INT32", "INT64"),
    *("UINT8", "UINT16", "UINT32", "UINT64", "BYTES"),
]


def fill(repository):
    """Adds the models that the requests are for."""
    for model in MODELS:
        repository.add(model)
    for datatype in DATATYPES:
        in_config = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
        repository.add("identity", datatype.lower(), edit={"TYPE_FP32": in_config})
    return repository.add("identity", "counted")


@contextlib.contextmanager
def shared_memory():
    """The memory that requests name, for as long as the context lasts."""
    paths = [pathlib.Path(f"/dev/shm{key}") for key in (memory.KEY, memory.KEY_2)]
    for path in paths:
        path.write_bytes(bytes(range(64)) * (memory.SIZE // 64))
    try:
        yield
    finally:
        for path in paths:
            path.unlink()
