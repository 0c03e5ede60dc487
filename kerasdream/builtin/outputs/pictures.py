"""The finished picture as a file, with its recipe inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval

from kerasdream import Ending, Output, images
from kerasdream.events import Event, Finished

Dpi = Annotated[int, Interval(ge=2, le=9600)] | None
Alpha = Literal["source", "attribution"]


def png(
    *, path: Annotated[str, Ending((".png",))] = "{stem}-dream.png", dpi: Dpi = None, alpha: Alpha = "source"
) -> Output:
    """Write the finished picture, or every frame, as PNG: lossless, with alpha and the recipe.

    Args:
        path: file name; ``{stem}`` is the source's name without its extension, ``{seed}`` the seed. With ``{frame}``,
            the number of a frame, every frame is written, otherwise only the last one.
        dpi: dots per inch, for printing; null: the photo's, if it has any.
        alpha: source: the photo's transparency. attribution: a dream one can see through, opaque where the objectives
            pulled most, clear where they hardly did.
    """
    return _picture(path, dpi=dpi, format="png", alpha=alpha)


def jpeg(
    *,
    path: Annotated[str, Ending((".jpg", ".jpeg"))] = "{stem}-dream.jpg",
    quality: Annotated[int, Interval(ge=1, le=100)] = 92,
    dpi: Dpi = None,
) -> Output:
    """Write the finished picture, or every frame, as JPEG: small, without alpha, with the recipe.

    Args:
        path: file name; ``{stem}`` is the source's name without its extension, ``{seed}`` the seed. With ``{frame}``,
            the number of a frame, every frame is written, otherwise only the last one.
        quality: 1 (small) to 100 (best).
        dpi: dots per inch, for printing; null: the photo's, if it has any.
    """
    return _picture(path, dpi=dpi, format="jpeg", quality=quality)


def webp(
    *,
    path: Annotated[str, Ending((".webp",))] = "{stem}-dream.webp",
    quality: Annotated[int, Interval(ge=1, le=100)] = 92,
    alpha: Alpha = "source",
) -> Output:
    """Write the finished picture, or every frame, as WebP: smaller still, with alpha and the recipe.

    Args:
        path: file name; ``{stem}`` is the source's name without its extension, ``{seed}`` the seed. With ``{frame}``,
            the number of a frame, every frame is written, otherwise only the last one.
        quality: 1 (small) to 100 (best).
        alpha: source: the photo's transparency. attribution: a dream one can see through, opaque where the objectives
            pulled most, clear where they hardly did.
    """
    return _picture(path, format="webp", quality=quality, alpha=alpha)


def tiff(
    *, path: Annotated[str, Ending((".tif", ".tiff"))] = "{stem}-dream.tif", dpi: Dpi = None, alpha: Alpha = "source"
) -> Output:
    """Write the finished picture, or every frame, as TIFF for print shops: lossless, with alpha and the recipe.

    Args:
        path: file name; ``{stem}`` is the source's name without its extension, ``{seed}`` the seed. With ``{frame}``,
            the number of a frame, every frame is written, otherwise only the last one.
        dpi: dots per inch, for printing; null: the photo's, if it has any.
        alpha: source: the photo's transparency. attribution: a dream one can see through, opaque where the objectives
            pulled most, clear where they hardly did.
    """
    return _picture(path, dpi=dpi, format="tiff", alpha=alpha)


def _picture(path: str, alpha: Alpha = "source", **how: Any) -> Output:
    writing = partial(_writing, each="{frame}" in path, alpha=alpha, **how)
    return Output(path, writing, attributed=alpha == "attribution")


@contextmanager
def _writing(
    path: Path, each: bool, format: images.Format, alpha: Alpha, quality: int = 92, dpi: int | None = None
) -> Iterator[Callable[[Event], None]]:
    def receive(event: Event) -> None:
        if isinstance(event, Finished) and (each or event.last):
            result = event.result
            images.save(
                path,
                result.image,
                alpha=result.alpha_from(alpha),
                recipe=result.recipe,
                format=format,
                quality=quality,
                dpi=(dpi, dpi) if dpi else result.dpi,
            )

    yield receive
