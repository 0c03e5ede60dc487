"""Decay after each step: whatever nothing keeps up fades to grey."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Projection


def decay(
    *, amount: Annotated[float, Interval(ge=0, le=1)] = 0.01, grey: Annotated[float, Interval(ge=-1, le=1)] = 0.0
) -> Projection:
    """Move every pixel slightly towards grey after each step: what the network does not keep up fades away.

    x becomes x − amount · (x − grey): a step uphill on the Gaussian log p = −½ |x − grey|², which is ``norm`` with
    p = 2. The L2 decay of Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015.

    Args:
        amount: share of the distance to grey that each step covers.
        grey: the level, on a scale of -1 to 1.
    """
    return Projection(lambda picture: picture + amount * (grey - picture))
