"""Requests that are wrong in one way each, with NVIDIA's answers, by what is wrong with them."""

from bad_requests import json_cases, model_cases, tensor_cases

CASES = json_cases.CASES + tensor_cases.CASES + model_cases.CASES
