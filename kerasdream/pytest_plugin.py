"""The pytest plugin that comes with kerasdream: the fixtures ``photo`` and ``tiny_network``.

pytest loads it wherever kerasdream is installed, so it imports nothing until a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.components import Network


@pytest.fixture(name="photo")
def _photo() -> np.ndarray:
    """A real photo, (120, 160, 3) float32 in [-1, 1]."""
    from kerasdream.testing import photo

    return photo()


@pytest.fixture(name="tiny_network")
def _tiny_network() -> Network:
    """A small random kerasdream.Network with the layers conv1, conv2 and conv3."""
    from kerasdream.testing import tiny_network

    return tiny_network()
