"""Total variation: neighbouring pixels are alike, edges are few."""

from __future__ import annotations

from kerasdream import Energy, ops
from kerasdream.builtin.priors.pixels import below, colour_mean, right_of, side_by_side


def total_variation() -> Energy:
    """Prefer pictures whose neighbouring pixels are alike, without blurring sharp edges.

    log p = −mean(|right − here| + |below − here|), a Laplacian distribution of the differences between neighbours
    (Rudin, Osher, Fatemi 1992; for drawing from networks: Mahendran and Vedaldi 2015).
    """

    def log_p(picture):
        here = side_by_side(picture)
        return -colour_mean(ops.abs(right_of(here) - here) + ops.abs(below(here) - here), picture)

    return Energy(log_p, radius=1)
