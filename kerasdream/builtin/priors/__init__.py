"""Priors: which pictures are likely, as terms of log p(picture) and as constraints applied after each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Energy, Projection
from kerasdream.builtin.priors.bilateral import bilateral
from kerasdream.builtin.priors.chroma import chroma
from kerasdream.builtin.priors.clip import clip, soft_clip
from kerasdream.builtin.priors.clip_small import clip_small
from kerasdream.builtin.priors.decay import decay
from kerasdream.builtin.priors.gaussian_blur import gaussian_blur
from kerasdream.builtin.priors.high_pass import high_pass
from kerasdream.builtin.priors.match_spectrum import match_spectrum
from kerasdream.builtin.priors.median import median
from kerasdream.builtin.priors.norm import infinity_norm, norm
from kerasdream.builtin.priors.smoothness import smoothness
from kerasdream.builtin.priors.source import source
from kerasdream.builtin.priors.spectrum import spectrum
from kerasdream.builtin.priors.total_variation import total_variation

PRIORS: Mapping[str, Callable[..., Energy | Projection]] = {
    "total_variation": total_variation,
    "smoothness": smoothness,
    "spectrum": spectrum,
    "high_pass": high_pass,
    "norm": norm,
    "infinity_norm": infinity_norm,
    "chroma": chroma,
    "source": source,
    "gaussian_blur": gaussian_blur,
    "bilateral": bilateral,
    "median": median,
    "match_spectrum": match_spectrum,
    "decay": decay,
    "clip": clip,
    "soft_clip": soft_clip,
    "clip_small": clip_small,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
