"""The benchmark cases: networks and layers, and a picture of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kerasdream import Network

LAYERS = {"inception_v3": ("mixed3", "mixed5"), "efficientnet_lite0": ("block11_expand",)}
"""Network -> the layers that are dreamed: as in TensorFlow's tutorial, and as in ``configs/quickstart.yaml``."""


@dataclass(frozen=True)
class Case:
    """A built network, and the layers whose mean activation every contestant raises."""

    network: Network
    layers: tuple[str, ...]


def build(name: str) -> Case:
    """Build a network of ``LAYERS``.

    InceptionV3 has random weights from a fixed seed: no download, and the time does not depend on them.
    """
    import keras

    from kerasdream import Network
    from kerasdream.models.efficientnet_lite import efficientnet_lite0

    if name == "efficientnet_lite0":
        return Case(efficientnet_lite0(), LAYERS[name])
    keras.utils.set_random_seed(0)
    model = keras.applications.InceptionV3(include_top=False, weights=None)
    return Case(Network(name, model, lambda picture: picture), LAYERS[name])  # its input is in [-1, 1] already


def picture(shape: tuple[int, int]) -> np.ndarray:
    """Waves under noise, ``(height, width, 3)`` float32 in [-1, 1], made in place, without a copy."""
    height, width = shape
    pixels = np.random.default_rng(0).random((height, width, 3), dtype="float32")
    pixels -= 0.5
    pixels += 0.25 * np.sin(np.arange(height, dtype="float32") / 17)[:, None, None]
    pixels += 0.25 * np.sin(np.arange(width, dtype="float32") / 29)[None, :, None]
    return pixels
