"""The pytest plugin that comes with kerasdream: ``photo`` and ``tiny_network`` as fixtures.

pytest loads it wherever kerasdream is installed, so it imports nothing before a fixture is used.
"""

from __future__ import annotations

import pytest


@pytest.fixture(name="photo")
def _photo():
    """A real photo, (120, 160, 3) float32 in [-1, 1]."""
    from kerasdream.testing import photo

    return photo()


@pytest.fixture(name="tiny_network")
def _tiny_network():
    """A small random kerasdream.Network with the layers conv1, conv2 and conv3."""
    from kerasdream.testing import tiny_network

    return tiny_network()
