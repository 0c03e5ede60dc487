"""All frames of a run as one animated GIF."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Interval

from kerasdream import images
from kerasdream.components import Output
from kerasdream.events import Event, Finished
from kerasdream.output_names import Ending

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from kerasdream.events import Result

SAMPLE = 2**18
"""Pixels of all frames that the palette is made from."""


def gif(
    *,
    path: Annotated[str, Ending((".gif",))] = "{stem}-dream.gif",
    fps: Annotated[float, Interval(ge=0.1, le=50)] = 20.0,
    loop: Annotated[int, Ge(0)] = 0,
    max_side: Annotated[int, Interval(ge=16, le=65535)] = 480,
) -> Output:
    """Writes all frames of a run as an animated GIF, which plays everywhere, the recipe inside.

    A GIF has 256 colours. One palette is made for all frames, by median cut and k-means, and errors are diffused (Floyd
    and Steinberg): so flat areas do not flicker and mean colours stay true.

    Args:
        path: file name; ``{stem}`` is the source's name without its ending, ``{seed}`` the seed.
        fps: frames a second; above 50, browsers play a GIF slowly.
        loop: how often it is played; 0: without end.
        max_side: larger frames are shrunk to this, in pixels.
    """

    @contextmanager
    def opened(path: Path) -> Iterator[Callable[[Event], None]]:
        frames: list[Image] = []

        def receive(event: Event) -> None:
            if isinstance(event, Finished):
                from PIL import Image

                frames.append(Image.fromarray(_shown(event.result, max_side)))
                if event.last:
                    _write(path, frames, fps, loop, event.result.recipe)

        yield receive

    return Output(path, opened)


def _shown(result: Result, max_side: int) -> np.ndarray:
    """A frame as levels. It is made of the levels that a PNG holds: so is a frame that a resumed run tells again."""
    levels = images.to_uint8(result.image)
    if result.alpha is not None:
        levels = images.over_white(images.to_float(levels), images.to_uint8(result.alpha * 2 - 1) / 255)
    return images.to_uint8(images.resize(levels, images.fit(*levels.shape[:2], max_side)))


def _write(path: Path, frames: Sequence[Image], fps: float, loop: int, recipe: str) -> None:
    from PIL import Image

    palette = _palette(frames)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames)
    ends = [10 * round(100 * i / fps) for i in range(len(frames) + 1)]  # a GIF counts hundredths; errors do not add up
    times = [end - begin for begin, end in pairwise(ends)]
    again = {} if loop == 1 else {"loop": max(0, loop - 1)}  # a GIF says how often again; without it, it plays once
    comment = images.as_gif_comment(recipe)
    with images.replacing(path) as file:
        first.save(
            file, "GIF", save_all=True, append_images=others, duration=times, comment=comment, optimize=False, **again
        )


def _palette(frames: Sequence[Image]) -> Image:
    """The 256 colours that suit a sample of the pixels of all frames, taken at equal distances."""
    import numpy as np
    from PIL import Image

    total = sum(frame.width * frame.height for frame in frames)
    every = max(1, -(-total // SAMPLE))
    pixels = np.concatenate([np.asarray(frame).reshape(-1, 3)[i % every :: every] for i, frame in enumerate(frames)])
    return Image.fromarray(pixels[None]).quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)
