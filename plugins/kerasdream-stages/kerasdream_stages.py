"""Stages for kerasdream: how a dream came to be, as an animation or as a sheet of pictures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Annotated

from annotated_types import Ge, Interval

from kerasdream import Output, hookimpl


def webp(
    *,
    path: str = "{stem}-dream.webp",
    every: Annotated[int, Ge(1)] = 2,
    max_side: Annotated[int, Interval(ge=16, le=16383)] = 512,
    milliseconds: Annotated[int, Ge(10)] = 80,
    hold: Annotated[int, Ge(10)] = 2000,
    quality: Annotated[int, Interval(ge=1, le=100)] = 80,
) -> Output:
    """Writes the steps of a dream as an animated WebP, which browsers show like a picture.

    In a run of several frames it shows those instead.

    Args:
        path: file name; ``{stem}`` is the source's name without its ending, ``{seed}`` the seed.
        every: a frame for every so many steps.
        max_side: larger frames are shrunk to this, in pixels.
        milliseconds: how long a frame stays.
        hold: how long the last one stays, in milliseconds.
        quality: 1 (small) to 100 (best).
    """

    @contextmanager
    def opened(path):
        from kerasdream.events import Finished, Started, Stepped
        from kerasdream.images import replacing

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
                with replacing(path) as file:
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
    """Writes one sheet with the picture at the end of each octave and the finished one, the recipe inside.

    In a run of several frames it shows those instead.

    Args:
        path: file name; ``{stem}`` is the source's name without its ending, ``{seed}`` the seed.
        columns: pictures in a row.
        width: of each picture, in pixels.
        gap: between them, in pixels.
    """

    @contextmanager
    def opened(path):
        from kerasdream import images
        from kerasdream.events import Finished, Started, Stepped

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
    """A picture as eight bits, shrunk to a longest side."""
    from PIL import Image

    from kerasdream.images import resize, to_uint8

    factor = min(1.0, max_side / max(picture.shape))
    shape = tuple(max(1, round(size * factor)) for size in picture.shape[:2])
    return Image.fromarray(to_uint8(resize(picture, shape)))


def _sheet(pictures, columns, width, gap):
    """Pictures of any sizes in rows, black between them."""
    import numpy as np

    from kerasdream.images import resize

    height = max(1, round(pictures[-1].shape[0] * width / pictures[-1].shape[1]))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), -1.0, "float32")
    for number, picture in enumerate(pictures):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = resize(picture, (height, width)).clip(-1, 1)
    return sheet


@hookimpl
def register_outputs(register):
    register(webp)
    register(contact_sheet)
