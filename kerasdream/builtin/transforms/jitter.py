"""Jitter: the network's grid of positions lies elsewhere in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream.components import Transform


def jitter(*, pixels: Annotated[int, Ge(0)] = 32, wrap: bool = False) -> Transform:
    """Shifts the tiling, and with it the network's sampling grid, by a random offset in each step.

    Without it the strides of the network print a checkered pattern into the picture. It is the random roll of the first
    DeepDream notebook, but nothing wraps around: at its edges the picture is mirrored.

    Args:
        pixels: largest offset to the right and down, in pixels; 0 leaves the grid where it is.
        wrap: roll the picture instead, as that notebook did, by up to so many pixels either way: its edges then meet.
    """
    return Transform(phase=pixels, wrap=wrap)
