"""The mean magnitude spectrum of photographs: measured once, shipped as a small table, evaluated at any size.

``python -m kerasdream.builtin.parametrizations.natural``, in a clone with scikit-image, measures it again.

The table is over |frequency| down and across, on axes that are linear near 0 and logarithmic beyond. It holds a
photograph's magnitude relative to 1/f: √(power density) · f, which is nearly constant. If a picture is larger than the
photographs were, its lowest frequencies therefore continue as 1/f.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from kerasdream import images
from kerasdream.builtin.parametrizations.colour import from_picture
from kerasdream.builtin.parametrizations.spectrum import frequencies, spectrum_of

TABLE = Path(__file__).parent / "data" / "natural_spectrum.json"

PHOTOS = {
    "astronaut.png": "Eileen Collins, NASA, public domain, from scikit-image",
    "chelsea.png": "a cat, Stefan van der Walt, CC0, from scikit-image",
    "coffee.png": "a cup of coffee, Rachel Michetti, CC0, from scikit-image",
    "rocket.jpg": "DSCOVR's launch, SpaceX, public domain, from scikit-image",
    "raccoon.jpg": "a raccoon, public-domain-image.com, public domain, from configs/photos",
}
"""The photographs it is measured on, with their authors."""

NODES = 10
"""Size of the table along each axis."""

BEND = 1 / 32
"""The frequency at which the axes turn from linear to logarithmic."""

HEADROOM = 0.9
"""Factor applied to photographs: near pure black and white the inverse sigmoid would magnify their grain."""


def magnitude(height: int, width: int) -> np.ndarray:
    """Return the mean magnitude of photographs of a size, ``(3, height, width // 2 + 1)`` float32.

    It is in the colours of ``kerasdream.builtin.parametrizations.colour``, about their mean, which is 0.
    """
    from scipy.ndimage import map_coordinates

    places = np.stack(np.meshgrid(_place(np.fft.fftfreq(height)), _place(np.fft.rfftfreq(width)), indexing="ij"))
    table = np.stack([map_coordinates(colour, places, np.float32, order=1) for colour in _table()])
    distance = frequencies(height, width)
    distance[0, 0] = np.inf
    return table * np.float32((height * width) ** 0.5) / distance


def measured(photos: Iterable[np.ndarray]) -> np.ndarray:
    """Return the table, ``(3, NODES, NODES)``, measured on photographs ``(height, width, 3)`` in [-1, 1]."""
    tables = []
    for photo in photos:
        height, width = photo.shape[:2]
        values = from_picture(HEADROOM * photo)
        window = np.hanning(height)[:, None, None] * np.hanning(width)[:, None]  # hide the photo's borders
        spectrum = spectrum_of((values - values.mean((0, 1))) * window) / np.sqrt((window**2).sum())
        flat = (np.abs(spectrum) * frequencies(height, width)).reshape(3, -1)
        rows, columns = np.rint(_place(np.fft.fftfreq(height))), np.rint(_place(np.fft.rfftfreq(width)))
        cells = (rows[:, None] * NODES + columns).astype(int).ravel()
        cells, flat = cells[1:], flat[:, 1:]  # drop the mean
        counts = np.bincount(cells, minlength=NODES**2)
        tables.append([np.bincount(cells, colour, NODES**2) / counts for colour in flat])
    return np.mean(tables, axis=0).reshape(3, NODES, NODES)


def _place(frequency: np.ndarray) -> np.ndarray:
    """Return the position of frequencies on an axis of the table, from 0 to NODES − 1."""
    return np.log1p(np.abs(frequency) / BEND) / np.log1p(0.5 / BEND) * (NODES - 1)


@cache
def _table() -> np.ndarray:
    return np.array(json.loads(TABLE.read_text(encoding="utf-8"))["magnitude"], "float32")


def photographs() -> list[np.ndarray]:
    """Read ``PHOTOS``."""
    import skimage.data

    folders = Path(skimage.data.__file__).parent, Path(__file__).parents[3] / "configs" / "photos"
    paths = [next(folder / name for folder in folders if (folder / name).is_file()) for name in PHOTOS]
    return [images.read(path).pixels for path in paths]


def main() -> None:
    """Write the table."""
    table = [[[float(f"{value:.4g}") for value in row] for row in colour] for colour in measured(photographs())]
    rows = ",\n".join("[" + ",\n ".join(map(str, colour)) + "]" for colour in table)
    TABLE.write_text(f'{{"photos": {json.dumps(PHOTOS, indent=1)},\n"magnitude": [\n{rows}]}}\n', encoding="utf-8")
    print(TABLE)


if __name__ == "__main__":
    main()
