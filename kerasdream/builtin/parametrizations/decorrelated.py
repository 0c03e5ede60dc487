"""Pixels in colours that are independent of each other in photographs."""

from __future__ import annotations

from kerasdream import Parametrization
from kerasdream.builtin.parametrizations.colour import from_picture, to_picture


def decorrelated() -> Parametrization:
    """Optimise pixels in uncorrelated colours, so that hues grow as readily as brightness, and none is clipped.

    picture = 2 · sigmoid(values · Mᵀ) − 1, with M the square root of the covariance of ImageNet's colours. A step then
    changes black and white less than grey. Lucid's colours (Olah et al., "Feature Visualization", Distill 2017).
    """
    return Parametrization(lambda picture, seed: from_picture(picture), lambda state, height, width: to_picture(state))
