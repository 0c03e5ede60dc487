"""Compare the photo-real presets with the others: ``python docs/make_looks.py [FOLDER]`` (needs scikit-image).

Ten photos of scikit-image are dreamed by the defaults and by ``photoreal``, at four layers, with three seeds; and
turned into five classes by ``photoreal-class``, ``class`` and ``deepdraw``. EfficientNet-Lite1, which takes no part,
judges: how much more of a layer it sees in the dream than in the photo (mean a²), which class it sees, and how far the
dream is from the photo at a layer in the middle. The tables of docs/catalogue/presets.md are printed.

The dreams go to FOLDER (default ``looks``) with their recipes; existing ones are not dreamed again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import skimage.data

import kerasdream
from kerasdream import images
from kerasdream.models import imagenet
from kerasdream.models.efficientnet_lite import efficientnet_lite1

PHOTOS: dict[str, Callable[[], np.ndarray]] = {
    "astronaut": skimage.data.astronaut,
    "cat": skimage.data.cat,
    "coffee": skimage.data.coffee,
    "rocket": skimage.data.rocket,
    "stars": skimage.data.hubble_deep_field,
    "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
    "cameraman": skimage.data.camera,
    "tissue": skimage.data.immunohistochemistry,
    "bricks": skimage.data.brick,
    "grass": skimage.data.grass,
}
SIDE = 400
"""Longer side of each photo, in pixels."""

LAYERS = "block3_expand", "block5_expand", "block8_expand", "block11_expand"
SEEDS = 0, 1, 2
CLASSES = 1, 130, 285, 417, 973
"""Goldfish, flamingo, Egyptian cat, balloon, coral reef."""

MIDDLE = "block8_expand"
"""The layer at which distances from the photo are measured."""

FINE = 0.12
"""Frequencies above it, in cycles per pixel, look engraved."""


def photo(name: str) -> np.ndarray:
    """Return a photo, ``(height, width, 3)`` in [-1, 1]."""
    pixels = PHOTOS[name]()
    colour = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
    picture = images.to_float(np.ascontiguousarray(colour))
    scale = SIDE / max(picture.shape[:2])
    height, width = (round(length * scale) for length in picture.shape[:2])
    return np.clip(images.resize(picture, (height, width)), -1, 1)


def dreamed(folder: Path, name: str, of: str, **run: Any) -> np.ndarray:
    """Dream a photo, unless the dream is in the folder already, and return it as saved."""
    source = folder / f"{of}.png"
    if not source.exists():
        images.save(source, photo(of), format="png")
    outputs = [{"png": {"path": f"{of}-{name}.png"}}]
    result = kerasdream.run({"image": source.name, "outputs": outputs, **run}, folder=folder, resume=True)
    print(of, name, round(result.timings.get("total", 0.0), 1), "seconds", file=sys.stderr, flush=True)
    return images.to_float(images.read(result.paths[0]).stored)


@cache
def layer(name: str) -> keras.Model:
    """Return the part of the judge up to a layer."""
    model = judge().model
    return keras.Model(model.input, model.get_layer(name).output)


judge = cache(efficientnet_lite1)


def seen(picture: np.ndarray, name: str) -> np.ndarray:
    """Return the judge's activations of a layer for the whole picture."""
    return np.asarray(layer(name)(judge().preprocess(picture[None]), training=False), "float64")


def fine(change: np.ndarray) -> float:
    """Return the share of a change's power above ``FINE`` cycles a pixel."""
    power = np.abs(np.fft.fft2(change, axes=(0, 1))) ** 2
    down, across = (np.fft.fftfreq(length) for length in change.shape[:2])
    return float(power[np.hypot(down[:, None], across) > FINE].sum() / power.sum())


def layers(folder: Path) -> None:
    """Print how the defaults and ``photoreal`` amplify layers."""
    print("| layer | preset | strength | change | share above 0.12 cycles/pixel |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name, preset in product(LAYERS, (None, "photoreal")):
        found = []
        for of, seed in product(PHOTOS, SEEDS):
            run = {"preset": preset, "objectives": [{"l2": {"layer": name}}], "seed": seed}
            dream, before = dreamed(folder, f"{name}-{preset}-{seed}", of, **run), photo(of)
            strength = np.square(seen(dream, name)).mean() / np.square(seen(before, name)).mean()
            change = dream - before
            found.append((np.log(strength), np.sqrt(np.mean(change**2)), fine(change)))
        strength, change, share = np.mean(found, axis=0)
        row = f"{np.exp(strength):.2f} | {change:.3f} | {share:.0%}"
        print(f"| `{name}` | {preset or 'defaults'} | {row} |", flush=True)


def classes(folder: Path) -> None:
    """Print how three presets turn photos into classes."""
    print("\n| preset | first place | probability | distance from the photo |")
    print("| --- | ---: | ---: | ---: |")
    for preset in ("photoreal-class", "class", "deepdraw"):
        found = []
        for of, index in product(PHOTOS, CLASSES):
            run = {"preset": preset, "objectives": [{"class": {"index": index}}]}
            dream, before = dreamed(folder, f"{preset}-{index}", of, **run), photo(of)
            whole = images.resize(dream, (judge().side,) * 2)[None]
            logits = np.asarray(judge().model(judge().preprocess(whole), training=False), "float64")[0]
            odds = np.exp(logits - logits.max())
            there, here = seen(before, MIDDLE), seen(images.resize(dream, before.shape[:2]), MIDDLE)
            distance = np.linalg.norm(here - there) / np.linalg.norm(there)
            found.append((logits.argmax() == index, (odds / odds.sum())[index], distance))
            print(of, imagenet.classes()[index][0], *found[-1], file=sys.stderr, flush=True)
        places, probability, distance = np.sum(found, axis=0)
        row = f"{places:.0f} of {len(found)} | {probability / len(found):.2f} | {distance / len(found):.2f}"
        print(f"| `{preset}` | {row} |", flush=True)


def main(folder: Path) -> None:
    """Dream, judge, and print both tables."""
    folder.mkdir(parents=True, exist_ok=True)
    layers(folder)
    classes(folder)


if __name__ == "__main__":
    main(Path(*sys.argv[1:2] or ["looks"]))
