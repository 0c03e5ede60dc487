"""Colours without bounds and without correlation: what the other parametrizations hold in place of RGB in [-1, 1].

picture = 2 · sigmoid(values · Mᵀ) − 1. In photographs red, green and blue nearly always rise together, so a step that
treats them as equals is mostly brightness and hardly colour. M is the square root of the covariance of ImageNet's
colours: its columns, values' three axes, are uncorrelated there (brightness; red against blue; green against both).
M and the sigmoid are those of Lucid (Olah et al., "Feature Visualization", Distill 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerasdream import ops

if TYPE_CHECKING:
    import numpy as np

ROOT = (0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03)
"""The matrix square root of the covariance of red, green and blue (rows) in ImageNet; scaled in ``matrix``."""

LIMIT = 1 - 1 / 255
"""Black and white are infinitely far away; what a photo has of them is held half a level of 255 before."""


def matrix() -> np.ndarray:
    """Returns M, ``(3, 3)`` float32: ``ROOT``, its longest column of length 1."""
    import numpy as np

    root = np.array(ROOT, "float32")
    return root / np.linalg.norm(root, axis=0).max()


def to_picture(values: Any, decorrelate: bool = True) -> Any:
    """Returns values ``(height, width, 3)`` of any size as RGB in [-1, 1], differentiably; M is left out on demand."""
    return ops.tanh((ops.matmul(values, matrix().T) if decorrelate else values) / 2)  # 2 · sigmoid − 1, exact near 0


def from_picture(picture: np.ndarray, decorrelate: bool = True) -> np.ndarray:
    """Returns the values ``(height, width, 3)`` float32 that ``to_picture`` makes a picture from."""
    import numpy as np

    values = 2 * np.arctanh(np.clip(np.asarray(picture, "float32"), -LIMIT, LIMIT))
    return values @ np.linalg.inv(matrix()).T if decorrelate else values
