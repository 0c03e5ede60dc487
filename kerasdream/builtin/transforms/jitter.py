"""Jitter: the network's grid of positions moves in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import Transform


def jitter(*, pixels: Annotated[int, Ge(0)] = 32, wrap: bool = False) -> Transform:
    """Shift the tiling, and with it the network's sampling grid, by a random offset in each step.

    Without it the strides of the network print a checkerboard pattern into the picture. It is the random roll of the
    first DeepDream notebook, except that nothing wraps around: the picture is mirrored at its edges.

    Args:
        pixels: largest offset to the right and down, in pixels; 0 leaves the grid in place.
        wrap: roll the picture instead, as the notebook did, by up to this many pixels either way: its opposite edges
            then meet.
    """
    return Transform(phase=pixels, wrap=wrap)
