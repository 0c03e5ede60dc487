"""A photo, resized for each octave."""

from __future__ import annotations

import numpy as np

from kerasdream.images.arrays import resize


class Scaled:
    """The source, resized for each octave.

    The size of one octave is needed again when the next one starts, so it is kept until then; not at full size, where
    it would take as much memory as the canvas and not be used again.
    """

    def __init__(self, source: np.ndarray) -> None:
        self.source, self._kept = source, source

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the source resized to ``shape``, ``(height, width, 3)`` float32 (read-only)."""
        if self._kept is not self.source and self._kept.shape[:2] == shape:
            return self._kept
        whole = shape == self.source.shape[:2]
        scaled = self.source if whole and self.source.dtype == "float32" else resize(self.source, shape)
        self._kept = self.source if whole else scaled
        return scaled
