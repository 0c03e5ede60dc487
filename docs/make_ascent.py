"""Make the pictures of docs/catalogue/ascent.md and transforms.md: ``python docs/make_ascent.py``.

The raccoon (configs/photos, public domain) dreamed with six chains of ascent rules; one channel drawn from noise
through six lists of transforms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from make_parametrizations import ELEPHANTS, RACCOON, sheet

import kerasdream
from kerasdream import images

CHAINS = [
    ["normalize", {"rate": 0.018}],
    ["laplacian_normalize", {"rate": 0.008}],
    [{"smooth": {"sigma": {"from": 0.5, "to": 2.5}}}, "normalize", {"rate": 0.018}],
    ["normalize", {"momentum": {"decay": 0.8}}, {"rate": 0.004}],
    ["adam", {"rate": 0.02}],
    ["sign", {"rate": 0.012}],
]

JITTER = {"jitter": {"pixels": 32}}
LUCID = [
    {"pad": 12},
    {"shift": 4},
    {"scale": {"factors": [0.9, 0.92, 0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06, 1.08, 1.1]}},
    {"rotate": {"angles": [*range(-10, 11), 0, 0, 0, 0, 0]}},
    {"shift": 2},
]
TRANSFORMS = [
    [JITTER],
    LUCID,
    [JITTER, {"rotate": 30.0}],
    [JITTER, {"crop": {"low": 0.5, "high": 1.0}}],
    [JITTER, {"blur": {"sigma": {"from": 3.0, "to": 0.5}}}],
    [JITTER, {"noise": {"spread": {"from": 0.4, "to": 0.0}}}],
]


def main() -> None:
    """Make both pictures."""

    def dream(start: Any, **options: Any) -> np.ndarray:
        result = kerasdream.dream(start, seed=1, **options)
        print([round(score, 2) for score in (result.scores[0], result.scores[-1])], options)
        return result.image

    photo = images.read(RACCOON, 320).stored
    octaves = {"objectives": {"l2": "block11_expand"}, "octaves": {"count": 4, "steps": 15}}
    sheet("ascent", [dream(photo, ascent=chain, **octaves) for chain in CHAINS], 66)
    noise = np.random.default_rng(0).normal(0, 0.1, (256, 256, 3)).clip(-1, 1).astype("float32")
    once = {
        "objectives": ELEPHANTS,
        "octaves": {"count": 1, "steps": 128},
        "parametrization": "fourier",
        "priors": [],
        "ascent": ["adam", {"rate": 0.05}],
    }
    sheet("transforms", [dream(noise, transforms=transforms, **once) for transforms in TRANSFORMS], 60)


if __name__ == "__main__":
    main()
