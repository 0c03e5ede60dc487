"""Attribution: how strongly the objectives have pulled at each pixel of a dream, over all steps so far.

The sum over steps and colours of |∂ objectives / ∂ picture|, without the priors, each step's multiplied by its octave's
number of pixels, so that all octaves count alike (Fel et al., "Unlocking Feature Visualization for Deeper Networks with
MAgnitude Constrained Optimization", 2023, arXiv:2306.06805; Hamblin et al., "Feature Accentuation", 2024,
arXiv:2402.10039).
"""

from __future__ import annotations

import numpy as np

from kerasdream.images import resize
from kerasdream.plan.panels import Panels


def added(total: np.ndarray | None, found: np.ndarray | None) -> np.ndarray | None:
    """Return the sum with one more step's attribution; None if steps have none."""
    return found if total is None or found is None else total + found


def resized(total: np.ndarray | None, sheet: tuple[int, int], panels: Panels) -> np.ndarray | None:
    """Return a sum, or none, at another (height, width); each panel is resized by itself."""
    if total is None or total.shape == sheet:
        return total
    result = np.empty(sheet, "float32")
    for before, after in zip(panels.windows(total.shape), panels.windows(sheet), strict=True):
        result[after] = resize(total[before], panels.of(sheet)).clip(0)
    return result
