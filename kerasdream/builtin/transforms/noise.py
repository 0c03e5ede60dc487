"""Noise: the network sees every step through another grain."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from kerasdream import ops
from kerasdream.builtin.transforms.draws import between
from kerasdream.components import Transform


def noise(
    *, spread: Annotated[float, Ge(0)] = 0.1, distribution: Literal["gaussian", "uniform"] = "gaussian"
) -> Transform:
    """Adds fresh noise to what the network sees, so that nothing fainter than the noise can excite it.

    MaCo (Fel et al. 2023) lets a uniform noise fall from 0.08 of the range to none: ``{spread: {from: 0.08, to: 0}}``.

    Args:
        spread: standard deviation, or for uniform noise the largest deviation, on a scale of -1 to 1.
        distribution: gaussian or uniform.
    """

    def apply(views, seed):
        import keras

        shape = (1, *ops.shape(views)[1:])  # the same for all views of a batch
        if distribution == "uniform":
            return views + between(-spread, spread, seed, shape)
        return views + spread * keras.random.normal(shape, seed=seed, dtype="float32")

    return Transform(apply)
