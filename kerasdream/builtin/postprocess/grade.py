"""Light and colour of the finished picture, by the numbers photographers use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Interval

from kerasdream.components import Postprocess

if TYPE_CHECKING:
    import numpy as np

Share = Annotated[float, Interval(ge=0, le=1)]


class CurveMark:
    """Has the points of a curve checked where they stand, with all else that may be wrong in a run file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import PydanticCustomError, core_schema

        def check(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
            if any(left[0] >= right[0] for left, right in pairwise(points)):
                raise PydanticCustomError("curve", "points from dark to light, each further right than the one before")
            return points

        return core_schema.no_info_after_validator_function(check, handler(source))


Curve = Annotated[list[tuple[Share, Share]], CurveMark()]


def grade(
    *,
    exposure: Annotated[float, Interval(ge=-5, le=5)] = 0.0,
    temperature: Annotated[float, Interval(ge=-1, le=1)] = 0.0,
    contrast: Annotated[float, Interval(ge=-1, le=1)] = 0.0,
    curve: Curve | None = None,
    saturation: Annotated[float, Interval(ge=0, le=3)] = 1.0,
) -> Postprocess:
    """Grades the picture as a raw developer does: exposure and temperature, contrast and a curve, saturation.

    In this order. Exposure and temperature multiply the light itself (linear, as if there had been more of it, or
    another lamp); contrast and curve bend the tones of all three channels; saturation moves colours away from the grey
    of their luma.

    Args:
        exposure: in stops: 1 is twice the light, -1 half of it.
        temperature: above 0 warmer, below 0 cooler; at 1 red has gained a stop over blue. Grey keeps its brightness.
        contrast: above 0 the tones part in the middle and close up at the ends, below 0 the other way round.
        curve: points [tone before, tone after], 0 black and 1 white, through which a smooth curve is laid that never
            turns back; [[0.25, 0.2], [0.75, 0.8]] for an S. The ends are [0, 0] and [1, 1] unless they are given.
        saturation: of the colours: 0 is black and white, 1 leaves them, 2 doubles them.
    """

    def apply(picture, source):
        import numpy as np

        from kerasdream.images import LUMA, from_light, luma, to_light

        graded = picture
        if exposure or temperature:
            tint = 2 ** (temperature * np.array([0.5, 0.0, -0.5]))
            graded = from_light(to_light(graded) * np.float32(2**exposure * tint / (tint @ LUMA)))
        graded = graded + np.float32(contrast / 2) * graded * (1 - np.square(graded))
        if curve:
            graded = _curved(graded, curve)
        light = luma(graded)
        return (light + np.float32(saturation) * (graded - light)).clip(-1, 1)

    return Postprocess(apply)


def _curved(picture: np.ndarray, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Monotone cubic interpolation (Fritsch and Carlson 1980): no overshoot between two points."""
    from scipy.interpolate import PchipInterpolator

    ends = {0.0: 0.0, 1.0: 1.0, **dict(points)}
    bent = PchipInterpolator(*zip(*sorted(ends.items()), strict=True))
    return (bent((picture + 1) / 2) * 2 - 1).astype("float32")
