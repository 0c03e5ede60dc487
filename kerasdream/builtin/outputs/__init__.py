"""Outputs: files that a run writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Output
from kerasdream.builtin.outputs.gif import gif
from kerasdream.builtin.outputs.pictures import jpeg, png, tiff, webp

OUTPUTS: Mapping[str, Callable[..., Output]] = {
    "png": png,
    "jpeg": jpeg,
    "webp": webp,
    "tiff": tiff,
    "gif": gif,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
