"""Bodies that are compressed, or should be."""

import gzip
import zlib

from http_corpus.case import asking, get, infer, post, tensor, text_of

GOOD = text_of(asking(tensor([1, 2])))
ZIPPED = gzip.compress(GOOD, mtime=0)
DEFLATED = zlib.compress(GOOD)


def encoded(name, coding, content, *headers):
    return infer(f"body: {name}", "identity", content, [f"Content-Encoding: {coding}", *headers])


def accepting(value):
    return infer(f"accepting {value!r}", "identity", GOOD, [f"Accept-Encoding: {value}"])


def raw_deflate(data):
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()


def binary_case(name):
    text = text_of(asking(tensor(None, shape=[2], parameters={"binary_data_size": 8})))
    content = gzip.compress(text + b"\0\0\x80\x3f\0\0\0\x40", mtime=0)
    headers = [
        f"Inference-Header-Content-Length: {len(text)}",
        "Content-Encoding: gzip",
        "Accept-Encoding: deflate",
    ]
    return infer(name, "identity", content, headers)


CASES = [
    encoded("gzip", "gzip", ZIPPED),
    encoded("deflate", "deflate", DEFLATED),
    encoded("identity", "identity", GOOD),
    encoded("gzip that is called deflate", "deflate", ZIPPED),
    encoded("deflate that is called gzip", "gzip", DEFLATED),
    encoded("gzip in capitals", "GZIP", ZIPPED),
    encoded("br", "br", GOOD),
    encoded("x-gzip", "x-gzip", ZIPPED),
    encoded("twice", "gzip, gzip", gzip.compress(ZIPPED, mtime=0)),
    encoded("no coding", "", GOOD),
    encoded("not gzip", "gzip", GOOD),
    encoded("deflate without its frame", "deflate", raw_deflate(GOOD)),
    encoded("gzip that ends early", "gzip", ZIPPED[:-12]),
    encoded("gzip without its end", "gzip", ZIPPED[:-3]),
    encoded("gzip with a wrong sum", "gzip", ZIPPED[:-8] + b"1234" + ZIPPED[-4:]),
    encoded(
        "gzip in two parts",
        "gzip",
        gzip.compress(GOOD[:9], mtime=0) + gzip.compress(GOOD[9:], mtime=0),
    ),
    encoded("gzip and more", "gzip", ZIPPED + b"xyz"),
    encoded("nothing", "gzip", b""),
    infer("body: br for an unknown model", "nobody", GOOD, ["Content-Encoding: br"]),
    binary_case("body: gzip with binary data"),
    infer(
        "body: gzip that is raw",
        "identity",
        gzip.compress(b"\0\0\x80\x3f", mtime=0),
        ["Content-Encoding: gzip", "Inference-Header-Content-Length: 0"],
    ),
    encoded("gzip with too long a header", "gzip", ZIPPED, "Inference-Header-Content-Length: 9999"),
    *(
        accepting(value)
        for value in [
            "gzip",
            "deflate",
            "gzip, deflate",
            "deflate, gzip",
            "identity",
            "identity, gzip",
            "gzip;q=0.5, deflate;q=0.8",
            "gzip;q=0.5, deflate;q=0.8, identity;q=0.9",
            "gzip;q=0",
            "gzip;q=x",
            "gzip;q=2",
            "gzip;q=0.5",
            "GZIP",
            " gzip ;q=0.2, identity;q=0.1",
            "x-gzip",
            "br",
            "br, gzip",
            "*",
            "*;q=0.5, gzip;q=0.1",
            "",
            ",",
            "gzip,,deflate",
        ]
    ),
    infer("accepting gzip for an error", "identity", b"{", ["Accept-Encoding: gzip"]),
    get("accepting gzip for metadata", "/v2/models/identity", headers=["Accept-Encoding: gzip"]),
    post(
        "gzip for the repository",
        "/v2/repository/index",
        gzip.compress(b"{}", mtime=0),
        ["Content-Encoding: gzip"],
    ),
]
