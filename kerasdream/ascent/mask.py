"""Dreaming in one part of the picture only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from kerasdream import images
from kerasdream.ascent.pictures import require_picture
from kerasdream.components import Rule


def mask(*, image: Path, feather: Annotated[float, Ge(0)] = 4.0, invert: bool = False) -> Rule:
    """Dreams only where a second picture is white, and leaves the photo alone where it is black.

    g ← mask · g, with the mask's brightness from 0 to 1 (deepdraw's masked gradient, Øygard 2015). The mask is brought
    to the size of each octave, whatever its own. Put it last: an ``adam`` behind it would undo its soft edge. The
    network still sees the whole picture, and a prior that is a projection, a blur for one, still changes all of it.

    Args:
        image: the mask, a picture file; grey dreams in part, transparent counts as black.
        feather: softens the mask's edge: standard deviation of a Gaussian blur, in pixels of the octave.
        invert: dreams where the mask is black instead.
    """

    def init(state):
        import numpy as np
        from scipy.ndimage import gaussian_filter

        require_picture(state, "mask")
        picture = images.read(image)
        share = (picture.pixels.mean(axis=2) + 1) / 2
        if picture.alpha is not None:
            share = share * picture.alpha
        share = np.clip(images.resize(share, tuple(state.shape[:2])), 0, 1)
        share = gaussian_filter(1 - share if invert else share, feather, mode="nearest")
        return np.repeat(share[..., None], 3, axis=2)  # shaped as the state

    def update(gradient, memory, state):
        return gradient * memory, memory

    return Rule(update, init)
