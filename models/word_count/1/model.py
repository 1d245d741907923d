"""Metrics of its own: counts the words of texts, and shows in /metrics how many there were in all and
how long they are."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        # Families are kept for as long as their metrics are wanted.
        self.words = pb_utils.MetricFamily(
            name="words", description="Words in all texts", kind=pb_utils.MetricFamily.COUNTER
        )
        self.lengths = pb_utils.MetricFamily(
            name="word_lengths",
            description="Letters of each word",
            kind=pb_utils.MetricFamily.HISTOGRAM,
        )
        labels = {"model": args["model_name"]}
        self.n_words = self.words.Metric(labels=labels)
        self.length = self.lengths.Metric(labels=labels, buckets=[2, 4, 8, 16])

    def execute(self, requests):
        responses = []
        for request in requests:
            text = pb_utils.get_input_tensor_by_name(request, "text").as_numpy()[0].decode()
            words = text.split()
            self.n_words.increment(len(words))
            for word in words:
                self.length.observe(len(word))
            count = pb_utils.Tensor("count", np.array([len(words)], dtype=np.int32))
            responses.append(pb_utils.InferenceResponse([count]))
        return responses
