"""A photo at the sizes of the octaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasdream.images.arrays import resize

if TYPE_CHECKING:
    import numpy as np


class Scaled:
    """The source at the sizes of the octaves.

    An octave's is needed again where the next one begins; it is kept until then, but not at the full size, where it
    would take as much memory as the canvas and not be needed any more.
    """

    def __init__(self, source: np.ndarray) -> None:
        self.source, self._kept = source, source

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Returns it as ``(height, width, 3)`` float32; not to be changed."""
        if self._kept is not self.source and self._kept.shape[:2] == shape:
            return self._kept
        whole = shape == self.source.shape[:2]
        scaled = self.source if whole and self.source.dtype == "float32" else resize(self.source, shape)
        self._kept = self.source if whole else scaled
        return scaled
