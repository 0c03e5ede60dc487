"""Whether a run fits into this machine's memory, as far as that is known before its photos are read."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from kerasdream.config.messages import Errors
from kerasdream.config.octaves import Octaves
from kerasdream.config.sections import NOISE, Crops, Image
from kerasdream.errors import ImageError
from kerasdream.models import network_name
from kerasdream.plan.tile_size import shipped_bytes, total_memory
from kerasdream.plugins.spec import PartSpec

CANVAS = 30
"""Bytes for each pixel of a dream: the picture, the photo and the gradient in float32, and what is computed of them."""

OF_A_VIEW = 12
"""Bytes for each pixel of a view that is kept until all are computed: three channels in float32."""


def check_capacity(settings: Mapping[str, Any], model: PartSpec | None, errors: Errors) -> None:
    """Report each setting that would take more memory than this machine has.

    Args:
        settings: the settings that are valid, by key.
    """
    image: Image | None = settings.get("image")
    octaves: Octaves | None = settings.get("octaves")
    crops: Crops | None = settings.get("crops")
    panels = 1
    if image is not None:
        panels = prod(image.panels) if isinstance(image.panels, tuple) else image.panels
        if NOISE in image.sources and image.side is None:
            _report(errors, ("image", "size"), image.size, panels, CANVAS)
    if octaves is not None:
        largest = max(octaves.sizes or [(0, 0)], key=prod)
        _report(errors, ("octaves", "sizes"), largest, 1, CANVAS)
    if crops is not None and crops.size != "auto" and settings.get("views") != "tiles":
        per_pixel = OF_A_VIEW if model is None else shipped_bytes(network_name(model))
        size = (crops.size, crops.size)
        if not _report(errors, ("crops", "size"), size, 1, per_pixel) and crops.count != "auto":
            _report(errors, ("crops", "count"), size, crops.count * panels, OF_A_VIEW)


def _report(errors: Errors, path: tuple[str, ...], size: tuple[int, int], count: int, per_pixel: int) -> bool:
    """Report a setting if so many pictures of a (height, width) do not fit; return whether they do not."""
    if reason := too_large(size, count, per_pixel):
        errors.add(path, reason)
    return bool(reason)


def too_large(size: tuple[int, int], count: int = 1, per_pixel: int = CANVAS) -> str:
    """Return why so many pictures of a (height, width) do not fit into this machine's memory; nothing if they do."""
    needed, memory = prod(size) * count * per_pixel, total_memory()
    if needed <= memory:
        return ""
    times = f"{count:,} × " if count > 1 else ""
    return (
        f"{times}{size[0]:,} × {size[1]:,} pixels × {per_pixel:,} bytes is {_shown(needed)}, and this machine has "
        f"{_shown(memory)}; expected less"
    )


def check_sheet(name: str, size: tuple[int, int]) -> None:
    """Check that the dream of a photo fits into this machine's memory.

    Args:
        name: of the photo.
        size: (height, width) of the dream; of the whole sheet, if there are panels.

    Raises:
        ImageError: it does not.
    """
    if reason := too_large(size):
        raise ImageError(f"{name}: a dream of {reason}: image.max_side, image.side and image.panels set its size")


def _shown(number: int) -> str:
    """Return an amount of memory, to read."""
    return f"{number / 2**20:,.0f} MB" if number < 2**31 else f"{number / 2**30:,.1f} GB"
