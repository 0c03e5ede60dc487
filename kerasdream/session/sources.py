"""The pictures that a run starts from: photos, or noise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdream import images
from kerasdream._files import at_home, is_regular
from kerasdream.config.capacity import check_sheet
from kerasdream.config.sections import NOISE
from kerasdream.errors import ImageError
from kerasdream.images.several import is_glob, matching

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig
    from kerasdream.plan.panels import Panels


def find(config: RunConfig, written: Callable[[str], Iterable[Path]]) -> list[str]:
    """Return the pictures of a run: paths, or ``noise``. Pictures that the run itself writes are left out.

    Args:
        written: returns the files that dreaming a picture writes.

    Raises:
        ImageError: a glob or folder has no pictures.
    """
    found = list(dict.fromkeys(path for source in config.image.sources for path in _pictures(config.base, source)))
    if len(found) > 1:
        made_from = {os.path.abspath(file): photo for photo in found for file in written(photo)}
        found = [photo for photo in found if made_from.get(os.path.abspath(photo), photo) == photo]
    return found


def _pictures(base: Path, source: str) -> list[str]:
    """Return the pictures of one source: a photo, a glob, a folder, or noise."""
    if source == NOISE:
        return [source]
    path = base / at_home(source)
    if path.is_dir():
        return [str(file) for file in images.in_folder(path)]
    found = [str(file) for file in matching(source, base)] if is_glob(source, base) else [str(path)]
    if not found:
        raise ImageError(f"{path} has no pictures; expected files ending in {', '.join(images.suffixes())}")
    return found


def left_out(config: RunConfig) -> list[str]:
    """Return what the user should hear about photos in the folders of a run that are of a kind that cannot be read."""
    return [note for source in config.image.sources if (note := _left_out(config.base, source))]


def _left_out(base: Path, source: str) -> str:
    path = base / at_home(source)
    if source == NOISE or not path.is_dir():
        return ""
    said = images.left_out(file.name for file in path.iterdir() if file.is_file())
    return said and f"left out of {source.rstrip('/')}/: {said}"


def shape_of(config: RunConfig, source: str) -> tuple[int, int]:
    """Return the (height, width) at which a picture is dreamed, of the whole sheet if there are panels.

    Raises:
        ImageError: the file is missing, or is not a picture, or the dream would be too large.
    """
    return _sheet(config, source, _size(config, source))


def read(config: RunConfig, source: str) -> images.Picture:
    """Read a picture, or draw noise.

    Raises:
        ImageError: the file is missing, or is not a picture, or the dream would be too large.
    """
    if source == NOISE:
        return noise(config)
    image, own = config.image, _size(config, source)
    _sheet(config, source, own)
    picture = images.read(Path(source), image.side or image.max_side)
    if shrunk := shrinking(picture.name, own, image.max_side):
        picture = replace(picture, notes=(*picture.notes, shrunk))
    return sheet(picture if image.side is None else images.enlarged(picture, image.side), config.panels)


def _size(config: RunConfig, source: str) -> tuple[int, int]:
    """Return the (height, width) of a picture before it is shrunk or enlarged."""
    return config.image.size if source == NOISE else images.size(Path(source))


def _panel(config: RunConfig, source: str, own: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) at which a picture of a size is dreamed."""
    image = config.image
    if image.side is None:
        return own if source == NOISE else images.fit(*own, image.max_side or max(own))
    height, width = images.with_longer_side(*own, image.side)
    if height * width > images.MAX_PIXELS:
        raise ImageError(
            f"{source}: image.side: {image.side} makes a dream of {width}×{height} pixels; expected at most "
            f"{images.MAX_PIXELS:,} pixels"
        )
    return height, width


def _sheet(config: RunConfig, source: str, own: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) of the dream of a picture of a size, of the whole sheet if there are panels."""
    shape = config.panels.sheet(_panel(config, source, own))
    check_sheet(source, shape)
    return shape


def too_large(config: RunConfig) -> Iterator[str]:
    """Yield what is wrong with the size of each dream whose photo is there already, and named by itself."""
    for source in config.image.sources:
        path = str(config.base / at_home(source))
        if source == NOISE or not is_regular(path):
            continue
        try:
            own = _size(config, path)
        except ImageError:  # reported when its turn comes
            continue
        try:
            _sheet(config, path, own)
        except ImageError as error:
            yield str(error)


def shrinking(name: str, own: tuple[int, int], max_side: int | None, keeping: str = "") -> str:
    """Return what the user should hear about a photo if it is shrunk; nothing if it is not.

    Args:
        name: of the photo.
        own: its (height, width).
        keeping: says how it keeps its size.
    """
    if max_side is None or max(own) <= max_side:
        return ""
    height, width = images.fit(*own, max_side)
    keeping = keeping or f"--size {max(own)} or image.max_side: null keeps it"
    return f"{name}: {own[1]}×{own[0]} is dreamed at {width}×{height} (image.max_side: {max_side}); {keeping}"


def all_shrinking(config: RunConfig, found: Iterable[str]) -> dict[str, str]:
    """Return the photos of a run that are shrunk, and what the user should hear about each."""
    notes: dict[str, str] = {}
    for photo in found:
        with suppress(ImageError):  # reported when its turn comes
            own = _size(config, photo)
            notes[photo] = shrinking(Path(photo).name, own, _limit(config, photo))
    return {photo: note for photo, note in notes.items() if note}


def in_one_line(notes: Mapping[str, str], config: RunConfig) -> list[str]:
    """Return one note for all photos that are shrunk.

    Args:
        notes: what ``all_shrinking`` returns.
    """
    if len(notes) < 2:
        return list(notes.values())
    first, *_ = notes.values()
    return [
        f"{len(notes)} photos are dreamed at {config.image.max_side} pixels on the longer side (image.max_side), such "
        f"as {first.partition(' is dreamed')[0]}; image.max_side: null keeps their sizes"
    ]


def _limit(config: RunConfig, source: str) -> int | None:
    return None if source == NOISE else config.image.max_side


def sheet(picture: images.Picture, panels: Panels) -> images.Picture:
    """Return a sheet with the picture in every panel."""
    alpha = None if picture.alpha is None else panels.filled(picture.alpha)
    return replace(picture, stored=panels.filled(picture.stored), alpha=alpha)


def noise(config: RunConfig) -> images.Picture:
    """Return normally distributed noise, which depends only on the config."""
    settings, random = config.image, np.random.default_rng([config.seed, 0x6E6F697365])
    size = _sheet(config, NOISE, settings.size)
    pixels = random.normal(settings.mean, settings.spread, (*size, 3)).clip(-1, 1).astype("float32")
    return images.Picture(pixels, None, NOISE, "", ())
