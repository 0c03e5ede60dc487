"""Dreaming in one part of the picture only."""

from __future__ import annotations

from pathlib import Path

from kerasdream.builtin.ascent.pictures import require_picture
from kerasdream.components import Rule
from kerasdream.images.masks import Feather, Mask


def mask(*, path: Path, feather: Feather = 0.01, invert: bool = False) -> Rule:
    """Dreams only where a second picture is white, and leaves the photo alone where it is black.

    g ← mask · g, with the mask's brightness from 0 to 1 (deepdraw's masked gradient, Øygard 2015). The mask is brought
    to the size of each octave, whatever its own. Put it last: an ``adam`` behind it would undo its soft edge. The
    network still sees the whole picture, and a prior that is a projection, a blur for one, still changes all of it.

    Args:
        path: the mask, a picture file; grey dreams in part, transparent counts as black.
        feather: width of its soft edges, as a share of the picture's shorter side.
        invert: dreams where the mask is black instead.
    """

    def init(state):
        require_picture(state, "mask")
        share = Mask(path, feather, invert).resized(tuple(state.shape[:2]))
        return share[..., None].repeat(3, axis=2)  # shaped as the state

    def update(gradient, memory, state):
        return gradient * memory, memory

    return Rule(update, init)
