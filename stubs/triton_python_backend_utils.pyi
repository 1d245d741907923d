"""What a model.py calls: tensors, requests, responses and the server around it.

Hippocamp provides this module in the processes that run models, under NVIDIA Triton's name for it
and with Triton's behaviour. Models usually say ``import triton_python_backend_utils as pb_utils``.
"""

import enum
from collections.abc import Sequence
from typing import Any, ClassVar, Final, TypeAlias, final

import numpy.typing as npt
from typing_extensions import disjoint_base

TRITONSERVER_REQUEST_FLAG_SEQUENCE_START: Final = 1
"""Flag of the first request of a sequence."""
TRITONSERVER_REQUEST_FLAG_SEQUENCE_END: Final = 2
"""Flag of the last request of a sequence."""
TRITONSERVER_RESPONSE_COMPLETE_FINAL: Final = 1
"""Flag of the last response to a request."""
TRITONSERVER_REQUEST_RELEASE_ALL: Final = 1
"""The model is done with the request."""
TRITONSERVER_REQUEST_RELEASE_RESCHEDULE: Final = 2
"""The request is to be delivered again."""
TRITON_STRING_TO_NUMPY: dict[str, Any]
"""NumPy's types by the names of datatypes in configs: "TYPE_FP32" and so on."""

_Text: TypeAlias = str | bytes | bytearray
_Parameters: TypeAlias = dict[str, bool | int | str]

class TritonModelException(Exception):
    """Raised by this module, and by models as they like."""

@disjoint_base
class TritonError:
    """The reason why a request could not be answered: a message, and a code."""

    UNKNOWN: ClassVar[Any]
    INTERNAL: ClassVar[Any]
    NOT_FOUND: ClassVar[Any]
    INVALID_ARG: ClassVar[Any]
    UNAVAILABLE: ClassVar[Any]
    UNSUPPORTED: ClassVar[Any]
    ALREADY_EXISTS: ClassVar[Any]
    CANCELLED: ClassVar[Any]

    def __init__(self, message: _Text, code: Any = ...) -> None: ...
    def message(self) -> str:
        """The text that the client gets."""

    def code(self) -> Any:
        """One of TritonError.UNKNOWN, INTERNAL and so on."""

