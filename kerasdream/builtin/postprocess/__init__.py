"""Post-processing: steps on the finished picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Postprocess
from kerasdream.builtin.postprocess.blend import blend
from kerasdream.builtin.postprocess.denoise import denoise
from kerasdream.builtin.postprocess.grade import grade
from kerasdream.builtin.postprocess.keep_colors import keep_colors
from kerasdream.builtin.postprocess.match_color import match_color
from kerasdream.builtin.postprocess.sharpen import sharpen
from kerasdream.builtin.postprocess.upscale import upscale

POSTPROCESS: Mapping[str, Callable[..., Postprocess]] = {
    "match_color": match_color,
    "keep_colors": keep_colors,
    "blend": blend,
    "denoise": denoise,
    "sharpen": sharpen,
    "grade": grade,
    "upscale": upscale,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
