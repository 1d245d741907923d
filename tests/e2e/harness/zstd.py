"""Zstandard by the library that the server links. A package for it would have the clients of the
tests ask for it in every request."""

import ctypes

_library = ctypes.CDLL("libzstd.so.1")
_library.ZSTD_compressBound.restype = ctypes.c_size_t
_library.ZSTD_compress.restype = ctypes.c_size_t
_library.ZSTD_decompress.restype = ctypes.c_size_t

LEVEL = 3


def compress(data):
    room = ctypes.create_string_buffer(_library.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    size = _library.ZSTD_compress(
        room, ctypes.c_size_t(len(room)), data, ctypes.c_size_t(len(data)), LEVEL
    )
    return room.raw[:size]


def decompress(data, most=1 << 20):
    """The content, which has `most` bytes at most."""
    room = ctypes.create_string_buffer(most)
    size = _library.ZSTD_decompress(room, ctypes.c_size_t(most), data, ctypes.c_size_t(len(data)))
    assert size <= most, "not Zstandard, or too much"
    return room.raw[:size]
