"""Make the pictures of docs/catalogue/postprocess.md: ``python docs/make_postprocess.py``.

One dream of the raccoon (configs/photos, public domain), before and after each step; and one of a cat (CC0,
scikit-image) that one can see through.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import skimage.data

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


def see_through() -> None:
    """Dream the cat's own class; show it on squares of grey, and over the photo."""
    crops = {"side": {"from": 1, "to": 0.6}, "spread": 1}
    result = kerasdream.dream(
        skimage.data.chelsea(), max_side=384, objectives={"class": "Egyptian cat"}, crops=crops,
        octaves={"count": 2, "steps": 30}, attribution=True,
    )  # fmt: skip
    assert result.attribution is not None
    alpha = images.opacity(result.attribution)[..., None]
    down, right = np.indices(alpha.shape[:2]) // 12
    squares = ((down + right) % 2 * 0.3)[..., None]
    photo = images.resize(skimage.data.chelsea(), alpha.shape[:2])
    shown = [result.image, *(below + alpha * (result.image - below) for below in (squares, photo))]
    row("see-through", *(one[:, 48:336].astype("float32") for one in shown))


def main() -> None:
    """Make every picture."""
    see_through()
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
