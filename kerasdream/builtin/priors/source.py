"""The source: the dream stays near the photo."""

from __future__ import annotations

from typing import Literal

from kerasdream import Energy, ops
from kerasdream.builtin.priors.pixels import colour_mean


def source(*, distribution: Literal["gaussian", "laplace"] = "gaussian") -> Energy:
    """Prefer pictures near the source photo: the larger the weight, the more of the photo is left.

    gaussian: log p = −½ mean((x − source)²); every pixel may move a little. laplace: log p = −mean(|x − source|); most
    pixels keep their values and a few move far, so the dream appears where the network wants it most. The penalty on
    input differences used for adversarial examples (Szegedy et al. 2013) and for feature inversion.

    Args:
        distribution: of the differences from the source: ``gaussian`` or ``laplace``.
    """

    def log_p(picture, source):
        difference = picture - source
        energy = 0.5 * ops.square(difference) if distribution == "gaussian" else ops.abs(difference)
        return -colour_mean(energy, picture)

    return Energy(log_p, radius=0, reference="source")
