"""Film grain for kerasdream: soft, strongest in the middle tones, the same for the same seed."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Interval

from kerasdream import Postprocess, hookimpl


def film_grain(
    *,
    amount: Annotated[float, Interval(ge=0, le=1)] = 0.08,
    size: Annotated[float, Gt(0)] = 1.0,
    seed: Annotated[int, Ge(0)] = 0,
) -> Postprocess:
    """Lays grain over the picture, as on film: it ties what was dreamed and what was photographed together.

    Args:
        amount: standard deviation of the grain in the middle tones, on a scale of -1 to 1.
        size: size of a grain in pixels: the sigma of the blur that makes neighbouring pixels grain alike.
        seed: of the grain.
    """

    def apply(picture, source):
        import numpy as np
        from scipy.ndimage import gaussian_filter

        grain = gaussian_filter(np.random.default_rng(seed).normal(size=picture.shape[:2]), size / 2, mode="wrap")
        tone = picture.mean(axis=2)
        strength = amount * (1 - tone**2) / grain.std()  # none in black and white, where film has none either
        return (picture + (strength * grain)[..., None]).clip(-1, 1).astype("float32")

    return Postprocess(apply)


@hookimpl
def register_postprocess(register):
    register(film_grain)
