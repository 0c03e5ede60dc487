"""Total variation: neighbouring pixels are alike, edges are few."""

from __future__ import annotations

from kerasdream import ops
from kerasdream.components import Energy


def total_variation() -> Energy:
    """Prefers pictures whose neighbouring pixels are alike, without blurring sharp edges.

    log p = −mean(|right − here| + |below − here|), a Laplacian distribution of the differences between neighbours
    (Rudin, Osher, Fatemi 1992; for drawing from networks: Mahendran and Vedaldi 2015).
    """

    def log_p(picture):
        # Colours side by side in a row, and their mean as a product: a short last axis is slow (half the time so).
        n, height, width, colours = ops.shape(picture)
        flat = ops.reshape(picture, (n, height, width * colours))
        right = ops.concatenate([flat[:, :, colours:], flat[:, :, -colours:]], axis=2)
        below = ops.concatenate([flat[:, 1:], flat[:, -1:]], axis=1)
        spread = ops.reshape(ops.abs(right - flat) + ops.abs(below - flat), (-1, colours))
        return -ops.reshape(spread @ (ops.ones((colours, 1)) / colours), (n, height, width))

    return Energy(log_p, radius=1)
