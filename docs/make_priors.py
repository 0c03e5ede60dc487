"""Make the picture of docs/catalogue/priors.md: ``python docs/make_priors.py``.

A volcano drawn from the same noise under eight priors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import kerasdream
from kerasdream import images

TO = Path(__file__).parent / "catalogue" / "images" / "priors-class.jpg"

NATURAL = {"exponent": 1.3, "amount": 0.3}
PRIORS: list[list[dict[str, Any]]] = [
    [],
    [{"total_variation": {"weight": 150, "scale": "absolute"}}],
    [{"smoothness": {"weight": 5000, "scale": "absolute"}}],
    [{"spectrum": {"weight": 4000, "scale": "absolute"}}],
    [{"gaussian_blur": {"sigma": {"from": 1.5, "to": 0.4}}}],
    [{"bilateral": {"tone": 0.5, "radius": {"from": 2, "to": 1}, "amount": 0.5}}],
    [{"median": {"size": 3, "amount": 0.4}}],
    [
        {"match_spectrum": NATURAL},
        {"chroma": {"weight": 300, "threshold": 0.3, "scale": "absolute"}},
        {"decay": {"amount": 0.05}},
    ],
]


def main() -> None:
    """Make the picture."""
    noise = np.random.default_rng(0).normal(0, 0.06, (240, 240, 3)).astype("float32")
    panels = []
    for priors in PRIORS:
        options = {"objectives": {"class": {"name": "volcano"}}, "priors": priors, "seed": 1}
        octaves = {"count": 2, "scale": 1.2, "steps": 80, "detail": False}
        ascent = ["normalize", {"rate": {"from": 0.06, "to": 0.02}}]
        result = kerasdream.dream(noise, octaves=octaves, ascent=ascent, **options)
        print(priors, result.scores[-1])
        panels.append(np.pad(result.image, ((2, 2), (2, 2), (0, 0)), constant_values=1))
    images.save(TO, np.vstack([np.hstack(panels[:4]), np.hstack(panels[4:])]), format="jpeg", quality=60)
    print(TO, TO.stat().st_size)


if __name__ == "__main__":
    main()
