"""All frames of a run as one animated GIF."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Interval
from PIL import Image

from kerasdream import Ending, Output, Result, images
from kerasdream.events import Event, Finished

SAMPLE = 2**18
"""Number of pixels, from all frames, that the palette is made from."""


def gif(
    *,
    path: Annotated[str, Ending((".gif",))] = "{stem}-dream.gif",
    fps: Annotated[float, Interval(ge=0.1, le=50)] = 20.0,
    loop: Annotated[int, Ge(0)] = 0,
    max_side: Annotated[int, Interval(ge=16, le=65535)] = 480,
) -> Output:
    """Write all frames of a run as an animated GIF, which plays everywhere, with the recipe.

    A GIF has 256 colours. All frames share one palette, made by median cut and k-means, and errors are diffused (Floyd
    and Steinberg), so that flat areas do not flicker and mean colours stay true.

    Args:
        path: file name; ``{stem}`` is the source's name without its extension, ``{seed}`` the seed.
        fps: frames per second; above 50, browsers play a GIF slowly.
        loop: how often it is played; 0: forever.
        max_side: larger frames are reduced to this many pixels.
    """

    @contextmanager
    def opened(path: Path) -> Iterator[Callable[[Event], None]]:
        frames: list[Image.Image] = []

        def receive(event: Event) -> None:
            if isinstance(event, Finished):
                frames.append(Image.fromarray(_shown(event.result, max_side)))
                if event.last:
                    _write(path, frames, fps, loop, event.result.recipe)

        yield receive

    return Output(path, opened)


def _shown(result: Result, max_side: int) -> np.ndarray:
    """Return a frame as levels, taken from those of a PNG, because a resumed run reads its frames from PNG files."""
    levels = images.to_uint8(result.image)
    if result.alpha is not None:
        levels = images.over_white(images.to_float(levels), images.to_uint8(result.alpha * 2 - 1) / 255)
    height, width = levels.shape[:2]
    return images.to_uint8(images.resize(levels, images.fit(height, width, max_side)))


def _write(path: Path, frames: Sequence[Image.Image], fps: float, loop: int, recipe: str) -> None:
    palette = _palette(frames)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames)
    ends = [10 * round(100 * i / fps) for i in range(len(frames) + 1)]  # in hundredths; rounding does not add up
    times = [end - begin for begin, end in pairwise(ends)]
    again: dict[str, Any] = {} if loop == 1 else {"loop": max(0, loop - 1)}  # counts repetitions
    comment = images.as_gif_comment(recipe)
    with images.replacing(path) as file:
        first.save(
            file, "GIF", save_all=True, append_images=others, duration=times, comment=comment, optimize=False, **again
        )


def _palette(frames: Sequence[Image.Image]) -> Image.Image:
    """Return a palette of 256 colours for evenly spaced pixels of all frames."""
    total = sum(frame.width * frame.height for frame in frames)
    every = max(1, -(-total // SAMPLE))
    pixels = np.concatenate([np.asarray(frame).reshape(-1, 3)[i % every :: every] for i, frame in enumerate(frames)])
    return Image.fromarray(pixels[None]).quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)
