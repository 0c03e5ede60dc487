"""The plain picture."""

from __future__ import annotations

from kerasdream import Parametrization


def pixels() -> Parametrization:
    """Optimise the pixels themselves, as DeepDream did."""
    return Parametrization(init=lambda picture, seed: picture)
