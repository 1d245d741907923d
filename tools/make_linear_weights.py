"""Writes the weights of the examples: whole pickled torch.nn.Linear(3, 1).

They are round numbers so that answers can be checked by hand: of `linear`,
y = 0.5 * x0 + 0.25 * x1 - 0.125 * x2 + 1, of `mood_score`, y = x0 - x1 + 0.25 * x2.
"""

import pathlib

import torch

MODELS = pathlib.Path(__file__).parent.parent / "models"
LAYERS = {
    "linear/1/linear/pytorch_model.bin": ([0.5, 0.25, -0.125], 1.0),
    "mood_score/1/linear/pytorch_model.bin": ([1.0, -1.0, 0.25], 0.0),
}

for path, (weight, bias) in LAYERS.items():
    model = torch.nn.Linear(3, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([weight]))
        model.bias.fill_(bias)
    (MODELS / path).parent.mkdir(parents=True, exist_ok=True)
    torch.save(model, MODELS / path)
