"""Transforms: random changes to what the network sees, new at each step, so that no single alignment matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Transform
from kerasdream.builtin.transforms.blur import blur
from kerasdream.builtin.transforms.brightness import brightness
from kerasdream.builtin.transforms.color_shift import color_shift
from kerasdream.builtin.transforms.contrast import contrast
from kerasdream.builtin.transforms.crop import crop
from kerasdream.builtin.transforms.flip import flip
from kerasdream.builtin.transforms.jitter import jitter
from kerasdream.builtin.transforms.noise import noise
from kerasdream.builtin.transforms.pad import pad
from kerasdream.builtin.transforms.rotate import rotate
from kerasdream.builtin.transforms.scale import scale
from kerasdream.builtin.transforms.shift import shift

TRANSFORMS: Mapping[str, Callable[..., Transform]] = {
    "jitter": jitter,
    "shift": shift,
    "scale": scale,
    "rotate": rotate,
    "crop": crop,
    "flip": flip,
    "pad": pad,
    "noise": noise,
    "blur": blur,
    "brightness": brightness,
    "contrast": contrast,
    "color_shift": color_shift,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
