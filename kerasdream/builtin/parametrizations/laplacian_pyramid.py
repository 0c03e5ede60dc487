"""The picture as a sum of bands, each half as fine as the one before."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Interval

from kerasdream import ConfigError, Parametrization, images, ops
from kerasdream.builtin.parametrizations.colour import from_picture, to_picture


def laplacian_pyramid(
    *,
    levels: Annotated[int, Interval(ge=1, le=12)] = 5,
    decay: Annotated[float, Ge(0)] = 1.0,
    decorrelate: bool = True,
    base: Literal["free", "fixed"] = "free",
) -> Parametrization:
    """Optimise a pyramid of bands from coarse to fine: whole areas move at once, and edges stay in place.

    values = Σₗ 2^(l · (decay − 1)) · E(...E(stateₗ)), where E enlarges to twice the size (bilinear) and l counts from
    0, the finest band. Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code" (1983); as a
    parametrization it comes from Lucid (Olah et al. 2017). picture = 2 · sigmoid(values · Mᵀ) − 1, with M the square
    root of the covariance of ImageNet's colours.

    The state is ``(positions, 3)``: the bands row by row, the finest first.

    Args:
        levels: number of bands; each is half as high and wide as the one before, at least 1 pixel.
        decay: how much more a coarse band moves; 0 treats all equally, as pixels do, 1 follows photographs.
        decorrelate: whether to use uncorrelated colours, so that hues grow as readily as brightness.
        base: whether the coarsest band moves, too; ``fixed`` keeps the photo's light, shade and colours in the large.

    Raises:
        ConfigError: the base is fixed, and there is no other band.
    """
    if base == "fixed" and levels == 1:
        raise ConfigError("base: fixed keeps the coarsest band, and with levels: 1 there is no other; use more levels")

    def gain(level: int) -> float:
        return 2 ** (level * (decay - 1))

    def init(picture, seed):
        bands = _bands(from_picture(picture, decorrelate), levels)
        state = np.concatenate([(band / gain(level)).reshape(-1, 3) for level, band in enumerate(bands)])
        return state.astype("float32")

    def decode(state, height, width):
        values, end = None, state.shape[0]
        for level, shape in reversed(list(enumerate(_shapes(height, width, levels)))):
            start = end - shape[0] * shape[1]
            band = ops.reshape(state[start:end], (*shape, 3)) * gain(level)
            if values is not None:
                band = _enlarged(values, shape) + band
            elif base == "fixed":
                band = ops.stop_gradient(band)
            values, end = band, start
        return to_picture(values, decorrelate)

    return Parametrization(init, decode)


def _shapes(height: int, width: int, levels: int) -> list[tuple[int, int]]:
    """Return the (height, width) of each band, the finest first."""
    return [(-(-height // 2**level), -(-width // 2**level)) for level in range(levels)]


def _bands(values: np.ndarray, levels: int) -> list[np.ndarray]:
    """Return values ``(height, width, 3)`` as bands, the finest first."""
    height, width, _ = values.shape
    bands = []
    for fine, coarse in pairwise(_shapes(height, width, levels)):
        below = images.resize(values, coarse)
        bands.append(values - np.asarray(_enlarged(below, fine)))
        values = below
    return [*bands, values]


def _enlarged(values: Any, shape: tuple[int, int]) -> Any:
    return ops.image.resize(values, shape, interpolation="bilinear", data_format="channels_last")
