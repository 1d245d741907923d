"""Reads a config.pbtxt into the dict that initialize gets as JSON.

For tests only: the server reads configs with a parser that checks every field. This one knows the
protobuf text format, and which fields of a model's config are lists or maps.
"""

import re

LISTS = {
    "batch_input",
    "batch_output",
    "dims",
    "gpus",
    "input",
    "instance_group",
    "model_warmup",
    "output",
    "preferred_batch_size",
    "step",
}
MAPS = {"input_map", "inputs", "output_map", "parameters"}

TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*\s*)*
        (?:(?P<word>[A-Za-z_][\w.]*)|(?P<number>[-+]?[\d.][\w.+-]*)
        |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<mark>[][{}<>:,;]))""",
    re.VERBOSE,
)


class ConfigError(ValueError):
    """A config.pbtxt that cannot be read."""


def _tokens(text):
    place = 0
    while text[place:].strip() and (match := TOKEN.match(text, place)):
        place = match.end()
        yield match.lastgroup, match.group(match.lastgroup)
    rest = re.sub(r"#[^\n]*", "", text[place:]).strip()
    if rest:
        raise ConfigError(f"unexpected text in the config: {rest[:40]!r}")
    yield "end", ""


class _Reader:
    def __init__(self, text):
        self._tokens = list(_tokens(text))
        self._next = 0

    def take(self):
        token = self._tokens[self._next]
        self._next += 1
        return token

    def skip(self, *marks):
        while self._tokens[self._next] in [("mark", mark) for mark in marks]:
            self._next += 1

    def fields(self, end):
        """The fields up to the token `end`, as a dict."""
        found = {}
        while (token := self.take())[1] != end or token[0] == "string":
            if token[0] != "word":
                raise ConfigError(f"a field's name is expected, not {token[1]!r}")
            self.skip(":")
            self._add(found, token[1], self.value())
            self.skip(",", ";")
        return found

    def value(self):
        kind, text = self.take()
        if (kind, text) in [("mark", "{"), ("mark", "<")]:
            return self.fields("}" if text == "{" else ">")
        if (kind, text) == ("mark", "["):
            return self._list()
        if kind == "string":
            return self._string(text)
        if kind == "number":
            return float(text) if re.search(r"[.eE]", text) else int(text, 0)
        if kind == "word":
            return {"true": True, "false": False}.get(text, text)
        raise ConfigError(f"a value is expected, not {text!r}")

    def _list(self):
        found = []
        while self._tokens[self._next] != ("mark", "]"):
            found.append(self.value())
            self.skip(",")
        self.take()
        return found

    def _string(self, text):
        parts = [text]
        while self._tokens[self._next][0] == "string":
            parts.append(self.take()[1])
        raw = "".join(part[1:-1] for part in parts)
        return raw.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")

    def _add(self, found, name, value):
        values = value if isinstance(value, list) else [value]
        if name in MAPS and all(isinstance(item, dict) and "key" in item for item in values):
            found.setdefault(name, {}).update({item["key"]: item.get("value") for item in values})
        elif name in LISTS or isinstance(value, list):
            found.setdefault(name, []).extend(values)
        else:
            found[name] = value


def parse(text):
    """The fields of a model's config, as a dict."""
    return _Reader(text).fields("")
