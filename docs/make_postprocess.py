"""Make the pictures of docs/catalogue/postprocess.md: ``python docs/make_postprocess.py``.

One dream of the raccoon (configs/photos, public domain), before and after each step.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import kerasdream
from kerasdream import Mask, Postprocess, images
from kerasdream.builtin.postprocess import blend, denoise, grade, keep_colors, match_color, sharpen, upscale

HERE = Path(__file__).parent
RACCOON = HERE.parent / "configs" / "photos" / "raccoon.jpg"
WHOLE, FACE = (slice(None), slice(None)), (slice(70, 250), slice(235, 475))
PANEL = 216, 288
"""Height and width of each picture in a row."""


def row(name: str, *panels: np.ndarray) -> None:
    """Write pictures side by side to ``catalogue/images/<name>.jpg``."""
    gap = np.ones((PANEL[0], 4, 3), "float32")
    shown = [images.resize(panel, PANEL).clip(-1, 1) for panel in panels]
    path = HERE / "catalogue" / "images" / f"{name}.jpg"
    images.save(path, np.hstack([shown[0], *(x for p in shown[1:] for x in (gap, p))]), format="jpeg", quality=72)
    print(path, path.stat().st_size)


def main() -> None:
    """Make every picture."""
    source = images.read(RACCOON, 512).pixels
    parts = {"objectives": {"l2": "block11_expand"}, "octaves": {"count": 4}, "postprocess": []}
    dream = kerasdream.dream(RACCOON, max_side=512, **parts).image

    def pair(name: str, step: Postprocess, part: tuple[slice, slice] = WHOLE) -> None:
        row(name, dream[part], step.apply(dream, source)[part])

    row("dream", source, dream)
    pair("match-color", match_color(to="source"))
    pair("match-color-histogram", match_color(to="source", by="histogram"))
    pair("keep-colors", keep_colors())
    pair("denoise", denoise(tone=0.4), FACE)
    pair("sharpen", sharpen(), FACE)
    pair("grade", grade(exposure=-0.3, temperature=0.5, contrast=0.5, curve=[(0.0, 0.06)], saturation=0.8))
    small = images.resize(dream, (128, 171)).clip(-1, 1)
    nearest = small.repeat(3, 0).repeat(3, 1)
    row("upscale", *(p[100:280, 240:480] for p in (nearest, upscale(factor=3).apply(small, small))))
    down, right = np.mgrid[: dream.shape[0], : dream.shape[1]]
    face = ((down - 150) / 120) ** 2 + ((right - 335) / 140) ** 2 > 1
    with TemporaryDirectory() as folder:
        mask = Path(folder) / "mask.png"
        white = np.where(face, 1, -1)[..., None].repeat(3, -1).astype("float32")
        images.save(mask, white, format="png")
        row("blend", white, blend(amount=1.0, mask=Mask(mask, 0.06)).apply(dream, source))


if __name__ == "__main__":
    main()
