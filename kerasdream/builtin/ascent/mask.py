"""Dream in one part of the picture only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Interval

from kerasdream import Mask, Rule
from kerasdream.builtin.ascent.pictures import require_picture


def mask(*, path: Path, feather: Annotated[float, Interval(ge=0, le=1)] = 0.01, invert: bool = False) -> Rule:
    """Dream only where a second picture is white, and leave the photo alone where it is black.

    g ← mask · g, with the mask's brightness from 0 to 1 (deepdraw's masked gradient, Øygard 2015). The mask is resized
    to the size of each octave. Put this rule last: ``adam`` after it would undo the soft edge. The network still sees
    the whole picture, and a prior that is a projection, such as a blur, still changes all of it.

    Args:
        path: the mask, a picture file; grey dreams in part, transparent counts as black.
        feather: width of its soft edges, as a share of the picture's shorter side.
        invert: dream where the mask is black instead.
    """

    def init(state):
        require_picture(state, "mask")
        share = Mask(path, feather, invert).resized(tuple(state.shape[:2]))
        return share[..., None].repeat(3, axis=2)  # the shape of the state

    def update(gradient, memory, state):
        return gradient * memory, memory

    return Rule(update, init)
