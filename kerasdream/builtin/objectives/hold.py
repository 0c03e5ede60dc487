"""Hold on to the photo, as a layer sees it, while other objectives change it."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import LayerName, Objective, ops

SOFT = 1e-4
"""Share of the photo's activations up to which a difference is smoothed, so that the norm has a slope everywhere."""


def hold(*, layer: LayerName, amount: Annotated[float, Ge(0)] = 1.0) -> Objective:
    """Keep to what a layer sees in the photo: feature accentuation, beside the objectives that change it.

    The score is -amount · λ · mean(‖a - s‖₂) with the activations a at a position and s the photo's at the same
    position of the same view. λ is measured at the start of each octave: with amount 1 this pulls back as hard as the
    other objectives together pull away, Σ|∂ others / ∂ picture| = λ · Σ|∂ mean(‖a - s‖₂) / ∂ picture|. The norm, not
    its square: its pull does not fade near the photo. It needs another objective.

    Source: Hamblin, Fel, Saha, Konkle, Alvarez, "Feature Accentuation: Revealing 'What' Features Respond to in Natural
    Images", 2024, arXiv:2402.10039; there the norm is over a whole view, here at each position, so that tiles add up.

    Args:
        layer: the layer that should see the photo; the earlier it is, the more exactly the photo is kept.
        amount: 1 pulls back as hard as the others pull away, 5 leaves hardly any effect, 0 is none at all.
    """

    def density(activations, source):
        seen, photo = activations[layer], source[layer]
        soft = SOFT**2 * ops.sum(ops.square(photo), axis=-1) + 1e-12
        return ops.sqrt(soft) - ops.sqrt(ops.sum(ops.square(seen - photo), axis=-1) + soft)

    return amount * Objective(layer, density, reference="source", relative=True)
