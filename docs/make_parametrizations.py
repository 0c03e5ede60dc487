"""Make the pictures of docs/catalogue/parametrizations.md: ``python docs/make_parametrizations.py``.

One channel drawn from noise, and the raccoon (configs/photos, public domain) dreamed, in each parametrization.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import kerasdream
from kerasdream import images

HERE = Path(__file__).parent
RACCOON = HERE.parent / "configs" / "photos" / "raccoon.jpg"
ELEPHANTS = {"channel": {"layer": "block11_expand", "channel": 40}}
DRAWN = {"pixels": 0.02, "decorrelated": 0.05, "laplacian_pyramid": 0.05, "fourier": 0.05, "maco": 1.0}
DREAMED = {"pixels": 0.012, "decorrelated": 0.05, "laplacian_pyramid": 0.03, "fourier": 0.03, "maco": 0.1}
"""Parametrization -> rate after ``adam``."""


def sheet(name: str, panels: list[np.ndarray], quality: int) -> None:
    """Write six pictures in two rows to ``catalogue/images/parametrizations-<name>.jpg``."""
    framed = [np.pad(panel, ((2, 2), (2, 2), (0, 0)), constant_values=1) for panel in panels]
    path = HERE / "catalogue" / "images" / f"parametrizations-{name}.jpg"
    images.save(path, np.vstack([np.hstack(framed[:3]), np.hstack(framed[3:])]), format="jpeg", quality=quality)
    print(path, path.stat().st_size)


def main() -> None:
    """Make every picture."""

    def dream(start: Any, form: str, rate: Any, **options: Any) -> np.ndarray:
        options = {"parametrization": form, "ascent": ["adam", {"rate": rate}], "priors": [], "seed": 1, **options}
        result = kerasdream.dream(start, **options)
        print(form, [round(score, 2) for score in (result.scores[0], result.scores[-1])])
        return result.image

    noise = np.random.default_rng(0).normal(0, 0.1, (256, 256, 3)).clip(-1, 1).astype("float32")
    once = {"objectives": ELEPHANTS, "octaves": {"count": 1, "steps": 128}}
    sheet("noise", [noise, *(dream(noise, *item, **once) for item in DRAWN.items())], 60)
    photo = images.read(RACCOON, 320).stored
    octaves = {"objectives": {"l2": "block11_expand"}, "octaves": {"count": 3, "steps": 20}}
    sheet("photo", [images.to_float(photo), *(dream(photo, *item, **octaves) for item in DREAMED.items())], 66)


if __name__ == "__main__":
    main()
