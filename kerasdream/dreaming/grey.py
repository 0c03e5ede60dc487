"""Dreams of networks that see grey: only the brightness changes, and the colours stay those of the source."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from kerasdream import ops
from kerasdream.components import Parametrization
from kerasdream.images import LUMA, Scaled, luma
from kerasdream.plan.panels import Panels


def keeping_colours(form: Parametrization, source: np.ndarray, panels: Panels, *, grey: bool) -> Parametrization:
    """Return a parametrization whose pictures have its brightness and the source's colours, for a network that is grey.

    The brightness is luma, not the mean: in the mean, what an axis of colour adds to red it takes from blue, and Adam
    would make a full step of the rounding error that is left.

    Args:
        source: ``(height, width, 3)``: uint8 levels or float32 in [-1, 1], the same in each panel.
    """
    decode = form.decode
    if decode is None or not grey:  # without decode, the gradient changes the brightness only
        return form
    photo = Scaled(source[panels.windows((source.shape[0], source.shape[1]))[0]])

    @lru_cache(maxsize=1)
    def colours(height: int, width: int) -> np.ndarray:
        picture = photo.resized((height, width))
        return picture - luma(picture)

    def in_colour(state: Any, height: int, width: int) -> Any:
        brightness = ops.sum(decode(state, height, width) * np.array(LUMA, "float32"), axis=2, keepdims=True)
        return brightness + colours(height, width)

    return replace(form, decode=in_colour)


def brightness_only(gradient: Any) -> Any:
    """Return a gradient, ``(height, width, 3)`` array or tensor, that changes red, green and blue alike."""
    if isinstance(gradient, np.ndarray):
        gradient[...] = gradient.mean(axis=2, keepdims=True)
        return gradient
    return ops.broadcast_to(ops.mean(gradient, axis=2, keepdims=True), gradient.shape)
