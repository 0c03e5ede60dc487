"""A dream one can see through: as opaque at each pixel as the objectives pulled there."""

from __future__ import annotations

import numpy as np

from kerasdream.images.masks import feathered

SOFT = 0.01
"""How far an attribution, which is grainy, is blurred: a standard deviation, as a share of the shorter side."""

CLEAR = 20
"""Percentile of the attribution up to which a dream is clear."""

OPAQUE = 80
"""Percentile from which it is opaque."""


def opacity(attribution: np.ndarray) -> np.ndarray:
    """Return how opaque a dream is, ``(height, width)`` float32 in [0, 1], given ``Result.attribution``.

    Of the attribution, blurred by ``SOFT``, it rises in proportion from the percentile ``CLEAR``, 0, to the percentile
    ``OPAQUE``, 1, so that the few places with the strongest pull do not make all others faint. Where it is the same
    everywhere, the dream is opaque.
    """
    most = attribution.max()
    soft = feathered(attribution / most, SOFT * min(attribution.shape)) if most > 0 else attribution
    low, high = np.percentile(soft, [CLEAR, OPAQUE]).astype("float32")
    if not high > low:
        high = soft.max()  # hardly anything was pulled at, and that alone is to be seen
    if not high > low:
        return np.ones(soft.shape, "float32")
    return ((soft - low) / (high - low)).clip(0, 1)
