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
        across = ops.abs(picture[:, :, 1:] - picture[:, :, :-1])
        down = ops.abs(picture[:, 1:, :] - picture[:, :-1, :])
        across = ops.pad(across, [[0, 0], [0, 0], [0, 1], [0, 0]])
        down = ops.pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]])
        return -ops.mean(across + down, axis=-1)

    return Energy(log_p, radius=1)
