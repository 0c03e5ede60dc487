"""Frame sequences: each frame dreams the previous one after zooming, panning or rotating it. A still picture is a
sequence of one.

After Mordvintsev, Olah, Tyka 2015: 100 frames, each enlarged by 5 % with linear interpolation and dreamed again. From
frame to frame the picture stays in float; only files are rounded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kerasdream import images
from kerasdream.config.sections import Frames
from kerasdream.images import Picture
from kerasdream.plan.plan import Plan
from kerasdream.results.checkpoint import Frame


def picture_of(frame: Frame, photo: Picture) -> Picture:
    """Return a frame as a picture: what it is dreamed from."""
    return photo if frame.pixels is None else replace(photo, stored=frame.pixels, alpha=frame.alpha)


def plan_of(frame: Frame, plan: Plan) -> Plan:
    """Return the plan of a frame, with random numbers of its own, given the plan of the run."""
    plan = replace(plan, seed=frame_seed(plan.seed, frame.number))
    return plan.with_views(frame.views) if frame.views else plan


def following(
    frame: Frame, dreamed: np.ndarray, alpha: np.ndarray | None, views: int | None, settings: Frames
) -> Frame:
    """Return the next frame.

    Args:
        dreamed, alpha: the dream of this frame.
        views: side of the largest views, if memory ran out.
    """
    colors = images.mean_spread(dreamed) if frame.colors is None else frame.colors
    alpha = None if alpha is None else moved(alpha, settings)
    return Frame(frame.number + 1, moved(dreamed, settings), alpha, views, colors)


def frame_seed(seed: int, number: int) -> int:
    """Return the seed of a frame; the first frame has the run's."""
    return seed if number == 0 else int(np.random.SeedSequence([seed, number, 2]).generate_state(1)[0])


def moved(array: np.ndarray, settings: Frames) -> np.ndarray:
    """Return a picture zoomed, rotated and shifted by one frame, in float, with linear interpolation.

    Args:
        array: ``(height, width)`` or ``(height, width, 3)``. It is mirrored beyond its edges.
    """
    from scipy.ndimage import affine_transform  # takes 0.3 s, and single pictures need none of it

    size = np.array(array.shape[:2])
    center = (size - 1) / 2
    cosine, sine = np.cos(np.radians(settings.rotate)), np.sin(np.radians(settings.rotate))
    back = np.array([[cosine, sine], [-sine, cosine]]) / settings.zoom  # maps places in the new picture to the old one
    offset = center - back @ (center + settings.shift * size)
    result = np.empty_like(array)
    for channel in np.ndindex(array.shape[2:]):
        affine_transform(array[(..., *channel)], back, offset, order=1, mode="mirror", output=result[(..., *channel)])
    return result
