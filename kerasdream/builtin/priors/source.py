"""The source: what is dreamed stays near the photo."""

from __future__ import annotations

from typing import Literal

from kerasdream import ops
from kerasdream.builtin.priors.pixels import colour_mean
from kerasdream.components import Energy


def source(*, distribution: Literal["gaussian", "laplace"] = "gaussian") -> Energy:
    """Prefers pictures near the source photo: the stronger, the more of the photo is left.

    log p = −½ mean((x − source)²) where deviations are Gaussian: every pixel may move a little. log p = −mean(|x −
    source|) where they are Laplacian: most pixels stay what they were, and a few move far, so the dream falls where the
    network wants it most. The penalty of input differences that adversarial examples are made with (Szegedy et al.
    2013), and of feature inversion.

    Args:
        distribution: of the differences to the source: ``gaussian`` or ``laplace``.
    """

    def log_p(picture, source):
        difference = picture - source
        energy = 0.5 * ops.square(difference) if distribution == "gaussian" else ops.abs(difference)
        return -colour_mean(energy, picture)

    return Energy(log_p, radius=0, reference="source")
