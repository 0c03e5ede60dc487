"""Parametrizations: how the picture is represented while it is optimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Parametrization
from kerasdream.builtin.parametrizations.decorrelated import decorrelated
from kerasdream.builtin.parametrizations.fourier import fourier
from kerasdream.builtin.parametrizations.laplacian_pyramid import laplacian_pyramid
from kerasdream.builtin.parametrizations.maco import maco
from kerasdream.builtin.parametrizations.pixels import pixels

PARAMETRIZATIONS: Mapping[str, Callable[..., Parametrization]] = {
    "pixels": pixels,
    "decorrelated": decorrelated,
    "fourier": fourier,
    "laplacian_pyramid": laplacian_pyramid,
    "maco": maco,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
