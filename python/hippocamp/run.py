"""Runs a model once, without a server.

    python -m hippocamp.run models/linear --input x=[[1,2,3]]

Values are JSON, or @FILE for an array saved by numpy.save. Outputs are printed as JSON, a line for
each response. To step through a model: python -m pdb -m hippocamp.run …, or with an editor that
speaks to debugpy: python -m debugpy --listen 5678 --wait-for-client -m hippocamp.run …
"""

import argparse
import json
import sys

import numpy as np

from hippocamp import Model, ModelError


def read_input(word):
    name, separator, value = word.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"NAME=VALUE is expected, not {word!r}")
    if value.startswith("@"):
        return name, np.load(value[1:])
    try:
        return name, json.loads(value)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is no JSON: {error}") from None


def as_json(array):
    if array.dtype == np.object_ or array.dtype.kind == "S":
        decode = np.vectorize(
            lambda s: s.decode("utf-8", "replace") if isinstance(s, bytes) else str(s),
            otypes=[object],
        )
        return (decode(array) if array.size else array).tolist()
    return array.tolist()


def parse_words(words):
    parser = argparse.ArgumentParser(
        prog="python -m hippocamp.run", description="Run a model once, without a server."
    )
    parser.add_argument("model", help="the model's folder in a repository")
    parser.add_argument("--version", help="the newest unless given")
    parser.add_argument(
        "--input", action="append", default=[], type=read_input, metavar="NAME=VALUE"
    )
    parser.add_argument("--parameters", type=json.loads, help="a JSON object")
    return parser.parse_args(words)


def main(words=None):
    options = parse_words(words)
    more = {} if options.parameters is None else {"parameters": options.parameters}
    with Model(options.model, options.version) as model:
        try:
            for outputs in model.stream(dict(options.input), **more):
                print(json.dumps({name: as_json(array) for name, array in outputs.items()}))
        except ModelError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
