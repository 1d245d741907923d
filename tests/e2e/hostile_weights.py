"""Files of weights that are broken, or made to do harm: what they are called, their bytes, and what
the refusal has to say."""

import collections
import io
import json
import os
import pickle
import re
import struct
import zipfile

import numpy as np
import torch
from torch import nn

from harness.weights import safetensors


def saved(thing, **options):
    file = io.BytesIO()
    torch.save(thing, file, **options)
    return file.getvalue()


def module():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))


class Runs:
    """Pickles to a call of any function."""

    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


def torch_zip(pickled, storages=None):
    """An archive as torch writes it, with any pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return file.getvalue()


def with_pickle(change):
    """A good archive whose pickle has been changed."""
    with zipfile.ZipFile(io.BytesIO(saved(module()))) as archive:
        members = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    storages = {
        name.removeprefix("data/"): data for name, data in members.items() if "data/" in name
    }
    return torch_zip(change(members["data.pkl"]), storages)


def tensor_pickle(key=b"0", n=6, offset=0, shape=(2, 3), strides=(3, 1)):
    """The pickle of {"weight": tensor}, with any numbers."""

    def number(value):
        return b"\x8a\x08" + struct.pack("<q", value)

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    return (
        b"\x80\x02}X\x06\x00\x00\x00weightctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
        b"ctorch\nFloatStorage\nX\x01\x00\x00\x00"
        + key
        + b"X\x03\x00\x00\x00cpu"
        + number(n)
        + b"tQ"
        + number(offset)
        + numbers(shape)
        + numbers(strides)
        + b"\x89ccollections\nOrderedDict\n)RtRs."
    )


def header(members, content=b"", size=None):
    """A safetensors file with any header."""
    text = members if isinstance(members, bytes) else json.dumps(members).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + content


def entry(begin, end, shape=(2, 2), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def npy(text, content=b"\0" * 64):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content


def npz(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def bomb():
    array = io.BytesIO()
    np.save(array, np.zeros((4096, 6000), np.float32))
    return npz(weight=array.getvalue())


def overlapping_zip():
    """Two members of the directory share the bytes of one."""
    data = bytearray(npz(weight=npy("x"), second=npy("x")))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    # The local header's name is compared with the directory's.
    data[second + 46 : second + 52] = data[first + 46 : first + 52]
    return bytes(data)


def contains_itself():
    """A Sequential that is one of its own modules."""
    outer = nn.Sequential(nn.Linear(2, 2))
    outer._modules["1"] = outer
    return saved(outer)


def doubles():
    """Sequentials of two of the next, so that there are 2**60 layers."""
    inner = nn.Sequential(nn.Linear(2, 2))
    for _ in range(30):
        outer = nn.Sequential()
        outer._modules["0"] = inner
        outer._modules["1"] = inner
        inner = outer
    return saved(inner)


def overlapping():
    """Layers whose weights are the same storage, each an element further."""
    storage = torch.zeros(300)
    layers = [nn.Linear(16, 16, bias=False) for _ in range(40)]
    for i, layer in enumerate(layers):
        layer.weight.data = storage[i : i + 256].view(16, 16)
    return nn.Sequential(*layers)


class Custom(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)


def hooked():
    inner = nn.Linear(2, 2)
    inner._forward_hooks = collections.OrderedDict({0: "code"})
    return saved(inner)


def old(**options):
    return saved(module(), _use_new_zipfile_serialization=False, **options)


GOOD = safetensors({"weight": torch.ones(2, 2)})

# By name: the file's name, its bytes, and a part of the refusal.
CASES = {
    "empty": ("w.pt", b"", "is empty"),
    "text": ("w.pt", b"hello, world", "is not a file that torch.save() wrote"),
    "cut_zip": ("w.pt", saved(module())[:-100], "is not a sound zip archive"),
    "cut_half": ("w.pt", saved(module())[:700], "is not a sound zip archive"),
    "cut_old": ("w.pt", old()[:-10], "is cut short"),
    "cut_old_pickle": ("w.pt", old()[:300], "it ends in the middle of an operation"),
    "big_endian": (
        "w.pt",
        re.sub(rb"(little_endianq.)\x88", b"\\1\x89", old(), flags=re.S),
        "big-endian",
    ),
    "system": ("w.pt", saved(Runs(os.system, "touch /tmp/hacked")), "the name 'posix.system'"),
    "system_old": (
        "w.pt",
        saved(Runs(os.system, "touch /tmp/hacked"), _use_new_zipfile_serialization=False),
        "the name 'posix.system'",
    ),
    "eval_in_dict": (
        "w.pt",
        saved({"weight": Runs(eval, "1+1")}),
        "the name '__builtin__.eval' is not one that weights need",
    ),
    "getattr": (
        "w.pt",
        saved([Runs(getattr, nn.Linear, "forward")]),
        "the name '__builtin__.getattr'",
    ),
    "protocol_4": (
        "w.pt",
        saved(Runs(os.system, "true"), pickle_protocol=4),
        "the name 'posix.system'",
    ),
    "hidden_import": (
        "w.pt",
        torch_zip(b"\x80\x02X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93."),
        "the name 'os.system'",
    ),
    "inst": ("w.pt", torch_zip(b"(S'true'\nios\nsystem\n."), "the operation 0x53"),
    "inst_bare": ("w.pt", torch_zip(b"(ios\nsystem\n."), "the operation 0x69"),
    "extension": ("w.pt", torch_zip(b"\x82\x01."), "the operation 0x82"),
    "call_of_class": (
        "w.pt",
        torch_zip(b"ctorch.nn.modules.linear\nLinear\n)R."),
        "a call of what cannot be called",
    ),
    "call_of_result": (
        "w.pt",
        torch_zip(b"ccollections\nOrderedDict\n)R)R."),
        "a call of what cannot be called",
    ),
    "state_of_number": ("w.pt", torch_zip(b"K\x01}b."), "a state for what has none"),
    "underflow": ("w.pt", torch_zip(b"\x80\x02R."), "it takes more values than there are"),
    "no_mark": ("w.pt", torch_zip(b"]Nu."), "there is no mark"),
    "memo": ("w.pt", torch_zip(b"h\x05."), "a value that it has not remembered"),
    "memo_far": ("w.pt", torch_zip(b"Nr\xff\xff\xff\x7f."), "it remembers a value out of order"),
    "two_values": ("w.pt", torch_zip(b"NN."), "it does not end with one value"),
    "list_in_itself": ("w.pt", torch_zip(b"]q\x00h\x00a."), "neither a module nor a dictionary"),
    "future": ("w.pt", torch_zip(b"\x80\x63N."), "a protocol that is not known"),
    "values": (
        "w.pt",
        torch_zip(b"\x80\x02" + b"]" * (1 << 21) + b"."),
        "it has more values than weights need",
    ),
    "huge_text": ("w.pt", torch_zip(b"X\xff\xff\xff\x7fabc"), "it ends in the middle"),
    "class": ("w.pt", saved(Custom()), "hostile_weights.Custom' is not one that weights need"),
    "hooks": ("w.pt", hooked(), "is a module with hooks"),
    "conv": ("w.pt", saved(nn.Conv1d(1, 1, 1)), "the name 'torch.nn.modules.conv.Conv1d'"),
    "softmax_of_batch": ("w.pt", saved(nn.Sequential(nn.Linear(2, 2), nn.Softmax(0))), "Softmax"),
    "cycle": ("w.pt", contains_itself(), "one that contains itself"),
    "doubles": ("w.pt", doubles(), "too many modules"),
    "no_storage": ("w.pt", torch_zip(tensor_pickle(), {}), "has no storage '0'"),
    "small_storage": ("w.pt", torch_zip(tensor_pickle(), {"0": b"\0" * 20}), "too few for its 6"),
    "beyond": (
        "w.pt",
        torch_zip(tensor_pickle(offset=1), {"0": b"\0" * 24}),
        "reaches beyond the 5 that there are",
    ),
    "offset": (
        "w.pt",
        torch_zip(tensor_pickle(offset=7), {"0": b"\0" * 24}),
        "begins beyond its storage",
    ),
    "negative": (
        "w.pt",
        torch_zip(tensor_pickle(strides=(-3, 1)), {"0": b"\0" * 24}),
        "is not a tensor as torch writes it",
    ),
    "overflow": (
        "w.pt",
        torch_zip(tensor_pickle(shape=(1 << 32, 1 << 32), strides=(0, 0)), {"0": b"\0" * 24}),
        "a shape that makes no sense",
    ),
    "expanded": (
        "w.pt",
        torch_zip(tensor_pickle(shape=(1 << 20, 1 << 20), strides=(0, 0)), {"0": b"\0" * 24}),
        "reaches beyond the 6 that there are",
    ),
    "n_elements": (
        "w.pt",
        torch_zip(tensor_pickle(n=1 << 62), {"0": b"\0" * 24}),
        "too few for its",
    ),
    "overlaps": (
        "w.pt",
        saved(overlapping()),
        "its weights overlap",
    ),
    "script": (
        "w.pt",
        (lambda f: (torch.jit.save(torch.jit.script(nn.Linear(2, 2)), f), f.getvalue())[1])(
            io.BytesIO()
        ),
        "is a TorchScript program",
    ),
    "mismatch": (
        "w.pt",
        saved(nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 2))),
        "takes another number of values than the layer before gives",
    ),
    "bias": (
        "w.pt",
        saved({"weight": torch.ones(2, 2), "bias": torch.ones(3)}),
        "has a bias or scale that does not fit its weight",
    ),
    "integers": ("w.pt", saved({"weight": torch.ones(2, 2, dtype=torch.int32)}), "of a type other"),
    "unscaled": (
        "w.pt",
        saved({"weight": torch.ones(2, 2, dtype=torch.int8)}),
        "has an INT8 weight without weight_scale",
    ),
    "nothing": ("w.pt", saved({}), "more layers with weights than the 0"),
    "only_relu": ("w.pt", saved(nn.ReLU()), "has no linear layer"),
    "no_outputs": ("w.pt", saved({"weight": torch.ones(0, 2)}), "a weight without elements"),
    "stranger": ("w.pt", saved({"weights": torch.ones(2, 2)}), "tensor 'weights' is neither"),
    "st_short": ("w.safetensors", b"\x08\0\0", "is not a sound safetensors file"),
    "st_size": ("w.safetensors", header({}, size=1 << 60), "cut short or too large"),
    "st_json": ("w.safetensors", header(b'{"weight": '), "not a JSON object"),
    "st_array": ("w.safetensors", header([1]), "not a JSON object"),
    "st_deep": ("w.safetensors", header(b"[" * 100000), "not a JSON object"),
    "st_cut": ("w.safetensors", GOOD[:-1], "a tensor reaches beyond the end"),
    "st_more": ("w.safetensors", GOOD + b"\0", "bytes of no tensor"),
    "st_beyond": (
        "w.safetensors",
        header({"weight": entry(0, 16)}, b"\0" * 8),
        "a tensor reaches beyond the end",
    ),
    "st_wrong": (
        "w.safetensors",
        header({"weight": entry(0, 16, (2, 3))}, b"\0" * 16),
        "not of its shape's size",
    ),
    "st_negative": (
        "w.safetensors",
        header({"weight": entry(0, 16, (-2, -2))}, b"\0" * 16),
        "a tensor has no shape or place",
    ),
    "st_fraction": (
        "w.safetensors",
        header({"weight": entry(0, 16.5)}, b"\0" * 16),
        "a tensor has no shape or place",
    ),
    "st_overflow": (
        "w.safetensors",
        header({"weight": entry(0, 16, (1 << 31, 1 << 31, 4))}, b"\0" * 16),
        "not of its shape's size",
    ),
    "st_overlap": (
        "w.safetensors",
        header({"weight": entry(0, 16), "bias": entry(8, 16, (2,))}, b"\0" * 16),
        "tensors overlap",
    ),
    "st_hole": (
        "w.safetensors",
        header({"weight": entry(0, 16), "bias": entry(24, 32, (2,))}, b"\0" * 32),
        "there is a hole",
    ),
    "st_twice": (
        "w.safetensors",
        header(
            b'{"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
            b'"weight":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
            b"\0" * 16,
        ),
        "two tensors have the name 'weight'",
    ),
    "st_type": (
        "w.safetensors",
        header({"weight": entry(0, 16, dtype="F8_E4M3")}, b"\0" * 16),
        "of a type that is not known",
    ),
    "index_path": (
        "w.safetensors.index.json",
        json.dumps({"weight_map": {"weight": "../../../../etc/passwd"}}).encode(),
        "a tensor's file has no proper name",
    ),
    "index_missing": (
        "w.safetensors.index.json",
        json.dumps({"weight_map": {"weight": "gone.safetensors"}}).encode(),
        "cannot be opened",
    ),
    "index_itself": (
        "w.safetensors.index.json",
        json.dumps({"weight_map": {"weight": "w.safetensors.index.json"}}).encode(),
        "is not a sound safetensors file",
    ),
    "npy_short": ("w.npy", b"\x93NUMPY\x01", "it does not begin as one"),
    "npy_cut": (
        "w.npy",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 5), }"),
        "reaches beyond the 16 that there are",
    ),
    "npy_object": (
        "w.npy",
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", pickle.dumps([1])),
        "of a type that weights are not",
    ),
    "npy_big": (
        "w.npy",
        npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }"),
        "of a type that weights are not",
    ),
    "npy_code": (
        "w.npy",
        npy("{'descr': __import__('os'), 'fortran_order': False, 'shape': (2, 2), }"),
        "its header is not as NumPy writes it",
    ),
    "npy_huge": (
        "w.npy",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
        "shape",
    ),
    "npy_dims": (
        "w.npy",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }" % ("1, " * 50)),
        "its header is not as NumPy writes it",
    ),
    "npz_bomb": ("w.npz", bomb(), "expands far beyond what weights do"),
    "npz_overlap": ("w.npz", overlapping_zip(), "members overlap"),
    "npz_other": (
        "w.npz",
        torch_zip(b"N."),
        "is not an array",
    ),
    "npz_damaged": (
        "w.npz",
        npz(weight=npy("x"))[:45] + b"\xff" + npz(weight=npy("x"))[46:],
        "is damaged",
    ),
}
