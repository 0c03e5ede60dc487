"""The source's overall colour, given back to the dream."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Interval

from kerasdream.components import Postprocess


def match_color(
    *, to: Literal["source"] = "source", amount: Annotated[float, Interval(ge=0, le=1)] = 1.0
) -> Postprocess:
    """Gives the picture the mean and spread of the source's colours, channel by channel.

    Dreaming pushes colours apart; this takes the overall cast back and keeps the drawing (after Reinhard, Ashikhmin,
    Gooch, Shirley, "Color transfer between images", 2001, in RGB).

    Args:
        to: whose colours: the source photo's.
        amount: 0 leaves the picture as it is, 1 matches fully.
    """

    def apply(picture, source):
        axes = (0, 1)
        spread = picture.std(axes)
        scale = source.std(axes) / (spread + 1e-6)
        matched = (picture - picture.mean(axes)) * scale + source.mean(axes)
        return (picture + amount * (matched - picture)).clip(-1, 1)

    return Postprocess(apply)
