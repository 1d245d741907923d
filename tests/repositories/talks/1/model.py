"""Says its input in every way that a model can speak: logging with a format of its own, print on
both streams, a child process, and the server's log."""

import logging
import os
import sys

import triton_python_backend_utils as pb_utils

logging.basicConfig(level=logging.DEBUG, format="MINE<%(levelname)s|%(name)s>%(message)s")


class TritonPythonModel:
    def initialize(self, args):
        print("talks: initialize", flush=True)

    def execute(self, requests):
        responses = []
        for request in requests:
            tensor = pb_utils.get_input_tensor_by_name(request, "INPUT0")
            text = tensor.as_numpy()[0].decode()
            logging.getLogger("talker").debug("logging %s", text)
            print(f"print {text}")
            print(f"stderr {text}", file=sys.stderr)
            sys.stdout.flush()
            os.system(f"echo child {text}")
            pb_utils.Logger.log_info(f"Logger info {text}")
            pb_utils.Logger.log_warn(f"Logger warning {text}")
            pb_utils.Logger.log_error(f"Logger error {text}")
            pb_utils.Logger.log_verbose(f"Logger verbose {text}")
            output = pb_utils.Tensor("OUTPUT0", tensor.as_numpy())
            responses.append(pb_utils.InferenceResponse(output_tensors=[output]))
        return responses
