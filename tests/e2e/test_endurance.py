"""A million requests of mixed shapes and texts to one instance: what shared memory is in use stays
as it was after the first ten thousand, and Python holds no more than it did.

How much is in use at most depends on which requests and responses meet. Among the first ten
thousand are therefore some, on twice as many connections, whose responses all wait to be read.
"""

import concurrent.futures
import json
import os
import random
import socket

import pytest

from harness.infer import body, outputs, post, tensor, with_blob

pytestmark = [
    pytest.mark.long,
    pytest.mark.hippocamp_only("about the memory of Hippocamp's own making"),
]

N_FIRST = 9_900
N_REQUESTS = 1_000_000
N_KINDS = 200
N_CONNECTIONS = 4
N_AT_A_TIME = 20


def make_request(server, kind):
    """One of the requests: one in four is so large that its output leaves in place."""
    choose = random.Random(kind)
    large = kind % 4 == 0
    shape = [choose.randint(130, 140), 128] if large else [choose.randint(1, 40), 7]
    size = 4 * shape[0] * shape[1]
    numbers = {
        "name": "NUMBERS",
        "datatype": "FP32",
        "shape": shape,
        "parameters": {"binary_data_size": size},
    }
    texts = ["ä" * choose.randint(0, 30) for _ in range(choose.randint(1, 20))]
    inputs = [numbers] + ([tensor("TEXTS", "BYTES", [len(texts)], texts)] if kind % 2 else [])
    wanted = [{"name": "NUMBERS", "parameters": {"binary_data": True}}]
    wanted += [{"name": "TEXTS"}] if kind % 2 else []
    data, headers = with_blob(body(*inputs, outputs=wanted), bytes(size))
    lines = [f"POST /v2/models/mixed/infer HTTP/1.1\r\nHost: {server.address}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(data)}\r\n\r\n"]
    return "\r\n".join(lines).encode() + data


def read_answer(file):
    status = int(file.readline().split()[1])
    size = 0
    while (line := file.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":")[1])
    answer = file.read(size)
    assert status == 200, answer


def connect(server, receive_buffer=None):
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.http_port))
    return connection


def send_many(server, n, seed):
    """Sends N requests in groups on one connection."""
    requests = [make_request(server, kind) for kind in range(N_KINDS)]
    choose = random.Random(seed)
    with connect(server) as connection, connection.makefile("rb") as file:
        for _ in range(n // N_AT_A_TIME):
            connection.sendall(b"".join(choose.choices(requests, k=N_AT_A_TIME)))
            for _ in range(N_AT_A_TIME):
                read_answer(file)


def send_all(server, n):
    with concurrent.futures.ProcessPoolExecutor(N_CONNECTIONS) as pool:
        each = [n // N_CONNECTIONS] * N_CONNECTIONS
        list(pool.map(send_many, [server] * N_CONNECTIONS, each, range(N_CONNECTIONS)))


def let_many_meet(server):
    """Has twice as many large responses wait as there will be connections."""
    largest = max((make_request(server, kind) for kind in range(N_KINDS)), key=len)
    for _ in range(10):
        connections = [connect(server, receive_buffer=4096) for _ in range(2 * N_CONNECTIONS)]
        for connection in connections:
            connection.sendall(largest)
        for connection in connections:
            connection.recv(1, socket.MSG_PEEK)
        for connection in connections:
            with connection, connection.makefile("rb") as file:
                read_answer(file)


def arena_bytes(server):
    """What of each arena has been touched, by the name of its memory file."""
    folder = f"/proc/{server.process.pid}/fd"
    sizes = {}
    for number in os.listdir(folder):
        target = os.readlink(f"{folder}/{number}")
        for name in ("hippocamp-requests", "hippocamp-responses"):
            if name in target:
                sizes[name] = os.stat(f"{folder}/{number}").st_blocks * 512
    return sizes


def python_counts(server):
    names = ["BLOCKS", "OBJECTS"]
    request = body(tensor("NUMBERS", "FP32", [1, 1], [1]), outputs=[{"name": n} for n in names])
    answer = outputs(post(server, "mixed", request))
    return {name: answer[name][0] for name in names}


class Address:
    """What the processes that send know of the server."""

    def __init__(self, server):
        self.http_port = server.http_port
        self.address = server.address


def test_a_million_requests(servers):
    server = servers.start("mixed")
    let_many_meet(server)
    send_all(Address(server), N_FIRST)
    python_counts(server)
    arenas, counts = arena_bytes(server), python_counts(server)
    send_all(Address(server), N_REQUESTS - N_FIRST)
    later_arenas, later_counts = arena_bytes(server), python_counts(server)
    print(json.dumps({"first": [arenas, counts], "last": [later_arenas, later_counts]}))
    assert set(arenas) == {"hippocamp-requests", "hippocamp-responses"}
    for name, size in arenas.items():
        assert later_arenas[name] <= 1.01 * size, name
    for name, n in counts.items():
        assert later_counts[name] <= n + 200, name
