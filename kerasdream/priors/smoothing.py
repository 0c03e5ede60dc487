"""A blur in the trace, for energies: what a picture is without its detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasdream import ops


def smoothed(picture: Any, taps: Sequence[float], spacing: int = 1) -> Any:
    """Averages a picture over rows and columns with a symmetric filter.

    Beyond the edges there is nothing: the average is over what there is, so a constant picture stays as it is.

    Args:
        picture: ``(n, height, width, channels)``.
        taps: the weights, an odd number of them.
        spacing: pixels from one tap to the next.
    """
    for shape in ((-1, 1, 1, 1), (1, -1, 1, 1)):
        column = ops.reshape(ops.convert_to_tensor(taps, "float32"), shape)

        def filtered(values, column=column):
            kernel = ops.repeat(column, values.shape[-1], axis=2)
            return ops.depthwise_conv(values, kernel, padding="same", dilation_rate=spacing)

        picture = filtered(picture) / filtered(ops.ones_like(picture[:1, :, :, :1]))
    return picture
