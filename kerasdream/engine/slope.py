"""The data of one step of the engine: what its batches share, what each returns, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from kerasdream.engine.canvas import DeviceSheet, HostSheet
from kerasdream.plan.panels import Panels


class Slope(NamedTuple):
    """The result of one step.

    Attributes:
        gradient: of the weighted sum of all parts, shaped like the picture: an array or, on an accelerator, a tensor.
        means: each part's mean over the picture, unweighted: objectives, then energies.
        magnitude: the mean of ``|gradient|`` before the correction at seams; not finite if any of the gradient is not.
        attribution: ``(height, width)``: ``|gradient|`` of the objectives alone, added up over the colours; None if the
            engine does not attribute.
    """

    gradient: Any
    means: np.ndarray
    magnitude: float
    attribution: np.ndarray | None = None


class Evaluated(NamedTuple):
    """The result of one batch of tiles.

    ``weights`` and ``sums`` are those of ``ScoreSums``; ``magnitudes`` holds, for each tile, the sums of its core's
    ``|gradient|`` over each row and over each column.
    """

    weights: np.ndarray
    sums: np.ndarray
    magnitudes: list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class TiledStep:
    """All that the batches of one step have in common.

    Attributes:
        picture, companions: on the step's device; ``companions`` is None if there are none.
        values, seed: the numbers that change, as the trace takes them, and the seed.
        device: where picture and gradient are kept.
        sheet: takes the cores' gradients.
    """

    picture: Any
    companions: Any
    panels: Panels
    values: np.ndarray
    seed: tuple[int, int]
    device: str | None
    sheet: HostSheet | DeviceSheet

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.picture.shape[:2]
