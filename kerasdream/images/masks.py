"""Masks: pictures that limit where in the dream a part counts, white fully, black not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Interval
from pydantic import BeforeValidator

from kerasdream.images.arrays import resize
from kerasdream.images.colors import luma
from kerasdream.images.reading import read

Feather = Annotated[float, Interval(ge=0, le=1)]

COARSE = 32
"""Standard deviation, in pixels, of the widest blur computed at a mask's full size."""


@dataclass(frozen=True)
class Mask:
    """A mask in a run file: ``{path: mask.png, feather: 0.05}``, the path alone, or ``{panels: [0]}``.

    Attributes:
        path: a picture of any size; the part counts where it is white, not where it is black or transparent.
            None: it counts everywhere.
        feather: width of the soft edges, as a fraction of the picture's shorter side.
        invert: black counts and white does not.
        panels: indices of the panels (of ``image.panels``, from 0, row by row) in which it counts; None: all.
    """

    path: Path | None = None
    feather: Feather = 0.0
    invert: bool = False
    panels: tuple[Annotated[int, Ge(0)], ...] | None = None

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic reads it from the class

    @property
    def plain(self) -> dict[str, Any]:
        """The mask as a recipe records it: no folder, no unset keys."""
        return {
            **({} if self.path is None else {"path": self.path.name}),
            "feather": self.feather,
            "invert": self.invert,
            **({} if self.panels is None else {"panels": list(self.panels)}),
        }

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Read the mask at this (height, width): ``(height, width)`` float32 in [0, 1].

        Raises:
            ImageError: the file is missing or not a picture.
        """
        if self.path is None:
            return np.full(shape, not self.invert, "float32")
        drawn = read(self.path)
        share = (luma(drawn.pixels)[..., 0] + 1) / 2 * (1 if drawn.alpha is None else drawn.alpha)
        share = resize(share.astype("float32"), shape).clip(0, 1)
        if self.feather:
            share = feathered(share, self.feather * min(shape) / 2)
        return np.float32(1) - share if self.invert else share


def feathered(share: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a mask. Wide blurs are computed at reduced size, because the cost grows with the radius."""
    from scipy.ndimage import gaussian_filter  # scipy loads slowly, and few runs feather a mask

    shape = share.shape
    height, width = (max(1, round(length * min(1, COARSE / sigma))) for length in shape)
    small = height, width
    sigmas = [sigma * fewer / length for fewer, length in zip(small, shape, strict=True)]
    return resize(gaussian_filter(resize(share, small), sigmas, mode="nearest"), shape).clip(0, 1)


def _whole(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


MaskFile = Annotated[Mask, BeforeValidator(_whole, json_schema_input_type=Path | Mask)]
"""Annotation of a parameter that is a mask; a run file may give just its path."""
