"""Noise: the network sees every step through different grain."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from kerasdream import Transform, ops
from kerasdream.builtin.transforms.draws import between


def noise(
    *,
    spread: Annotated[float, Ge(0)] = 0.1,
    distribution: Literal["gaussian", "uniform"] = "gaussian",
    each: Literal["step", "view"] = "step",
) -> Transform:
    """Add fresh noise to what the network sees, so that it does not respond to anything fainter than the noise.

    MaCo (Fel et al. 2023) uses uniform noise that falls from 0.08 of the range to zero:
    ``{spread: {from: 0.08, to: 0}}``.

    Args:
        spread: standard deviation, or the largest deviation of uniform noise, on a scale of -1 to 1.
        distribution: gaussian or uniform.
        each: whether all views of a step share one draw, or each view has its own, so that with several crops in a step
            the noise averages out and less of it is left in the picture (Fort and Whitaker 2025).
    """

    def apply(views, seed):
        shape = ops.shape(views)
        if each == "view":
            seed = seed.of_views
        else:
            shape = (1, *shape[1:])
        if distribution == "uniform":
            return views + between(-spread, spread, seed, shape)
        return views + spread * ops.random.normal(shape, seed=seed, dtype="float32")

    return Transform(apply)
