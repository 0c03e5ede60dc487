"""Masks: pictures that say where in the dream a part counts, white fully, black not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Interval
from pydantic import BeforeValidator

if TYPE_CHECKING:
    import numpy as np

Feather = Annotated[float, Interval(ge=0, le=1)]

COARSE = 32
"""Standard deviation, in pixels, of the widest blur that is made at a mask's full size."""


@dataclass(frozen=True)
class Mask:
    """A mask, as it stands in a run file: ``{path: mask.png, feather: 0.05}``, or the path alone, or ``{panels: [0]}``.

    Attributes:
        path: a picture of any size: where it is white the part counts, where it is black or transparent it does not;
            None: it counts everywhere.
        feather: width of its soft edges, as a share of the picture's shorter side.
        invert: whether black counts and white does not.
        panels: the only panels in which it counts, of those of ``image.panels``, from 0, row by row; None: all.
    """

    path: Path | None = None
    feather: Feather = 0.0
    invert: bool = False
    panels: tuple[Annotated[int, Ge(0)], ...] | None = None

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic reads it from the class

    @property
    def plain(self) -> dict[str, Any]:
        """The mask as it stands in a recipe: without folders, and without what it does not say."""
        name = None if self.path is None else self.path.name
        said = {"path": name, "feather": self.feather, "invert": self.invert, "panels": self.panels}
        return {key: list(value) if key == "panels" else value for key, value in said.items() if value is not None}

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Reads the mask for a picture of this (height, width), as ``(height, width)`` float32 in [0, 1].

        Raises:
            ImageError: the file is missing or no picture.
        """
        import numpy as np

        if self.path is None:
            return np.full(shape, not self.invert, "float32")
        from kerasdream import images

        drawn = images.read(self.path)
        share = (images.luma(drawn.pixels)[..., 0] + 1) / 2 * (1 if drawn.alpha is None else drawn.alpha)
        share = images.resize(share.astype("float32"), shape).clip(0, 1)
        if self.feather:
            share = _feathered(share, self.feather * min(shape) / 2)
        return np.float32(1) - share if self.invert else share


def _feathered(share: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs a mask; one whose edges become very soft is blurred small, as a wide blur takes as long as it is wide."""
    from scipy.ndimage import gaussian_filter

    from kerasdream import images

    shape = share.shape
    small = [max(1, round(length * min(1, COARSE / sigma))) for length in shape]
    sigmas = [sigma * fewer / length for fewer, length in zip(small, shape, strict=True)]
    return images.resize(gaussian_filter(images.resize(share, small), sigmas, mode="nearest"), shape).clip(0, 1)


def _whole(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


MaskFile = Annotated[Mask, BeforeValidator(_whole, json_schema_input_type=Path | Mask)]
"""Annotation of a parameter that is a mask; in a run file its path alone will do."""
