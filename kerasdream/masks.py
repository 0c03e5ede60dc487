"""Masks: pictures that say where in the dream a part counts, white fully, black not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Interval
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

if TYPE_CHECKING:
    import numpy as np


class Mask(BaseModel):
    """A mask in a file, as it stands in a run file: ``{path: mask.png, feather: 0.05}``, or the path alone."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    path: Path = Field(description="A picture: where it is white the part counts, where it is black it does not.")
    feather: Annotated[float, Interval(ge=0, le=1)] = Field(
        0.0, description="Softness of its edges, as a share of the picture's shorter side."
    )
    invert: bool = Field(False, description="Whether black counts and white does not.")

    def at(self, shape: tuple[int, int]) -> np.ndarray:
        """Reads the mask for a picture of this (height, width), as ``(height, width)`` float32 in [0, 1].

        Raises:
            ImageError: the file is missing or no picture.
        """
        import numpy as np
        from scipy.ndimage import gaussian_filter

        from kerasdream import images

        grey = images.resize(images.read(self.path).stored, shape).mean(axis=2) / 2 + 0.5
        if self.feather:
            grey = gaussian_filter(grey, self.feather * min(shape) / 2, mode="nearest")
        grey = np.clip(grey, 0, 1, dtype="float32")
        return 1 - grey if self.invert else grey


def _written_out(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


_SCHEMA = Mask.model_json_schema()

MaskFile = Annotated[
    Mask,
    BeforeValidator(_written_out),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "path"}, {**_SCHEMA, "title": "Mask"}]}),
]
"""Annotation of a parameter that names a mask: a path, or a mapping of ``Mask``."""
