"""Stages for kerasdream: how a dream developed, as an animation or as a sheet of pictures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval
from PIL import Image

from kerasdream import Output, hookimpl, images
from kerasdream.events import Finished, Started, Stepped


def animated_webp(
    *,
    path: str = "{stem}-dream.webp",
    every: Annotated[int, Ge(1)] = 2,
    max_side: Annotated[int, Interval(ge=16, le=16383)] = 512,
    milliseconds: Annotated[int, Ge(10)] = 80,
    hold: Annotated[int, Ge(10)] = 2000,
    quality: Annotated[int, Interval(ge=1, le=100)] = 80,
) -> Output:
    """Writes the steps of a dream as an animated WebP, which browsers show like any picture.

    A run of several frames is shown frame by frame instead.

    Args:
        path: file name; ``{stem}`` is the source's name without its ending, ``{seed}`` the seed.
        every: number of steps between two frames of the animation.
        max_side: longest side in pixels; larger frames are shrunk.
        milliseconds: how long each frame is shown.
        hold: how long the last frame is shown, in milliseconds.
        quality: 1 (small) to 100 (best).
    """

    @contextmanager
    def opened(path):
        frames, alone = [], True

        def receive(event):
            nonlocal alone
            if isinstance(event, Started):
                alone = event.frames == 1
            elif isinstance(event, Stepped) and alone and event.progress.run_step % every == 0:
                frames.append(_frame(event.picture(), max_side))
            elif isinstance(event, Finished):
                frames.append(_frame(event.result.image, max_side))
                if not event.last:
                    return
                first, *others = (frame.resize(frames[-1].size) for frame in frames)  # octaves differ in size
                times = [milliseconds] * len(others) + [hold]
                options = {"append_images": others, "duration": times, "loop": 0, "quality": quality}
                with images.replacing(path) as file:
                    first.save(file, "WEBP", save_all=True, **options)

        yield receive

    return Output(path, opened)


def contact_sheet(
    *,
    path: str = "{stem}-stages.png",
    columns: Annotated[int, Ge(1)] = 3,
    width: Annotated[int, Ge(16)] = 320,
    gap: Annotated[int, Ge(0)] = 8,
) -> Output:
    """Writes one sheet with the picture at the end of each octave and the finished one, with the recipe embedded.

    A run of several frames is shown frame by frame instead.

    Args:
        path: file name; ``{stem}`` is the source's name without its ending, ``{seed}`` the seed.
        columns: pictures per row.
        width: of each picture, in pixels.
        gap: between them, in pixels.
    """

    @contextmanager
    def opened(path):
        stages, alone = [], True

        def receive(event):
            nonlocal alone
            if isinstance(event, Started):
                alone = event.frames == 1
            elif isinstance(event, Stepped) and alone and event.last:
                stages.append(event.picture())
            elif isinstance(event, Finished):
                stages.append(event.result.image)
                if event.last:
                    images.save(path, _sheet(stages, columns, width, gap), recipe=event.result.recipe, format="png")

        yield receive

    return Output(path, opened)


def _frame(picture, max_side):
    """Return a picture as an 8-bit Pillow image, shrunk to a longest side."""
    factor = min(1.0, max_side / max(picture.shape))
    shape = tuple(max(1, round(size * factor)) for size in picture.shape[:2])
    return Image.fromarray(images.to_uint8(images.resize(picture, shape)))


def _sheet(pictures, columns, width, gap):
    """Arrange pictures of any sizes in rows on black."""
    height = max(1, round(pictures[-1].shape[0] * width / pictures[-1].shape[1]))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), -1.0, "float32")
    for number, picture in enumerate(pictures):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = images.resize(picture, (height, width)).clip(-1, 1)
    return sheet


@hookimpl
def register_outputs(register):
    register(animated_webp)
    register(contact_sheet)
