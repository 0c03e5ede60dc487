"""Make the pictures of the README: ``python docs/make_gallery.py [NAME...]`` (needs scikit-image for one photo).

Photos: raccoon (configs/photos, public domain) and coffee (Rachel Michetti, CC0, from scikit-image).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import skimage.data

from kerasdream import images

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
RACCOON = ROOT / "configs" / "photos" / "raccoon.jpg"
SIDE = 512
"""Longer side of the pictures of the raccoon, in pixels."""

LOOKS = {
    "strokes": "--layer block3_expand --strength 1.7",
    "ornament": "--layer block5_expand --strength 1.4",
    "mosaics": "--layer block8_expand",
    "animals": "--layer block11_expand",
    "photoreal-strokes": "--preset photoreal --layer block3_expand",
    "photoreal-ornament": "--preset photoreal --layer block5_expand",
    "photoreal-mosaics": "--preset photoreal --layer block8_expand",
    "photoreal": "--preset photoreal",
    "photoreal-class": "--preset photoreal-class",
}
"""Name of a picture of the raccoon -> what the README says to type after ``kerasdream dream photo.jpg``."""


def made(name: str, *command: str) -> None:
    """Run a command that writes ``gallery/<name>.jpg``."""
    output = f"outputs=[{{jpeg: {{path: {name}.jpg, quality: 85}}}}]"
    subprocess.run(
        [sys.executable, "-m", "kerasdream", *command, "-s", output, "-o", str(GALLERY), "--overwrite"], check=True
    )


def main(names: list[str]) -> None:
    """Make every picture, or those of the given names."""
    for name in names or [*LOOKS, "raccoon", "coffee", "noise", "class"]:
        if name == "raccoon":
            images.save(GALLERY / "raccoon.jpg", images.read(RACCOON, SIDE).pixels, format="jpeg", quality=85)
        elif name == "coffee":
            with tempfile.TemporaryDirectory() as folder:
                photo = Path(folder) / "coffee.png"
                images.save(photo, images.to_float(skimage.data.coffee()), format="png")
                made(name, "dream", str(photo))
        elif name == "noise":
            made(name, "run", str(ROOT / "configs" / "from_noise.yaml"), "-s", "image.size=[384, 576]")
        elif name == "class":
            made(name, "dream", "noise", "--preset", "class")
        else:
            made(name, "dream", str(RACCOON), "--size", str(SIDE), *LOOKS[name].split())


if __name__ == "__main__":
    main(sys.argv[1:])
