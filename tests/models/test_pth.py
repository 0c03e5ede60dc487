"""Reading PyTorch's legacy files: what tensors mean, and that nothing in a file is ever run."""

from __future__ import annotations

import collections
import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
import types

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasdream.errors import ModelError
from kerasdream.models.pth import MAGIC, PROTOCOL, load_state_dict

TYPES = {"FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "BoolStorage": "?"}


class Tensor:
    """What PyTorch would pickle: a view of a storage."""

    def __init__(self, storage, offset, size, strides, kind="FloatStorage", count=None):
        self.storage, self.offset, self.size, self.strides = storage, offset, size, strides
        self.kind, self.count = kind, storage.size if count is None else count

    def __reduce__(self):
        arguments = (Storage(self), self.offset, self.size, self.strides, False, collections.OrderedDict())
        return sys.modules["torch._utils"]._rebuild_tensor_v2, arguments


class Storage:
    def __init__(self, tensor):
        self.tensor = tensor


class Run:
    """Unpickles to a call of anything."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        tensor = thing.tensor
        kind = getattr(sys.modules["torch"], tensor.kind)
        return ("storage", kind, str(id(tensor.storage)), "cpu", tensor.count, None)


@pytest.fixture(scope="module")
def torch():
    """Just enough of a module called torch for pickle to name its members in a file."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in (*TYPES, "QInt8Storage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        raise AssertionError("the reader called into torch")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", torch)
        patch.setitem(sys.modules, "torch._utils", utils)
        yield torch


def written(state, *, first=MAGIC, machine=None, storages=None) -> bytes:
    """The bytes of a legacy file, as torch/serialization.py lays them out."""
    file = io.BytesIO()
    tensors = [t for t in state.values() if isinstance(t, Tensor)] if isinstance(state, dict) else []
    arrays = {str(id(t.storage)): t.storage for t in tensors}
    for thing in (first, PROTOCOL, machine or {"protocol_version": PROTOCOL, "little_endian": True}, state, [*arrays]):
        Pickler(file, protocol=2).dump(thing)
    for array in arrays.values() if storages is None else storages:
        file.write(struct.pack("<q", array.size) + array.tobytes())
    return file.getvalue()


def load(tmp_path, data: bytes, **how):
    path = tmp_path / "weights.pth"
    path.write_bytes(data)
    return load_state_dict(path, **how)


@st.composite
def views(draw):
    """A storage, a permuted and shifted view of it, and what that view holds by NumPy's account."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    shape = draw(st.lists(st.integers(1, 4), max_size=4))
    axes = draw(st.permutations(range(len(shape))))
    offset, rest = draw(st.integers(0, 5)), draw(st.integers(0, 3))
    count = int(np.prod(shape, dtype=int))
    storage = np.random.default_rng(0).integers(0, 2, offset + count + rest).astype(TYPES[kind])
    expected = storage[offset : offset + count].reshape(shape).transpose(axes)
    strides = tuple(stride // storage.itemsize for stride in expected.strides)
    return Tensor(storage, offset, expected.shape, strides, kind), expected


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(views(), min_size=1, max_size=3))
def test_a_tensor_is_its_storage_seen_through_offset_size_and_strides(torch, tmp_path, pairs):
    state = load(tmp_path, written({f"t{i}": tensor for i, (tensor, _) in enumerate(pairs)}))
    assert list(state) == [f"t{i}" for i in range(len(pairs))]
    for array, (_, expected) in zip(state.values(), pairs, strict=True):
        assert array.dtype == expected.dtype
        assert array.shape == expected.shape
        np.testing.assert_array_equal(array, expected)


def test_tensors_may_share_a_storage_and_be_empty(torch, tmp_path):
    storage = np.arange(6, dtype="f4")
    state = collections.OrderedDict(a=Tensor(storage, 0, (6,), (1,)), b=Tensor(storage, 1, (2,), (3,)))
    state["c"] = Tensor(storage, 0, (0,), (1,))
    state = load(tmp_path, written(state))
    assert {name: array.tolist() for name, array in state.items()} == {"a": [*range(6)], "b": [1, 4], "c": []}


@pytest.mark.parametrize("place", ["object", "value", "magic", "machine"])
@pytest.mark.parametrize("function", [os.system, eval, subprocess.Popen, os.remove, collections.Counter])
def test_nothing_in_a_file_is_run(torch, tmp_path, function, place):
    witness = tmp_path / "witness"
    witness.write_text("here")
    arguments = {eval: f"__import__('os').remove({str(witness)!r})", os.remove: str(witness)}
    evil = Run(function, arguments.get(function, f"rm {witness}"))
    data = {
        "object": lambda: written(evil),
        "value": lambda: written({"weight": evil}),
        "magic": lambda: written({}, first=evil),
        "machine": lambda: written({}, machine=evil),
    }[place]()
    words = rf"it refers to \w+\.{function.__qualname__}, which a state dict does not need"
    with pytest.raises(ModelError, match=words):
        load(tmp_path, data)
    assert witness.exists()


def test_the_checksum_is_compared_before_anything_is_unpickled(torch, tmp_path):
    data = written(Run(os.system, "true"))
    with pytest.raises(ModelError, match=r"its SHA-256 is [0-9a-f]{64}, expected 0000"):
        load(tmp_path, data, sha256="0" * 64)
    with pytest.raises(ModelError, match="it refers to"):
        load(tmp_path, data, sha256=hashlib.sha256(data).hexdigest())


STORAGE = np.arange(4, dtype="f4")
GOOD = Tensor(STORAGE, 0, (2, 2), (2, 1))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: b"", "Ran out of input"),
        (lambda: b"PK\x03\x04 and so on", "newer zip format"),
        (lambda: written({}, first=7), "does not start like one"),
        (lambda: written({}, machine={"little_endian": False}), "big-endian"),
        (lambda: written([1, 2]), "something other than named tensors"),
        (lambda: written({"epoch": 3, "w": GOOD}), "something other than named tensors"),
        (lambda: written({"w": GOOD})[:-1], "cut short"),
        (lambda: written({"w": GOOD})[:-18], "cut short"),
        (lambda: written({"w": GOOD})[:60], "weights.pth as a PyTorch state dict"),
        (lambda: written({"w": GOOD}) + b"\0", "1 bytes follow"),
        (lambda: written({"w": GOOD}, storages=[STORAGE[:3]]), "is incomplete"),
        (lambda: written({"w": Tensor(STORAGE, 1, (2, 2), (2, 1))}), "reaches past the end"),
        (lambda: written({"w": Tensor(STORAGE, 0, (3,), (2,))}), "reaches past the end"),
        (lambda: written({"w": Tensor(STORAGE, 2**62, (1,), (1,))}), "reaches past the end"),
        (lambda: written({"w": Tensor(STORAGE, 3, (2,), (-1,))}), "malformed"),
        (lambda: written({"w": Tensor(STORAGE, -1, (2,), (1,))}), "malformed"),
        (lambda: written({"w": Tensor(STORAGE, 0, (2, 2), (1,))}), "malformed"),
        (lambda: written({"w": Tensor(STORAGE, 0, (2.0,), (1,))}), "malformed"),
        (lambda: written({"w": Tensor(STORAGE, 0, (4,), (1,), count=-4)}), "not a storage"),
        (lambda: written({"w": Tensor(STORAGE, 0, (4,), (1,), kind="QInt8Storage")}), "torch.QInt8Storage"),
    ],
)
def test_damaged_or_strange_files_are_refused_with_the_reason(torch, tmp_path, make, reason):
    with pytest.raises(ModelError, match=reason):
        load(tmp_path, make())


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"cannot read the weights file .*nowhere\.pth: No such file"):
        load_state_dict(tmp_path / "nowhere.pth")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 40))
def test_any_damage_is_a_model_error(torch, tmp_path, place, byte, cut):
    data = bytearray(written({"w": GOOD, "v": Tensor(STORAGE, 1, (2,), (1,))}))
    data[place % len(data)] = byte
    try:
        state = load(tmp_path, bytes(data[: len(data) - cut]))
    except ModelError:
        return
    for array in state.values():
        array.sum()
