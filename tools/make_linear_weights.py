"""Writes models/linear/1/linear/pytorch_model.bin: a whole pickled torch.nn.Linear(3, 1).

The weights are round numbers so that answers can be checked by hand:
y = 0.5 * x0 + 0.25 * x1 - 0.125 * x2 + 1.
"""

import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent.parent / "models" / "linear" / "1" / "linear"

model = torch.nn.Linear(3, 1)
with torch.no_grad():
    model.weight.copy_(torch.tensor([[0.5, 0.25, -0.125]]))
    model.bias.fill_(1.0)

FOLDER.mkdir(parents=True, exist_ok=True)
torch.save(model, FOLDER / "pytorch_model.bin")
