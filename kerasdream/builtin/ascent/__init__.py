"""Ascent rules: how a gradient becomes a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Rule
from kerasdream.builtin.ascent.adam import adam
from kerasdream.builtin.ascent.clip import clip
from kerasdream.builtin.ascent.laplacian_normalize import laplacian_normalize
from kerasdream.builtin.ascent.mask import mask
from kerasdream.builtin.ascent.momentum import momentum
from kerasdream.builtin.ascent.nadam import nadam
from kerasdream.builtin.ascent.normalize import normalize
from kerasdream.builtin.ascent.rate import rate
from kerasdream.builtin.ascent.shadows import shadows
from kerasdream.builtin.ascent.sign import sign
from kerasdream.builtin.ascent.smooth import smooth

ASCENT: Mapping[str, Callable[..., Rule]] = {
    "normalize": normalize,
    "laplacian_normalize": laplacian_normalize,
    "adam": adam,
    "nadam": nadam,
    "sign": sign,
    "smooth": smooth,
    "shadows": shadows,
    "momentum": momentum,
    "clip": clip,
    "mask": mask,
    "rate": rate,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
