"""Make the picture of docs/catalogue/objectives.md: ``python docs/make_objectives.py``.

The raccoon under nine objectives, and in a style matched in two ways. The guide is a cat, the style a cup of coffee
(both CC0, scikit-image).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data

import kerasdream
from kerasdream import images

PHOTO = Path(__file__).parents[1] / "configs" / "photos" / "raccoon.jpg"
FOLDER = Path(__file__).parent / "catalogue" / "images"

STYLED = ["stem", "block1_expand", "block3_expand", "block5_expand"]


def dreams(folder: Path) -> list[dict[str, Any]]:
    """Return the settings of each panel; ``cat.png``, ``coffee.png`` and ``left.png`` are in the folder."""
    guide, painting = str(folder / "cat.png"), str(folder / "coffee.png")
    near = {"difference": {"layer": "block8_expand", "weight": -0.1}}
    place = {"neuron": {"layer": "block11_expand_bn", "channel": 60, "x": 0.25, "y": 0.35}}
    gentle = [{"normalize": {"by": "max"}}, {"rate": 0.1}]
    left = {"path": str(folder / "left.png"), "feather": 0.2}
    halves = [
        {"l2": {"layer": "block3_expand", "mask": left}},
        {"l2": {"layer": "block11_expand", "weight": 4, "mask": {**left, "invert": True}}},
    ]
    longer, long = ({"count": 3, "steps": steps} for steps in (30, 60))
    return [
        {"objectives": {"l2": {"layer": "block8_expand"}}},
        {"objectives": {"caricature": {"layer": "block8_expand", "power": 0}}, "octaves": long},
        {"objectives": {"channel": {"layer": "block8_expand_bn", "channel": [7, 40]}}},
        {"objectives": {"channel": {"layer": "block11_expand", "channel": "strongest", "count": 5}}},
        {"objectives": place, "ascent": gentle, "octaves": long},
        {"objectives": {"guide": {"image": guide, "layer": "block8_expand"}}},
        {"objectives": [{"style": {"image": painting, "layer": STYLED}}, near], "octaves": longer},
        {"objectives": {"layer_difference": {"layer": "block11_expand", "minus": "block3_expand", "amount": 0.2}}},
        {"objectives": halves},
    ]


def styles(folder: Path) -> list[dict[str, Any]]:
    """Return the settings of each panel of the sheet of styles; ``coffee.png`` is in the folder."""
    style = {"image": str(folder / "coffee.png"), "layer": STYLED}
    near = {"difference": {"layer": "block8_expand", "weight": -0.1}}
    longer = {"count": 3, "steps": 30}
    return [
        {"objectives": [{"style": {**style, "match": match}}, near], "octaves": longer} for match in ("gram", "sorted")
    ]


def main() -> None:
    """Make the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        left = np.repeat(np.uint8([[[255] * 3, [0] * 3]]), 2, axis=0)
        for name, data in (("cat", skimage.data.chelsea()), ("coffee", skimage.data.coffee()), ("left", left)):
            images.save(Path(folder) / f"{name}.png", images.to_float(data), format="png")
        draw(FOLDER / "objectives.jpg", dreams(Path(folder)))
        draw(FOLDER / "style.jpg", styles(Path(folder)))


def draw(to: Path, dreams: list[dict[str, Any]]) -> None:
    """Draw a sheet of dreams, three in a row."""
    common = {"outputs": [], "octaves": {"count": 3, "steps": 15}}
    panels = []
    for dream in dreams:
        result = kerasdream.run({**common, "image": {"source": str(PHOTO), "max_side": 384}, **dream})
        print(dream["objectives"], result.scores[0], result.scores[-1], flush=True)
        panels.append(np.pad(result.image, ((2, 2), (2, 2), (0, 0)), constant_values=1))
    rows = [np.hstack(panels[start : start + 3]) for start in range(0, len(panels), 3)]
    images.save(to, np.vstack(rows), format="jpeg", quality=55)
    print(to, to.stat().st_size)


if __name__ == "__main__":
    main()
