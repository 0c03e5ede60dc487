"""The colours of the source, or of another picture, given to the dream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Interval

from kerasdream.components import Postprocess

if TYPE_CHECKING:
    import numpy as np


def match_color(
    *,
    to: Literal["source"] | Path = "source",
    by: Literal["mean_spread", "histogram"] = "mean_spread",
    amount: Annotated[float, Interval(ge=0, le=1)] = 1.0,
) -> Postprocess:
    """Gives the picture the colours of the source or of another picture, channel by channel.

    Dreaming pushes colours apart; this takes the overall cast back and keeps the drawing. ``mean_spread`` moves and
    stretches each channel until its mean and standard deviation are those of the other picture (after Reinhard,
    Ashikhmin, Gooch, Shirley, "Color transfer between images", 2001, in RGB). ``histogram`` replaces each value by the
    one of equal rank, so that the whole distribution is the same (histogram specification, as in Gonzalez and Woods,
    "Digital Image Processing"): black, white and the tones between are then exactly as frequent.

    Args:
        to: whose colours: the source photo's, or those of a picture file.
        by: mean_spread, gentle, or histogram, exact.
        amount: 0 leaves the picture as it is, 1 matches fully.
    """
    from kerasdream import images

    match = {"mean_spread": _mean_spread, "histogram": _histogram}[by]
    if isinstance(to, Path):
        images.size(to)  # whether it is a picture is known before anything is computed

    def apply(picture, source):
        import numpy as np

        wanted = images.read(to).pixels if isinstance(to, Path) else source
        return (picture + np.float32(amount) * (match(picture, wanted) - picture)).clip(-1, 1)

    return Postprocess(apply)


def _mean_spread(picture: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    from kerasdream import images

    return images.with_mean_spread(picture, images.mean_spread(wanted))


def _histogram(picture: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Equal values have equal ranks, the mean of those they take up: a flat area stays flat."""
    import numpy as np

    matched = np.empty_like(picture)
    for i in range(3):
        _, places, counts = np.unique(picture[..., i], return_inverse=True, return_counts=True)
        levels, wanted_counts = np.unique(wanted[..., i], return_counts=True)
        matched[..., i] = np.interp(_ranks(counts), _ranks(wanted_counts), levels)[places.reshape(picture.shape[:2])]
    return matched


def _ranks(counts: np.ndarray) -> np.ndarray:
    """Returns the share of values below each level, half of its own included, given how often each occurs."""
    import numpy as np

    return (np.cumsum(counts) - counts / 2) / counts.sum()
