"""Files of weights for native linear models, in every format that they come in."""

import json
import pathlib

import numpy as np
import torch

# safetensors' names of types, and how torch's bytes are got at.
SAFETENSORS_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int8: "I8",
}


def tensor_bytes(tensor):
    return tensor.detach().contiguous().view(torch.uint8).numpy().tobytes()


def safetensors(tensors):
    """A safetensors file of torch tensors by name, names in the order in which that library sorts
    them."""
    header, content = {}, b""
    for name in sorted(tensors):
        tensor = tensors[name]
        data = tensor_bytes(tensor)
        header[name] = {
            "dtype": SAFETENSORS_TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(content), len(content) + len(data)],
        }
        content += data
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content


def _save_sharded(module, folder):
    state = module.state_dict()
    names = list(state)
    shards = {"model-00001-of-00002.safetensors": names[::2]}
    if names[1::2]:
        shards["model-00002-of-00002.safetensors"] = names[1::2]
    for file, members in shards.items():
        (folder / file).write_bytes(safetensors({name: state[name] for name in members}))
    weight_map = {name: file for file, members in shards.items() for name in members}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _arrays(module):
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


# How a module is saved, by the name of the form. Tensors alone need the parameter `layers`.
SAVED_WHOLE = {
    "module": lambda m, to: torch.save(m, to / "model.pt"),
    "module, old": lambda m, to: torch.save(
        m, to / "model.pth", _use_new_zipfile_serialization=False
    ),
    "module, protocol 4": lambda m, to: torch.save(m, to / "model.pt", pickle_protocol=4),
}
SAVED_TENSORS = {
    "state dict": lambda m, to: torch.save(m.state_dict(), to / "pytorch_model.bin"),
    "state dict, old": lambda m, to: torch.save(
        m.state_dict(), to / "model.pt", _use_new_zipfile_serialization=False
    ),
    "checkpoint": lambda m, to: torch.save(
        {"epoch": 3, "loss": 0.25, "state_dict": m.state_dict()}, to / "model.pt"
    ),
    "safetensors": lambda m, to: (to / "model.safetensors").write_bytes(
        safetensors(m.state_dict())
    ),
    "safetensors, sharded": _save_sharded,
    "npz": lambda m, to: np.savez(to / "model.npz", **_arrays(m)),
    "npz, compressed": lambda m, to: np.savez_compressed(to / "model.npz", **_arrays(m)),
}
SAVED = SAVED_WHOLE | SAVED_TENSORS

# The words of the parameter `layers`, by the class of the module.
WORDS = {
    torch.nn.Linear: lambda m: "linear",
    torch.nn.ReLU: lambda m: "relu",
    torch.nn.LeakyReLU: lambda m: f"leaky_relu:{m.negative_slope}",
    torch.nn.GELU: lambda m: "gelu_tanh" if m.approximate == "tanh" else "gelu",
    torch.nn.Tanh: lambda m: "tanh",
    torch.nn.Sigmoid: lambda m: "sigmoid",
    torch.nn.SiLU: lambda m: "silu",
    torch.nn.Softmax: lambda m: "softmax",
    torch.nn.LayerNorm: lambda m: f"layer_norm:{m.eps}",
    torch.nn.Dropout: lambda m: "dropout",
    torch.nn.Identity: lambda m: "identity",
}


def words(module):
    """The parameter `layers` that says what is in a Sequential."""
    layers = module if isinstance(module, torch.nn.Sequential) else [module]
    return " ".join(WORDS[type(layer)](layer) for layer in layers)


def add_model(repository, name, module, saved="module", config=""):
    """Adds a native model to a repository."""
    folder = pathlib.Path(repository.path) / name / "1"
    folder.mkdir(parents=True)
    SAVED[saved](module.eval(), folder)
    if saved in SAVED_TENSORS and "layers" not in config:
        config += f'parameters {{ key: "layers" value: {{ string_value: "{words(module)}" }} }}\n'
    (folder.parent / "config.pbtxt").write_text(f'backend: "linear"\n{config}')
