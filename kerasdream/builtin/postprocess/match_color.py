"""Give the dream the colours of the source or of another picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from kerasdream import Postprocess, images


def match_color(
    *,
    to: Literal["source"] | Path = "source",
    by: Literal["mean_spread", "histogram"] = "mean_spread",
    amount: Annotated[float, Interval(ge=0, le=1)] = 1.0,
) -> Postprocess:
    """Give the picture the colours of the source or of another picture, channel by channel.

    Dreaming pushes colours apart; this removes the overall cast and keeps the drawing. ``mean_spread`` shifts and
    stretches each channel until its mean and standard deviation match the other picture (after Reinhard, Ashikhmin,
    Gooch, Shirley, "Color transfer between images", 2001, in RGB). ``histogram`` replaces each value by the one of
    equal rank, so that the whole distribution matches (histogram specification, as in Gonzalez and Woods, "Digital
    Image Processing"): black, white and the tones between are then exactly as frequent.

    Args:
        to: where the colours come from: the source photo or a picture file.
        by: mean_spread, gentle, or histogram, exact.
        amount: 0 leaves the picture unchanged, 1 matches fully.
    """
    match = {"mean_spread": _mean_spread, "histogram": _histogram}[by]
    if isinstance(to, Path):
        images.size(to)  # an unreadable file is reported before anything is computed

    def apply(picture, source):
        wanted = images.read(to).pixels if isinstance(to, Path) else source
        return (picture + np.float32(amount) * (match(picture, wanted) - picture)).clip(-1, 1)

    return Postprocess(apply)


def _mean_spread(picture: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return images.with_mean_spread(picture, images.mean_spread(wanted))


def _histogram(picture: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Match ranks. Equal values share the mean of the ranks they take up, so a flat area stays flat."""
    matched = np.empty_like(picture)
    for i in range(3):
        _, places, counts = np.unique(picture[..., i], return_inverse=True, return_counts=True)
        levels, wanted_counts = np.unique(wanted[..., i], return_counts=True)
        matched[..., i] = np.interp(_ranks(counts), _ranks(wanted_counts), levels)[places.reshape(picture.shape[:2])]
    return matched


def _ranks(counts: np.ndarray) -> np.ndarray:
    """Return the share of values below each level, including half of its own, given how often each occurs."""
    return (np.cumsum(counts) - counts / 2) / counts.sum()
