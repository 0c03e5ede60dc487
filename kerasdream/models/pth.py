"""Read a PyTorch state dict without PyTorch, and without running anything in the file.

The format is the one ``torch.save`` wrote before PyTorch 1.6 (``torch/serialization.py``, ``_legacy_save``): five
pickles (a magic number, the protocol, facts about the machine, the object, the keys of its storages), then the storages
in turn, each an int64 count and that many little-endian elements. A tensor in the object is a view of a storage: an
offset, a size and strides, so permuted weights come out right only if the strides are honoured.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kerasdream.errors import ModelError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1", "BoolStorage": "?",
}  # fmt: skip
"""Class of a storage in ``torch`` -> NumPy dtype of its elements."""


class _Storage(NamedTuple):
    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]


def load_state_dict(path: str | Path, *, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Read a state dict saved in PyTorch's legacy format.

    Args:
        path: the ``.pth`` file.
        sha256: hexadecimal SHA-256 the file must have; checked before anything in it is interpreted.

    Returns:
        Name -> array of the tensor's shape and dtype. The arrays are read-only views of the file's bytes, mostly with
        permuted strides.

    Raises:
        ModelError: the file cannot be read, has a different checksum, is damaged, or refers to anything but tensors.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the weights file {path}: {error.strerror or error}") from error
    if sha256 is not None and (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise ModelError(
            f"the weights file {path} is not the expected one: its SHA-256 is {found}, expected {sha256}. "
            "Reinstall the package that it belongs to."
        )
    try:
        return _parse(data)
    except Exception as error:  # pickle and NumPy raise nearly everything over damaged bytes
        reason = str(error) or type(error).__name__
        raise ModelError(
            f"cannot read {path} as a PyTorch state dict: {reason}. Expected a file of tensors only, saved with "
            "torch.save(state_dict, file, _use_new_zipfile_serialization=False)."
        ) from error


class _Unpickler(pickle.Unpickler):
    """Accepts only the few names a state dict needs, and replaces them by functions that can do nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return self.rebuild_parameter
        if module == "torch" and name in STORAGES:
            return name
        raise pickle.UnpicklingError(f"it refers to {module}.{name}, which a state dict does not need")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage, key, _location, count, view = pid
        if kind != "storage" or storage not in STORAGES or view is not None or not _whole(count):
            raise pickle.UnpicklingError(f"it refers to {pid!r}, which is not a storage of tensors")
        return _Storage(str(key), STORAGES[storage], count)

    @staticmethod
    def rebuild_tensor(
        storage: _Storage, offset: int, size: tuple[int, ...], strides: tuple[int, ...], *_gradient: Any
    ) -> _Tensor:
        if not isinstance(storage, _Storage) or not _whole(offset, *size, *strides) or len(size) != len(strides):
            raise pickle.UnpicklingError("a tensor in it is malformed")
        return _Tensor(storage, offset, tuple(size), tuple(strides))

    @staticmethod
    def rebuild_parameter(data: _Tensor, *_gradient: Any) -> _Tensor:
        return data


def _parse(data: bytes) -> dict[str, np.ndarray]:
    if data[:2] == b"PK":
        raise ValueError("it is in PyTorch's newer zip format")
    file = io.BytesIO(data)
    if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
        raise ValueError("it does not start like one")
    if not _Unpickler(file).load()["little_endian"]:
        raise ValueError("it was saved on a big-endian machine")
    tensors, keys = _Unpickler(file).load(), _Unpickler(file).load()
    if not isinstance(tensors, dict) or not all(isinstance(t, _Tensor) for t in tensors.values()):
        raise ValueError("it holds something other than named tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    starts = _locate(data, file.tell(), [storages[key] for key in keys])
    return {name: _view(data, starts, tensor) for name, tensor in tensors.items()}


def _locate(data: bytes, position: int, storages: list[_Storage]) -> dict[_Storage, int]:
    """Return the byte at which each storage's elements start."""
    starts = {}
    for storage in storages:
        count = int.from_bytes(data[position : position + 8], "little", signed=True)
        starts[storage] = position + 8
        position += 8 + count * np.dtype(storage.dtype).itemsize
        if count != storage.length or position > len(data):
            raise ValueError(f"it is damaged or cut short: storage {storage.key} is incomplete")
    if position != len(data):
        raise ValueError(f"it is damaged: {len(data) - position} bytes follow the last storage")
    return starts


def _view(data: bytes, starts: dict[_Storage, int], tensor: _Tensor) -> np.ndarray:
    storage, offset, size, strides = tensor
    end = offset + 1 + sum((n - 1) * stride for n, stride in zip(size, strides, strict=True))
    if 0 in size:
        return np.zeros(size, storage.dtype)
    if end > storage.length:
        raise ValueError(f"it is damaged: a tensor reaches past the end of storage {storage.key}")
    flat = np.frombuffer(data, storage.dtype, count=storage.length, offset=starts[storage])
    step = flat.itemsize
    return np.lib.stride_tricks.as_strided(flat[offset:], size, [stride * step for stride in strides], writeable=False)


def _whole(*numbers: Any) -> bool:
    return all(type(number) is int and number >= 0 for number in numbers)
