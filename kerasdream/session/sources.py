"""The pictures that a run starts from: photos, or noise."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdream import images
from kerasdream.errors import ImageError

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig
    from kerasdream.plan.panels import Panels

NOISE = "noise"


def find(config: RunConfig, written: Callable[[str], Iterable[Path]]) -> list[str]:
    """Return the pictures of a run: paths, or ``noise``. Pictures that the run itself writes are left out.

    Args:
        written: returns the files that dreaming a picture writes.

    Raises:
        ImageError: a glob or folder has no pictures.
    """
    source = config.image.source
    if source == NOISE:
        return [source]
    path = config.base / Path(source).expanduser()
    if path.is_dir():
        found = sorted(str(file) for file in path.iterdir() if file.suffix.lower() in images.suffixes())
    elif glob.has_magic(source) and not path.exists():
        names = glob.glob(source, root_dir=config.base, recursive=True)
        found = sorted(str(config.base / name) for name in names)
    else:
        found = [str(path)]
    if len(found) > 1:
        made_from = {os.path.abspath(file): photo for photo in found for file in written(photo)}
        found = [photo for photo in found if made_from.get(os.path.abspath(photo), photo) == photo]
    if not found:
        others = f" ({unread})" if (unread := left_out(config)) else ""
        raise ImageError(f"{path} has no pictures{others}; expected files ending in {', '.join(images.suffixes())}")
    return found


def left_out(config: RunConfig) -> str:
    """Say which photos in the folder of a run are of a kind that cannot be read; empty if there are none."""
    path = config.base / Path(config.image.source).expanduser()
    if config.image.source == NOISE or not path.is_dir():
        return ""
    said = images.left_out(file.name for file in path.iterdir() if file.is_file())
    return said and f"left out of {config.image.source.rstrip('/')}/: {said}"


def shape_of(config: RunConfig, source: str) -> tuple[int, int]:
    """Return the (height, width) at which a picture is dreamed, of the whole sheet if there are panels.

    Raises:
        ImageError: the file is missing, or is not a picture.
    """
    panel = config.image.size if source == NOISE else images.size(Path(source), config.image.max_side)
    return config.panels.sheet(panel)


def read(config: RunConfig, source: str) -> images.Picture:
    """Read a picture, or draw noise.

    Raises:
        ImageError: the file is missing, or is not a picture.
    """
    if source == NOISE:
        return noise(config)
    return sheet(images.read(Path(source), config.image.max_side), config.panels)


def sheet(picture: images.Picture, panels: Panels) -> images.Picture:
    """Return a sheet with the picture in every panel."""
    alpha = None if picture.alpha is None else panels.filled(picture.alpha)
    return replace(picture, stored=panels.filled(picture.stored), alpha=alpha)


def noise(config: RunConfig) -> images.Picture:
    """Return normally distributed noise, which depends only on the config."""
    settings, random = config.image, np.random.default_rng([config.seed, 0x6E6F697365])
    size = config.panels.sheet(settings.size)
    pixels = random.normal(settings.mean, settings.spread, (*size, 3)).clip(-1, 1).astype("float32")
    return images.Picture(pixels, None, NOISE, "", ())
