"""A model in this process."""

import asyncio
import importlib
import inspect
import json
import pathlib
import sys

import numpy as np
import triton_python_backend_utils as pb_utils

from hippocamp import _hippocamp
from hippocamp.config import parse


class ModelError(Exception):
    """A model answered a request with an error; `code` is that of its TritonError."""

    def __init__(self, error):
        super().__init__(error.message())
        self.code = error.code()


class ResponseSender:
    """Collects what a model sends, by the rules of pb_utils.InferenceResponseSender."""

    def __init__(self):
        self.responses = []
        self.closed = False

    def send(self, response=None, flags=0):
        if flags not in (0, pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL):
            raise pb_utils.TritonModelException(
                "Unable to send response. Unsupported flag provided."
            )
        if flags == 0 and response is None:
            raise pb_utils.TritonModelException(
                "Inference Response object must be provided when the response flags is set to zero."
            )
        if self.closed:
            raise pb_utils.TritonModelException(
                "Unable to send response. Response sender has been closed."
            )
        if response is not None:
            self.responses.append(response)
        self.closed = flags == pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL

    def is_cancelled(self):
        return False


class Request(pb_utils.InferenceRequest):
    """A request to a model; `sender` has what was sent to it."""

    def __init__(self, inputs, outputs=(), **more):
        tensors = [pb_utils.Tensor(name, array) for name, array in inputs.items()]
        super().__init__(
            inputs=tensors, requested_output_names=list(outputs), model_name="", **more
        )
        self.sender = ResponseSender()

    def get_response_sender(self):
        return self.sender


def _array(value, data_type):
    """A value for an input of the config as an array; arrays stay as they are."""
    if isinstance(value, np.ndarray):
        return value
    if data_type == "TYPE_STRING":
        array = np.array(value, dtype=np.object_)
        encode = np.vectorize(lambda s: s.encode() if isinstance(s, str) else s, otypes=[object])
        return encode(array) if array.size else array
    return np.array(value, dtype=pb_utils.triton_string_to_numpy(data_type))


class Model:
    """The model in `folder`, which is one of a repository: with config.pbtxt and version folders.

    `version` is the newest unless given; `config` is a dict of fields that replace the config's.
    Use it in a `with` statement, or call close(), so that the model's finalize is called.
    """

    def __init__(self, folder, version=None, config=None):
        self.folder = pathlib.Path(folder).resolve()
        self.version = str(version if version is not None else self._newest())
        self.config = {**self._read_config(), **(config or {})}
        _hippocamp.set_model_dir(str(self.folder / self.version))
        self._type = self._import().TritonPythonModel
        self._complete()
        if hasattr(self._type, "preload"):
            self._type.preload(self._args())
        self.instance = self._type()
        if hasattr(self.instance, "initialize"):
            name = self.config["name"]
            instance = {"kind": "CPU", "name": f"{name}_0_0", "device_id": "0"}
            more = {f"model_instance_{key}": value for key, value in instance.items()}
            self.instance.initialize({**self._args(), **more})

    def _newest(self):
        versions = [int(path.name) for path in self.folder.iterdir() if path.name.isdigit()]
        if not versions:
            raise FileNotFoundError(f"{self.folder} has no folder of a version")
        return max(versions)

    def _read_config(self):
        file = self.folder / "config.pbtxt"
        config = parse(file.read_text()) if file.exists() else {}
        defaults = {"name": self.folder.name, "backend": "python", "max_batch_size": 0}
        lists = {"input": [], "output": []}
        return {**defaults, "default_model_filename": "model.py", **lists, **config}

    def _import(self):
        """The module, under the name and with the search path that the server gives it."""
        file = pathlib.Path(self.config["default_model_filename"])
        for name in [n for n in sys.modules if n.split(".")[0] == self.version]:
            del sys.modules[name]
        for path in (str(self.folder / self.version), str(self.folder)):
            if path in sys.path:
                sys.path.remove(path)
            sys.path.append(path)
        importlib.invalidate_caches()
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            package = type(sys)(self.version)
            package.__path__ = [str(self.folder / self.version)]
            sys.modules[self.version] = package
            return importlib.import_module(f"{self.version}.{file.stem}")
        finally:
            sys.dont_write_bytecode = before

    def _complete(self):
        if hasattr(self._type, "auto_complete_config"):
            config = pb_utils.ModelConfig(json.dumps(self.config))
            self.config = self._type.auto_complete_config(config).as_dict()

    def _args(self):
        return {
            "model_config": json.dumps(self.config),
            "model_repository": str(self.folder),
            "model_version": self.version,
            "model_name": self.config["name"],
        }

    def request(self, inputs, outputs=None, **more):
        """A Request with `inputs`, a dict of arrays or lists; for `outputs`, all unless given."""
        types = {entry["name"]: entry["data_type"] for entry in self.config["input"]}
        arrays = {}
        for name, value in inputs.items():
            if name not in types:
                raise ValueError(f"the model has no input {name!r}, it has {sorted(types)}")
            arrays[name] = _array(value, types[name])
        names = outputs or [entry["name"] for entry in self.config["output"]]
        return Request(arrays, names, **more)

    def execute(self, requests):
        """Have the model execute `requests` as one batch; a list of the responses to each."""
        result = self.instance.execute(requests)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        found = [list(request.sender.responses) for request in requests]
        if result is not None:
            if not isinstance(result, list) or len(result) != len(requests):
                raise TypeError("execute must return None or a list with a response a request")
            for responses, response in zip(found, result):
                if response is not None:
                    responses.append(response)
        return found

    def stream(self, inputs, **more):
        """The outputs of every response to one request: a list of dicts of arrays."""
        request = self.request(inputs, **more)
        (responses,) = self.execute([request])
        for response in responses:
            if response.has_error():
                raise ModelError(response.error())
        wanted = request.requested_output_names()
        return [
            {t.name(): t.as_numpy() for t in response.output_tensors() if t.name() in wanted}
            for response in responses
        ]

    def infer(self, inputs, **more):
        """The outputs of a request that is answered once: a dict of arrays."""
        answers = self.stream(inputs, **more)
        if len(answers) != 1:
            raise ValueError(f"the model answered {len(answers)} times, not once")
        return answers[0]

    def close(self):
        """Call the model's finalize."""
        instance, self.instance = self.instance, None
        if instance is not None and hasattr(instance, "finalize"):
            instance.finalize()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
