"""docs/differences.md against what the tests show: every difference that a test lists is a row
there, and every row about the protocols is shown by a test."""

import ast
import re

import pytest

import differences
from differences import ANSWERS, GRPC_ANSWERS, GRPC_STREAMS
from grpc_requests import known as grpc_known
from harness.repository import ROOT
from http_corpus import known
from http_corpus.known import KNOWN

TESTS = ROOT / "tests"

# The row, by its first words, for each reason of a request that is answered otherwise.
ROWS = {
    "HTTP": {
        known.CLEAR: "an input that the model has not, besides all others",
        known.DAMAGED: "compressed bodies that are damaged",
        known.DECODED: "names in paths",
        known.DECOUPLED: "decoupled models",
        known.DEPTH: "nesting of JSON",
        known.EMPTY_LINE: "an empty line before a request",
        known.EXACT: "numbers in requests",
        known.EXTENSIONS: "chunk extensions",
        known.HEAD: "`HEAD`",
        known.LENGTH: "`Inference-Header-Content-Length` that is no number",
        known.MEMORY: "registering shared memory",
        known.NO_CLASSES: "classes of strings, or of nothing",
        known.NO_GPU: "registering a GPU's memory where there is no GPU",
        known.NO_ID: "empty `sequence_id`",
        known.NO_TRACE: "tracing",
        known.PARTS: "compression",
        known.POLITE: "malformed HTTP",
        known.SHAPE: "shapes of more elements than memory",
        known.STATUS: "`generate` with several answers or none",
        known.STRICT: "HTTP that others may read differently",
        known.UNLOADING: "unloading with a wrong parameter where models cannot be unloaded",
        known.UTF8: "strings that are not UTF-8, as JSON",
        known.ZSTD: "compression",
        differences.FAR_TOO_MANY: "shapes of more elements than memory",
        differences.POLITE: "malformed HTTP",
        differences.SECOND_LENGTH: "HTTP that others may read differently",
        differences.TOO_DEEP: "nesting of JSON",
    },
    "gRPC": {
        differences.BELOW_ZERO: "shapes with extents below zero",
        differences.NO_MESSAGE: "messages that are incomplete, or none",
        grpc_known.BROKEN: "frames that break HTTP/2",
        grpc_known.CLEAR: "what is wrong with a call",
        grpc_known.CODING: "codings that are unknown",
        grpc_known.DAMAGED: "compressed messages that are damaged",
        grpc_known.FAREWELL: "calls behind a client's GOAWAY",
        grpc_known.GIVEN_AGAIN: (
            "loading again with the config that a client gave before, and other files"
        ),
        grpc_known.MALFORMED: "requests that are malformed by HTTP/2",
        grpc_known.MEMORY: "registering shared memory",
        grpc_known.NAMES: "loading names that are empty, or lead elsewhere",
        grpc_known.NO_GPU: "registering a GPU's memory where there is no GPU",
        grpc_known.NUL: "strings with a NUL in requests that are not for inference",
        grpc_known.PADDING: "data with padding",
        grpc_known.PARTS: "gzip in several parts",
        grpc_known.REFLECTION: "reflection",
        grpc_known.SECOND: "a second message in a call of one",
        grpc_known.TOGETHER: "log settings of which one is wrong",
        grpc_known.TOO_LARGE: "messages of more than 2 GiB",
        grpc_known.TRACE: "tracing",
        grpc_known.UNREAD: "fields that a call does not need",
        grpc_known.VERSIONLESS: "the index, of a model that had no version when it was loaded",
        grpc_known.WATCH: "health",
    },
}

