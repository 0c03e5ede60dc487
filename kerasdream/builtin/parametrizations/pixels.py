"""The plain picture."""

from __future__ import annotations

from kerasdream.components import Parametrization


def pixels() -> Parametrization:
    """Optimises the pixels themselves, as DeepDream did."""
    return Parametrization(init=lambda picture, seed: picture)
