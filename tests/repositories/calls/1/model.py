"""Asks other models: the client sends the body of a function of that does it.

The function has `pb_utils`, `np`, `ask` and `values`; what it returns comes back as JSON. A body
with `await` in it runs as a coroutine.
"""

import asyncio
import json
import textwrap
import threading

import numpy as np
import triton_python_backend_utils as pb_utils


def ask(model_name, *arrays, outputs=("OUTPUT0",), **more):
    """A request to a model whose inputs are INPUT0, INPUT1 and so on."""
    inputs = [pb_utils.Tensor(f"INPUT{i}", array) for i, array in enumerate(arrays)]
    return pb_utils.InferenceRequest(
        model_name=model_name, requested_output_names=list(outputs), inputs=inputs, **more
    )


def values(response):
    """The outputs of a response as lists by name, or the text of its error."""
    if response.has_error():
        return response.error().message()
    return {tensor.name(): tensor.as_numpy().tolist() for tensor in response.output_tensors()}


def ask_first(i):
    """What a pool of processes may be given, which takes functions of modules only."""
    return values(ask("identity", np.full(3, i, dtype=np.float32)).exec())["OUTPUT0"][0]


SCOPE = {
    "asyncio": asyncio,
    "json": json,
    "threading": threading,
    "np": np,
    "pb_utils": pb_utils,
    "ask": ask,
    "values": values,
    "ask_first": ask_first,
}


def compile_program(text):
    prefix = "async def" if "await" in text else "def"
    scope = dict(SCOPE)
    exec(f"{prefix} program():\n" + textwrap.indent(textwrap.dedent(text), "    "), scope)
    return scope["program"]


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            tensor = pb_utils.get_input_tensor_by_name(request, "PROGRAM")
            program = compile_program(tensor.as_numpy()[0].decode())
            result = program()
            if asyncio.iscoroutine(result):
                result = asyncio.run(result)
            array = np.array([json.dumps(result)], dtype=np.object_)
            responses.append(
                pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("RESULT", array)])
            )
        return responses
