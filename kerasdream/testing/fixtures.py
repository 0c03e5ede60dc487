"""The pytest plugin that comes with kerasdream: ``photo`` and ``tiny_network`` as fixtures."""

from __future__ import annotations

import pytest

from kerasdream.testing import material


@pytest.fixture(name="photo")
def _photo():
    """A real photo, (120, 160, 3) float32 in [-1, 1]."""
    return material.photo()


@pytest.fixture(name="tiny_network")
def _tiny_network():
    """A small random kerasdream.Network with the layers conv1, conv2 and conv3."""
    return material.tiny_network()