# The tests that show the other rows, of this folder or of tests/unit.
SHOWN = {
    "HTTP": {
        "Content-Type of errors": "test_http_corpus.py::test_answer",
        "NaN and infinities as JSON": "test_http_corpus.py::test_answer",
        "classes that are equal, or NaN": (
            "test_classification.py::test_of_equals_the_first_is_first"
        ),
        "shared memory beyond a region": "test_shared_memory.py::test_places_that_cannot_be",
        "shared memory that the client has cut": (
            "test_shared_memory.py::test_memory_that_is_cut_ends_nobody"
        ),
        "`OPTIONS` of browsers": "test_access.py::test_browsers_may_ask",
        "TLS": "test_tls.py::test_requests_are_served",
        "limits": "test_limits.py::test_whole_requests_are_limited",
        "`--http-header-forward-pattern`": "test_access.py::test_headers_are_forwarded",
        "a client that has closed its connection": (
            "test_gone_clients.py::test_the_model_hears_of_a_closed_connection"
        ),
        "requests sent before the answers are read": (
            "test_connections.py::test_requests_may_be_sent_before_the_answers_are_read"
        ),
    },
    "gRPC": {
        "health": "test_grpc_management.py::test_watchers_are_told_when_health_changes",
        "reflection": "test_grpc_management.py::test_reflection_describes_all_services",
        "tracing": "test_grpc_management.py::test_tracing_is_unimplemented",
        "a second message in a call of one": (
            "test_grpc_messages.py::test_a_second_message_is_refused"
        ),
        "messages that stop or trickle in": (
            "test_grpc_slow_clients.py::test_messages_that_stop_or_trickle_in_are_not_waited_for"
        ),
        "clients that do not read": "net/http2_limits.c::a_client_that_does_not_read_is_sent_away",
        "floods of resets, pings, settings, empty frames, windows": (
            "net/http2_limits.c::streams_that_are_reset_at_once_are_limited"
        ),
        "calls on a connection at a time": (
            "net/http2_limits.c::more_streams_than_allowed_are_refused"
        ),
        "`--grpc-http2-max-pings-without-data`": (
            "test_grpc_keepalive.py::test_pings_without_data_are_few"
        ),
        "`--grpc-header-forward-pattern`": "test_grpc_access.py::test_metadata_is_forwarded",
        "stopping": (
            "test_grpc_access.py::test_an_idle_client_does_not_keep_the_server_from_stopping"
        ),
    },
}


def rows(section):
    """The first cells of a section's table, and their reasons."""
    text = (ROOT / "docs" / "differences.md").read_text()
    (table,) = re.findall(rf"^## {section}\n\n((?:\|.*\n)+)", text, re.MULTILINE)
    lines = [line.strip("|").split(" | ") for line in table.splitlines()[2:]]
    return {cells[0].strip(): cells[-1].strip() for cells in lines}


def row_of(section, words):
    found = [row for row in rows(section) if row == words or row.startswith(words + " (")]
    assert len(found) == 1, f"rows of {section} that begin with {words!r}: {found}"
    return found[0]


@pytest.mark.parametrize("section", [*ROWS, "Scheduling and models"])
def test_every_row_has_a_reason(section):
    assert not [row for row, reason in rows(section).items() if not reason]


def test_every_listed_difference_is_a_row():
    over_http = {entry.reason for entry in (*KNOWN.values(), *ANSWERS.values())}
    over_grpc = {entry[-1] for entry in (*GRPC_ANSWERS.values(), *GRPC_STREAMS.values())}
    over_grpc |= {entry.reason for entry in grpc_known.CONTROL.values()}
    over_grpc |= {reason for reason, _ in grpc_known.OUTCOMES}
    assert over_http == ROWS["HTTP"].keys()
    assert over_grpc == ROWS["gRPC"].keys()


@pytest.mark.parametrize("section", ROWS)
def test_every_row_is_shown_by_a_test(section):
    shown = {row_of(section, words) for words in (*ROWS[section].values(), *SHOWN[section])}
    assert shown == rows(section).keys()


def names_in(file):
    if file.endswith(".c"):
        text = (TESTS / "unit" / file).read_text()
        return re.findall(r"^static void (\w+)\(void \*\*", text, re.MULTILINE)
    functions = ast.parse((TESTS / "e2e" / file).read_text()).body
    return [node.name for node in functions if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("name", [name for shown in SHOWN.values() for name in shown.values()])
def test_the_tests_that_are_named_exist(name):
    file, test = name.split("::")
    assert test in names_in(file)
