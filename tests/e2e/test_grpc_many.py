"""A thousand streams of one client, and a thousand connections: nothing is lost, and memory is
bounded."""

import asyncio
import resource

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as pb

from harness.http2 import Connection, message

pytestmark = pytest.mark.long

N = 1000
N_ROUNDS = 3
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers.start("identity")


def resident_kb(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        (line,) = [line for line in file if line.startswith("VmRSS")]
    return int(line.split()[1])


def request_of(number):
    request = pb.ModelInferRequest(model_name="identity", id=str(number))
    request.inputs.add(name="INPUT0", datatype="FP32", shape=[1])
    request.raw_input_contents.append(np.float32(number).tobytes())
    return request.SerializeToString()


async def talk(channel, number):
    """A stream whose requests wait for answers, so that all streams are open at once."""
    call = channel.stream_stream(STREAM)()
    answers = []
    for i in range(N_ROUNDS):
        await call.write(request_of(number * N_ROUNDS + i))
        answers.append(pb.ModelStreamInferResponse.FromString(await call.read()).infer_response)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    return [(int(a.id), np.frombuffer(a.raw_output_contents[0], np.float32)[0]) for a in answers]


def test_a_thousand_streams_of_one_client(server):
    async def run():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            return await asyncio.gather(*(talk(channel, i) for i in range(N)))

    before_kb = resident_kb(server)
    answers = [pair for stream in asyncio.run(run()) for pair in stream]
    assert sorted(number for number, _ in answers) == list(range(N * N_ROUNDS))
    assert all(value == number for number, value in answers)
    assert resident_kb(server) - before_kb < 64 << 10


def test_a_thousand_connections(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * N)), hard))
    before_kb = resident_kb(server)
    connections = [Connection(server) for _ in range(N)]
    streams = [connection.open() for connection in connections]
    for i, (connection, stream) in enumerate(zip(connections, streams)):
        connection.data(stream, message(request_of(i)))
    for i, (connection, stream) in enumerate(zip(connections, streams)):
        answer = connection.wait(stream)
        assert answer.status == 0
        ((_, data),) = answer.messages()
        assert pb.ModelInferResponse.FromString(data).id == str(i)
    used_kb = resident_kb(server) - before_kb
    for connection in connections:
        connection.close()
    assert used_kb < 100 << 10
    assert used_kb > 0
    print(f"{used_kb / N:.1f} KB for each connection")
