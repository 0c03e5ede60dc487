"""What the user should hear about a dream that went wrong: a prior outweighs, nothing moved, or it burnt out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerasdream.config.sections import RATE
from kerasdream.config.step_length import ADD_RATE, SIZED
from kerasdream.images import to_float, to_uint8
from kerasdream.plugins.registry import BUILT_IN
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    from kerasdream.dreaming.step import GradientStep
    from kerasdream.plugins.spec import PartSpec

RISE = 0.05
"""Share of its value by which an objective rises at least within an octave, unless a prior prevents it."""

STILL = 0.5
"""Levels of 255: a smaller root mean square change is hardly seen."""

BURNT = 0.2
"""A share of black and white values that is larger than the source's by this is remarked on."""


def of_priors(
    step: GradientStep,
    projections: Sequence[PartSpec],
    means: tuple[Sequence[float], Sequence[float]],
    progress: Progress,
    factors: Sequence[float] | None,
    again: Callable[[], Sequence[float]],
) -> Iterator[str]:
    """Yield a remark if the objectives hardly rose in the last octave, or fell, because of a prior.

    Args:
        means: each part's mean, unweighted, before the first and before the last step of the octave.
        progress: of that last step.
        factors: of the terms of the score.
        again: returns each part's mean after the last step, with the crops and transforms of the octave's first. Those
            of the last step see other parts of the picture, which may respond less.
    """
    if not step.parts.energies and not projections:
        return
    objectives, weights = len(step.parts.objectives), np.array(step.weights(progress, factors))

    def rose(first: np.ndarray, last: np.ndarray) -> tuple[float, float, bool]:
        before, after = float(first[:objectives].sum()), float(last[:objectives].sum())
        return before, after, after >= before + RISE * abs(before)

    first, last = (weights * np.array(each) for each in means)
    if rose(first, last)[-1]:
        return
    last = weights * np.array(again())
    before, after, enough = rose(first, last)
    if enough:
        return
    went = (
        f"in the last octave the objective {'fell' if after < before else 'only rose'} from {before:.4g} to {after:.4g}"
    )
    gains = (last - first)[objectives:]
    if gains.size and gains.max() > max(after - before, 0):
        winner = step.parts.energies[int(gains.argmax())]
        weight = winner.weight(winner.spec.values_at(progress))
        smaller = f"try a weight of {weight / 4:.3g} (now {weight:g})"
        yield f"{winner.label} outweighs what the dream climbs: {went}; {smaller}"
    elif projections and after < before:
        names = " and ".join(spec.name for spec in projections)
        yield f"{names} outweighs what the dream climbs: {went}; make it weaker, or leave it out"


def of_picture(
    picture: np.ndarray, source: np.ndarray, chain: Sequence[PartSpec], strength: float = 1.0
) -> Iterator[str]:
    """Yield a remark if the dream is hardly different from its source, or has burnt out.

    Args:
        picture: ``(height, width, 3)`` float32 in [-1, 1].
        source: of the same shape, uint8 levels or float32 in [-1, 1].
        chain, strength: the ascent rules, and the factor of what they return.
    """
    moved, burnt, before = 0.0, np.zeros(256, int), np.zeros(256, int)
    for row in range(0, len(picture), 64):  # strips: a large picture is not copied
        dreamed, photo = picture[row : row + 64], to_float(source[row : row + 64])
        moved += float(np.square(127.5 * (dreamed - photo)).sum())
        burnt += np.bincount(to_uint8(dreamed).ravel(), minlength=256)
        before += np.bincount(to_uint8(photo).ravel(), minlength=256)
    moved = (moved / picture.size) ** 0.5
    if moved < STILL:
        yield f"the picture hardly changed (by {moved:.2g} of 255 levels): {_longer(chain, strength)}"
        return
    now, once = (_black_or_white(counts) for counts in (burnt, before))
    if now > once + BURNT:
        share = f"{now:.0%} of its values are black or white (of the source's {once:.0%})"
        yield f"the picture burnt out: {share}: {_shorter(chain)}"


def _black_or_white(counts: np.ndarray) -> float:
    """Return the share of the values that are black or white, given how many have each of the 256 levels."""
    return float((counts[0] + counts[-1]) / counts.sum())


def _longer(chain: Sequence[PartSpec], strength: float) -> str:
    """Return what makes steps longer."""
    names = [rule.name for rule in chain]
    if all(rule.plugin == BUILT_IN for rule in chain) and not any(name in SIZED for name in names):
        rate = "" if "rate" in names else f" and - rate: {RATE}"
        return f"a bare gradient is far smaller than a level; add - normalize{rate} to ascent"
    if strength < 1:
        return f"try a larger strength (now {strength:g}; the default is 1)"
    return f"try a larger rate{_now(chain)}, such as {RATE}, or smaller weights of the priors"


def _shorter(chain: Sequence[PartSpec]) -> str:
    """Return what makes steps shorter."""
    now = _now(chain)
    return f"try a smaller rate{now} or fewer steps" if now else ADD_RATE


def _now(chain: Sequence[PartSpec]) -> str:
    """Return the rate of the run's first step, ``" (now 0.018)"``; nothing if there is no rule ``rate``."""
    rates = [{**rule.values, **rule.values_at(Progress())}["value"] for rule in chain if rule.name == "rate"]
    return f" (now {rates[0]:g})" if rates else ""
