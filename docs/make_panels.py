"""Make the picture of panels in docs/catalogue/objectives.md: ``python docs/make_panels.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import kerasdream
from kerasdream import images

TO = Path(__file__).parent / "catalogue" / "images" / "panels.jpg"

LAYER = "block9_expand_bn"
CHANNELS = 5, 20, 33, 58, 77, 101, 140, 190
ALIKE = {"channel": {"layer": LAYER, "channel": 58}}
DIFFERENT = {"diversity": {"layer": "block5_expand", "weight": 8}}
BETWEEN = {"interpolate": {"layer": LAYER, "channel": 20, "to_layer": LAYER, "to_channel": 58}}
ALIGNED = {"alignment": {"layer": "block3_expand", "weight": 0.5}}


def sheet(panels: int, *objectives: dict[str, Any]) -> np.ndarray:
    """Draw a row of panels from noise."""
    result = kerasdream.run(
        {
            "image": {"source": "noise", "size": [128, 128], "panels": panels, "spread": 0.05},
            "objectives": list(objectives),
            "parametrization": "fourier",
            "priors": [],
            "transforms": [{"jitter": 8}, {"rotate": {"degrees": 8}}],
            "ascent": ["adam", {"rate": 0.05}],
            "octaves": {"count": 1, "steps": 200, "detail": False},
            "outputs": [],
        }
    )
    print(objectives, result.scores[0], result.scores[-1], round(result.timings["total"], 1), "seconds", flush=True)
    return result.image


def main() -> None:
    """Make the picture."""
    grid = [{"channel": {"layer": LAYER, "channel": c, "mask": {"panels": [i]}}} for i, c in enumerate(CHANNELS)]
    rows = [
        sheet(8, *grid),
        np.hstack([sheet(4, ALIKE), sheet(4, ALIKE, DIFFERENT)]),
        sheet(8, BETWEEN, ALIGNED),
    ]
    images.save(
        TO,
        np.vstack([np.pad(row, ((2, 2), (2, 2), (0, 0)), constant_values=1) for row in rows]),
        format="jpeg",
        quality=75,
    )
    print(TO, TO.stat().st_size)


if __name__ == "__main__":
    main()
