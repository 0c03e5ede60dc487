"""Make the pictures of the README: ``python docs/make_gallery.py`` (needs scikit-image for one of the photos).

Photos: raccoon (configs/photos, public domain) and coffee (Rachel Michetti, CC0, from scikit-image).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import skimage.data

import kerasdream
from kerasdream import images

HERE = Path(__file__).parent
RACCOON = HERE.parent / "configs" / "photos" / "raccoon.jpg"
DEPTHS = {
    "block1_expand": 0.03,
    "block3_expand": 0.03,
    "block5_expand": 0.025,
    "block8_expand": 0.02,
    "block11_expand": 0.018,
}
"""Layer -> rate, for drawings of one photo at different depths of the network."""


def dream(name: str, picture: Any, side: int, **options: Any) -> None:
    """Dream and write ``gallery/<name>.jpg``."""
    path = HERE / "gallery" / f"{name}.jpg"
    options.setdefault("octaves", {"count": 4})
    result = kerasdream.dream(picture, max_side=side, **options)
    images.save(path, result.image, recipe=result.recipe, format="jpeg", quality=85)
    print(path, round(result.scores[-1] / result.scores[0], 1))


def look(name: str, preset: str, photo: Path, **changes: Any) -> None:
    """Dream by a preset and write ``gallery/<name>.jpg``."""
    output = {"jpeg": {"path": f"{name}.jpg", "quality": 85}}
    image = {"source": str(photo), "max_side": 512}
    run = {"preset": preset, "image": image, "outputs": [output], **changes}
    print(*kerasdream.run(run, folder=HERE / "gallery", overwrite=True).paths)


def main() -> None:
    """Make every picture."""
    look("photoreal", "photoreal", RACCOON)
    look("photoreal-block5_expand", "photoreal", RACCOON, objectives=[{"l2": "block5_expand"}])
    look("photoreal-class", "photoreal-class", RACCOON)
    for layer, rate in DEPTHS.items():
        dream(f"depth-{layer}", RACCOON, 512, objectives={"l2": layer}, ascent=["normalize", {"rate": rate}])
    images.save(HERE / "gallery" / "raccoon.jpg", images.read(RACCOON, 512).pixels, format="jpeg", quality=85)
    dream("coffee", skimage.data.coffee(), 600, objectives={"l2": "block11_expand"})
    noise = np.random.default_rng(1).normal(0, 0.1, (384, 576, 3)).clip(-1, 1).astype("float32")
    dream(
        "noise",
        noise,
        576,
        objectives={"l2": "block11_expand"},
        priors=[{"gaussian_blur": {"sigma": {"from": 0.8, "to": 0.3}}}],
        ascent=["normalize", {"rate": {"from": 0.04, "to": 0.02}}],
        octaves={"count": 6, "scale": 1.4, "steps": 30, "detail": False},
    )


if __name__ == "__main__":
    main()
