import json
import logging
import os

import torch
import triton_python_backend_utils as pb_utils

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(name)s: %(message)s")
logger = logging.getLogger(__name__)

torch.cuda.empty_cache()


class TritonPythonModel:
    def initialize(self, args):
        model_config = json.loads(args["model_config"])
        output_config = pb_utils.get_output_config_by_name(model_config, "y")
        self.output_dtype = pb_utils.triton_string_to_numpy(output_config["data_type"])

        path = os.path.join(
            args["model_repository"], args["model_version"], "linear", "pytorch_model.bin"
        )
        self.model = torch.load(path, weights_only=False)
        self.model.eval()
        logger.info("loaded %s", self.model)

    def execute(self, requests):
        responses = []
        for request in requests:
            x = pb_utils.get_input_tensor_by_name(request, "x").as_numpy()
            with torch.no_grad():
                y = self.model(torch.from_numpy(x)).numpy()
            output = pb_utils.Tensor("y", y.astype(self.output_dtype))
            responses.append(pb_utils.InferenceResponse(output_tensors=[output]))
        return responses

    def finalize(self):
        print("Cleaning up...")
