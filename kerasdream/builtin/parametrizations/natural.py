"""How the magnitudes of photographs fall with frequency, in the three colours of ``colour``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kerasdream import ImageError, images
from kerasdream.builtin.parametrizations.colour import from_picture
from kerasdream.builtin.parametrizations.spectrum import frequencies, spectrum_of

STRENGTH = 3.74, 3.11, 2.48
"""Magnitude of each colour at 0.05 cycles per pixel."""

FALL = 1.35, 1.39, 1.22
"""Exponent of each colour: the magnitude falls as 1 / f ** FALL. Fitted, like ``STRENGTH``, from 0.01 to 0.12 cycles
per pixel to five photographs in the public domain: scikit-image's astronaut (NASA), cat (Stefan van der Walt), cup of
coffee (Rachel Michetti) and rocket (SpaceX), and the raccoon of configs/photos."""

ROLL_OFF = 0.31
"""Frequency at which magnitudes are down by a further factor of e. The mean spectrum of ImageNet published with MaCo
falls in this way, exp(−(f / 0.31)²), as most of its photographs were enlarged to 512 pixels."""

SIDE = 512
"""Photos of the user are measured at this longer side at most, the size that MaCo's authors measured at."""

HEADROOM = 0.9
"""Factor applied to photographs: near pure black and white the inverse sigmoid would magnify their grain."""

ROUNDING = 1e-5
"""Magnitude that even a picture of one colour may have."""

EDGES = np.geomspace(1 / 256, 2**-0.5, 24)
"""Limits of the bands that photographs are measured in, in cycles per pixel."""


def magnitude(height: int, width: int, bands: np.ndarray | None = None) -> np.ndarray:
    """Return the magnitudes of a picture like photographs, ``(3, height, width // 2 + 1)`` float32.

    The mean of the picture's values is 0 and their standard deviation, over all three colours, 1.

    Args:
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        bands: of ``bands_of``, instead of the formula.
    """
    frequency = frequencies(height, width)
    frequency[0, 0] = np.inf
    if bands is None:
        rows = zip(STRENGTH, FALL, strict=True)
        found = np.stack([strength * (0.05 / frequency) ** fall for strength, fall in rows])
        found *= np.exp(-((frequency / ROLL_OFF) ** 2))
    else:
        found = _between(frequency, bands)
    mirrored = np.full(width // 2 + 1, 2.0)  # half of the spectrum stands for all of it
    mirrored[0] = 1
    mirrored[-1] -= width % 2 == 0
    power = (mirrored * found**2).sum() / (height * width) ** 2 / 3
    return (found / np.sqrt(max(power, 1e-12))).astype("float32")


def bands_of(folder: Path) -> np.ndarray:
    """Return the mean magnitude of the photos in a folder in each band, as ``measured`` does.

    Raises:
        ImageError: the folder has no pictures, one of them cannot be read, or there is nothing to measure in them.
    """
    bands = measured(images.read(path, SIDE).pixels for path in images.in_folder(folder))
    if bands.max() > ROUNDING:
        return bands
    raise ImageError(f"the pictures in {folder} are too small or too plain to measure; expected photos")


def measured(photos: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean magnitude of photos ``(height, width, 3)`` in [-1, 1] in each band, ``(3, bands)``.

    Relative to 1/f: what a photo is too small for continues as 1/f.
    """
    total, counts = np.zeros((3, len(EDGES) - 1)), np.zeros(len(EDGES) - 1)
    for photo in photos:
        height, width = photo.shape[:2]
        values = from_picture(HEADROOM * photo)
        window = np.hanning(height)[:, None, None] * np.hanning(width)[:, None]  # hide the photo's borders
        spectrum = np.abs(spectrum_of((values - values.mean((0, 1))) * window)) / np.sqrt((window**2).sum())
        frequency = frequencies(height, width)
        band = np.digitize(frequency, EDGES) - 1
        inside = (band >= 0) & (band < len(counts))
        counts += (size := np.bincount(band[inside], minlength=len(counts))) > 0
        sums = [np.bincount(band[inside], (one * frequency)[inside], len(counts)) for one in spectrum]
        total += np.stack(sums) / np.maximum(size, 1)
    return total / np.maximum(counts, 1)


def _between(frequency: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Return the magnitudes at frequencies ``(height, width // 2 + 1)``, interpolated between bands.

    Bands in which nothing was measured are passed over; a colour without any, as of grey photos, is 0.
    """
    middle, found = np.sqrt(EDGES[1:] * EDGES[:-1]), np.zeros((3, *frequency.shape))
    for each, row in zip(found, bands, strict=True):
        if (known := row > 0).any():
            each[:] = np.exp(np.interp(np.log(frequency), np.log(middle[known]), np.log(row[known]))) / frequency
    return found