@disjoint_base
class Tensor:
    """A named tensor: an input of a request, or an output to be.

    ``Tensor(name, numpy_array)`` takes a real array of any layout. Strings are arrays of dtype
    object (of bytes or str), ``S`` or ``<U``, which Triton refuses.
    """

    def __init__(self, name: _Text, numpy_array: npt.NDArray[Any]) -> None: ...
    def name(self) -> str:
        """The tensor's name."""

    def as_numpy(self) -> npt.NDArray[Any]:
        """The tensor as an array, the same object at each call; one in a GPU's memory has none.

        That of an input is a view of shared memory: writable, the request's own, and good for as
        long as it is kept. Strings are bytes in an array of dtype object.
        """

    def triton_dtype(self) -> int:
        """The number of the datatype, as numpy_to_triton_type() has it."""

    def shape(self) -> list[int]:
        """The extents, the batch dimension first where the model has one."""

    def is_cpu(self) -> bool:
        """Whether the tensor lies in memory that the CPU reads, and not in a GPU's."""

    def to_dlpack(self) -> Any:
        """A DLPack capsule over the tensor's memory; strings have none."""

    @staticmethod
    def from_dlpack(name: _Text, tensor: Any) -> Tensor:
        """A tensor over the memory of a DLPack capsule, or of an object with __dlpack__()."""

    def __dlpack__(
        self,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any:
        """The capsule that consumers of DLPack ask for."""

    def __dlpack_device__(self) -> tuple[int, int]:
        """The DLPack device type and number: (1, 0) for the CPU, (2, number) for a GPU."""

@disjoint_base
class InferenceRequest:
    """A request, from a client or to another model."""

    def __init__(
        self,
        request_id: _Text = "",
        correlation_id: int | str = 0,
        *,
        inputs: Sequence[Tensor],
        requested_output_names: Sequence[_Text],
        model_name: _Text,
        model_version: int = -1,
        flags: int = 0,
        timeout: int = 0,
        preferred_memory: PreferredMemory = ...,
        trace: InferenceTrace = ...,
        parameters: _Parameters | None = None,
    ) -> None: ...
    def inputs(self) -> list[Tensor]:
        """The input tensors; optional ones that were not sent are missing."""

    def request_id(self) -> str:
        """The id that the client gave, "" when none."""

    def correlation_id(self) -> int | str:
        """The sequence's id: an int, or a str when the client used one."""

    def parameters(self) -> str:
        """The request's parameters, as the text of a JSON object."""

    def requested_output_names(self) -> set[str]:
        """The names of the outputs that are wanted; others are dropped."""

    def flags(self) -> int:
        """TRITONSERVER_REQUEST_FLAG_SEQUENCE_START and _END."""

    def set_flags(self, flags: int) -> None:
        """Set the sequence flags of a request to another model."""

    def timeout(self) -> int:
        """The timeout in microseconds, 0 for none."""

    def get_response_sender(self) -> InferenceResponseSender:
        """What answers the request, also after execute has returned."""

    def exec(self, decoupled: bool = False) -> Any:
        """Ask the model and wait for its InferenceResponse; with decoupled, which any model may
        be asked with, a ResponseIterator over all of its responses. What fails is an error in the
        response. Possible while execute runs or has run, on any thread.
        """

    def async_exec(self, decoupled: bool = False) -> Any:
        """The same for coroutines: what is to be awaited."""

    def trace(self) -> InferenceTrace:
        """The request's trace, for the requests that are made on its behalf."""

    def set_release_flags(self, flags: int, /) -> None:
        """TRITONSERVER_REQUEST_RELEASE_RESCHEDULE has the request delivered again later."""

    def is_cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""

@disjoint_base
class InferenceResponse:
    """The answer to a request: outputs, or an error."""

    def __init__(
        self,
        output_tensors: Sequence[Tensor] = [],
        error: TritonError | None = None,
        parameters: _Parameters | None = None,
    ) -> None: ...
    def output_tensors(self) -> list[Tensor]:
        """The outputs."""

    def has_error(self) -> bool:
        """Whether there is an error instead of outputs."""

    def error(self) -> TritonError | None:
        """The error, or None."""

    def parameters(self) -> str:
        """The response's parameters, as the text of a JSON object."""

@final
class ResponseIterator:
    """The responses to a request that was executed with decoupled=True, as they come.

    Iterating again goes on where it was; after the end, it begins with the first response again.
    """

    def __iter__(self) -> ResponseIterator:
        """The iterator itself."""

    def __next__(self) -> InferenceResponse:
        """The next response, waited for."""

    def cancel(self) -> None:
        """Tell the model that answers that nobody waits for more responses."""

@final
class InferenceResponseSender:
    """Answers a request; from InferenceRequest.get_response_sender()."""

    def send(self, response: InferenceResponse | None = None, flags: int = 0) -> None:
        """Send a response, from any thread.

        It is the last one when ``flags`` is TRITONSERVER_RESPONSE_COMPLETE_FINAL, which may also
        be sent alone. A model that is not decoupled sends exactly one.
        """

    def is_cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""

class MemoryType(enum.IntEnum):
    """Where tensors may lie."""

    TRITONSERVER_MEMORY_GPU = 0
    TRITONSERVER_MEMORY_CPU = 1

TRITONSERVER_MEMORY_GPU: Final = MemoryType.TRITONSERVER_MEMORY_GPU
TRITONSERVER_MEMORY_CPU: Final = MemoryType.TRITONSERVER_MEMORY_CPU

@disjoint_base
class PreferredMemory:
    """Where the outputs of a request to another model are wanted.

    In a GPU's memory they are copies; without that GPU, and for strings, in the CPU's.
    """

    def __init__(self, preferred_memory_type: MemoryType, preferred_device_id: int = 0) -> None: ...

@final
class InferenceTrace:
    """The trace of a request; from InferenceRequest.trace()."""

    def get_context(self) -> str | None:
        """OpenTelemetry's headers as the text of a JSON object; None: the request has no trace."""

@final
class SharedMemory:
    """The memory that the process shares with the server."""

    def free_memory(self) -> int:
        """The bytes that are free for large arrays and for responses."""

shared_memory: SharedMemory

class MetricKind(enum.IntEnum):
    """What a metric is."""

    COUNTER = 0
    GAUGE = 1
    HISTOGRAM = 2

COUNTER: Final = MetricKind.COUNTER
GAUGE: Final = MetricKind.GAUGE
HISTOGRAM: Final = MetricKind.HISTOGRAM

@disjoint_base
class MetricFamily:
    """Metrics of one name in the server's /metrics.

    It must be kept for as long as they are wanted. Instances and models that make families of the
    same name and kind share them.
    """

    COUNTER: ClassVar[MetricKind]
    GAUGE: ClassVar[MetricKind]
    HISTOGRAM: ClassVar[MetricKind]

    def __init__(self, name: _Text, description: _Text, kind: MetricKind) -> None: ...
    def Metric(
        self, labels: dict[str, str] | None = None, buckets: list[float] | None = None
    ) -> Metric:
        """The family's metric with these labels.

        A histogram, and nothing else, needs the upper bounds of its buckets, ascending.
        """

@final
class Metric:
    """One series; from MetricFamily.Metric(). Those with the same labels are one."""

    def increment(self, value: float, /) -> None:
        """Add to a counter, which only grows, or to a gauge."""

    def set(self, value: float, /) -> None:
        """Set a gauge."""

    def observe(self, value: float, /) -> None:
        """Count a value in its bucket of a histogram."""

    def value(self) -> float:
        """What a counter or gauge is at, all instances together."""

@disjoint_base
class ModelConfig:
    """A model's config; what auto_complete_config gets, fills in and returns.

    Methods raise ValueError when they contradict what the config says already.
    """

    def __init__(self, model_config: str) -> None: ...
    def as_dict(self) -> dict[str, Any]:
        """The config as a dict; changes to it count."""

    def set_max_batch_size(self, max_batch_size: int) -> None:
        """The largest batch that the model takes; not below what is configured."""

    def set_dynamic_batching(self) -> None:
        """Have the server form batches, unless another scheduler is configured."""

    def add_input(self, input: dict[str, Any]) -> None:
        """An input: a dict with name, data_type, dims and, if need be, optional."""

    def add_output(self, output: dict[str, Any]) -> None:
        """An output: a dict with name, data_type and dims."""

    def set_model_transaction_policy(self, transaction_policy_dict: dict[str, Any]) -> None:
        """{"decoupled": bool}: whether the model sends any number of responses to a request."""

class Logger:
    """Lines in the server's log, with the file and line that they come from."""

    class LogLevel(enum.Enum):
        """How serious a line is."""

        INFO = 0
        WARNING = 1
        ERROR = 2
        VERBOSE = 3

    INFO: ClassVar[LogLevel]
    WARNING: ClassVar[LogLevel]
    ERROR: ClassVar[LogLevel]
    VERBOSE: ClassVar[LogLevel]

    @staticmethod
    def log(message: _Text, level: LogLevel = ...) -> None:
        """Write a line to the server's log."""

    @staticmethod
    def log_info(message: _Text) -> None:
        """A line of information."""

    @staticmethod
    def log_warn(message: _Text) -> None:
        """A warning."""

    @staticmethod
    def log_error(message: _Text) -> None:
        """An error."""

    @staticmethod
    def log_verbose(message: _Text) -> None:
        """A line that is written when the server's log is verbose."""

def get_input_tensor_by_name(inference_request: InferenceRequest, name: str) -> Tensor | None:
    """The request's first input of that name, None when there is none."""

def get_output_tensor_by_name(inference_response: InferenceResponse, name: str) -> Tensor | None:
    """The response's first output of that name, None when there is none."""

def get_input_config_by_name(model_config: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The dict that configures the input of that name in a parsed config."""

def get_output_config_by_name(model_config: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The dict that configures the output of that name in a parsed config."""

def using_decoupled_model_transaction_policy(model_config: dict[str, Any]) -> bool:
    """Whether a parsed config is that of a decoupled model."""

def triton_to_numpy_type(data_type: int) -> Any:
    """The NumPy type of a datatype's number (1 to 13), None for others."""

def numpy_to_triton_type(data_type: Any) -> int | None:
    """The number of the datatype of a NumPy type, None when there is none."""

def triton_string_to_numpy(triton_type_string: str) -> Any:
    """The NumPy type of a datatype's name in configs: "TYPE_FP32" and so on."""

def serialize_byte_tensor(input_tensor: npt.NDArray[Any]) -> Any:
    """The wire encoding of an array of strings: length and bytes of each."""

def deserialize_bytes_tensor(encoded_tensor: bytes) -> npt.NDArray[Any]:
    """The strings of a wire encoding, as a flat array of bytes objects."""

def load_model(model_name: str, config: str = "", files: dict[str, bytes] | None = None) -> None:
    """Load a model, or load it again, and wait until it is ready.

    ``config`` is a config in JSON to be used instead of the repository's, ``files`` replace the
    model's folder: ``{"file:1/model.py": b"..."}``, with a config.
    """

def unload_model(model_name: str, unload_dependents: bool = False) -> None:
    """Unload a model; requests in flight are finished."""

def is_model_ready(model_name: str, model_version: str = "") -> bool:
    """Whether a model, or a version of it, can be asked."""

def get_model_dir() -> str:
    """The folder of the model's version, in which its file is."""
