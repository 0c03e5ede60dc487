"""Unbounded, uncorrelated colours, which the other parametrizations use in place of RGB in [-1, 1].

picture = 2 · sigmoid(values · Mᵀ) − 1. In photographs red, green and blue nearly always rise together, so a step that
treats them equally changes mostly brightness and hardly colour. M is the square root of the covariance of ImageNet's
colours: its columns, the three axes of the values, are uncorrelated there (brightness; red against blue; green against
both). M and the sigmoid come from Lucid (Olah et al., "Feature Visualization", Distill 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasdream import ops

ROOT = (0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03)
"""The matrix square root of the covariance of red, green and blue (rows) in ImageNet; scaled in ``matrix``."""

LIMIT = 1 - 1 / 255
"""Black and white are infinitely far away, so a photo's extremes are held half a level of 255 before them."""


def matrix() -> np.ndarray:
    """Return M, ``(3, 3)`` float32: ``ROOT``, scaled so that its longest column has length 1."""
    root = np.array(ROOT, "float32")
    return root / np.linalg.norm(root, axis=0).max()


def to_picture(values: Any, decorrelate: bool = True) -> Any:
    """Return values ``(height, width, 3)`` as RGB in [-1, 1], differentiably; without M unless ``decorrelate``."""
    return ops.tanh((ops.matmul(values, matrix().T) if decorrelate else values) / 2)  # 2 · sigmoid − 1, exact near 0


def from_picture(picture: np.ndarray, decorrelate: bool = True) -> np.ndarray:
    """Return the values ``(height, width, 3)`` float32 that ``to_picture`` turns into this picture."""
    values = 2 * np.arctanh(np.clip(np.asarray(picture, "float32"), -LIMIT, LIMIT))
    return values @ np.linalg.inv(matrix()).T if decorrelate else values
