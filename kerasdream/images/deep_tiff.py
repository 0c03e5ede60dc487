"""TIFFs that Pillow cannot decode: colour in floats, in 32 bits, or in planes of 16 bits. ``tifffile`` decodes them."""

from __future__ import annotations

import os
import warnings
from typing import Any, BinaryIO

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from kerasdream.errors import ImageError

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES, _PLANES = 256, 257, 258, 262, 277, 284
_FILE_TYPE, _NUMBERS, _DNG_VERSION, _PROFILE = 254, 339, 50706, 34675
_COLOUR_FILTERS, _LINEAR_RAW = 32803, 34892
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
_PER_INCH = {2: 1.0, 3: 2.54}
_SMALLER_COPY = 1
_WHITE_IS_ZERO, _RGB = 0, 2
_NUMBER_NAMES = {1: "unsigned integer", 2: "signed integer", 3: "floating-point"}


class DeepTiff:
    """The first page of a TIFF, from its tags; like a Pillow image as far as ``reading`` needs one.

    Args:
        path: of the file, for messages.

    Raises:
        ImageError: it is not a photo: a layout that neither Pillow nor this class reads.
        Exception: its tags are damaged; of any kind.
    """

    format, n_frames = "TIFF", 1

    def __init__(self, path: str | os.PathLike[str], file: BinaryIO) -> None:
        self.path, self.file, self.tags = path, file, tags_of(file)
        self.size = int(self.tags[_WIDTH]), int(self.tags[_HEIGHT])
        kind = _NUMBER_NAMES.get(_first(self.tags.get(_NUMBERS, 1)), "TIFF of an unknown number type")
        self.kind = f"a {kind} TIFF of {_first(self.tags.get(_BITS, 1))} bits a channel"
        if self.tags.get(_PHOTOMETRIC) not in (_WHITE_IS_ZERO, 1, _RGB):
            raise ImageError(f"{path}: is {self.kind} in a colour space that is not read; export it as RGB")

    @property
    def info(self) -> dict[str, tuple[float, float]]:
        """The dots per inch, if it has any, as in a Pillow image."""
        factor = _PER_INCH.get(self.tags.get(_UNIT, 2))
        if factor is None or not {_X_RESOLUTION, _Y_RESOLUTION} <= set(self.tags):
            return {}
        return {"dpi": (float(self.tags[_X_RESOLUTION]) * factor, float(self.tags[_Y_RESOLUTION]) * factor)}

    def getexif(self) -> ImageFileDirectory_v2:
        """Return the tags, among them the orientation."""
        return self.tags

    def values(self, notes: list[str]) -> np.ndarray:
        """Decode it: (height, width, 1 or 3) float32, 0 black to 1 white.

        Integers are divided by the largest of their type; floats outside [0, 1] are clipped, with a note.

        Raises:
            ImageError: ``tifffile`` is not installed, or most of its floats are outside [0, 1].
            Exception: it is damaged; of any kind.
        """
        try:
            import tifffile
        except ImportError:
            raise ImageError(
                f"{self.path}: is {self.kind}, which is read with an extra package: "
                'pip install "kerasdream[tiff]"; or export it with 8 or 16 bits'
            ) from None
        self.file.seek(0)
        with tifffile.TiffFile(self.file) as tiff:
            array = tiff.pages.first.asarray()
        if array.ndim == 3 and int(self.tags.get(_PLANES, 1)) == 2:
            array = np.moveaxis(array, 0, -1)
        array = array.reshape(self.size[1], self.size[0], -1)
        colours = 3 if self.tags[_PHOTOMETRIC] == _RGB else 1
        if array.shape[2] > colours:
            notes.append("its further channels, such as transparency, were ignored: it has more than 8 bits a channel")
        if _PROFILE in self.tags:
            notes.append("its colour profile was ignored: it has more than 8 bits a channel")
        values = self._scaled(array[..., :colours], notes)
        return 1 - values if self.tags[_PHOTOMETRIC] == _WHITE_IS_ZERO else values

    def _scaled(self, array: np.ndarray, notes: list[str]) -> np.ndarray:
        if np.issubdtype(array.dtype, np.integer):
            return (array / np.float64(np.iinfo(array.dtype).max)).clip(0, 1).astype(np.float32)
        values = array.astype(np.float32)
        low, high = float(values.min()), float(values.max())
        if not np.isfinite([low, high]).all():
            raise ImageError(f"{self.path}: has values that are not finite; export it again without them")
        if low < 0 or high > 1:
            beyond = float(((values < 0) | (values > 1)).mean())
            if beyond > 0.5:
                raise ImageError(
                    f"{self.path}: is {self.kind} with values from {low:g} to {high:g}; expected 0 (black) to 1 "
                    "(white). Scale it to that range first"
                )
            notes.append(
                f"its values range from {low:g} to {high:g}; {beyond:.1%} were clipped to 0 (black) or 1 (white)"
            )
        return values.clip(0, 1)


def tags_of(file: BinaryIO) -> ImageFileDirectory_v2:
    """Return the tags of a TIFF's first page. A damaged file raises an exception of any kind."""
    file.seek(0)
    header = file.read(8)
    if header[2:4] in (b"\x2b\0", b"\0\x2b"):  # BigTIFF
        header += file.read(8)
    tags = ImageFileDirectory_v2(header)
    file.seek(tags.next)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a damaged tag is left out
        tags.load(file)
    return tags


def is_raw(tags: Any) -> bool:
    """Whether a TIFF is a camera's raw file, whose first page is a small preview or the sensor's mosaic."""
    smaller = _first(tags.get(_FILE_TYPE, 0)) & _SMALLER_COPY
    return _DNG_VERSION in tags or bool(smaller) or tags.get(_PHOTOMETRIC) in (_COLOUR_FILTERS, _LINEAR_RAW)


def is_planar_16(tags: Any) -> bool:
    """Whether it stores colour in planes of more than 8 bits, whose bytes Pillow takes for levels."""
    return _first(tags.get(_PLANES, 1)) == 2 and _first(tags.get(_BITS, 8)) > 8 and tags.get(_SAMPLES, 1) > 1


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)
