"""Gradient steps on the tiny network, and the expectations that the checks of differentiated parts share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kerasdream.components import Network
from kerasdream.plugins.spec import PartSpec
from kerasdream.testing.material import tiny_network
from kerasdream.testing.registered import expect, steady

if TYPE_CHECKING:
    from kerasdream.dreaming.step import GradientStep

HALO = 32
"""Pixels around a tile; more than the tiny network's receptive field."""


@dataclass(frozen=True)
class Scene:
    """What a check evaluates a part on.

    Attributes:
        picture: ``(height, width, 3)`` float32 in [-1, 1].
        source: the source photo, of the same shape, for parts that compare with it.
        panels: rows and columns of the pictures on it.
        network: the network.
    """

    picture: np.ndarray
    source: np.ndarray | None = None
    panels: tuple[int, int] = (1, 1)
    network: Network | None = None

    def step(
        self,
        objectives: Sequence[PartSpec],
        priors: Sequence[PartSpec] = (),
        transforms: Sequence[PartSpec] = (),
        tile: int = 512,
    ) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
        """Return the gradient step with these parts: picture -> (score, gradient)."""
        from kerasdream.dreaming.step import GradientStep

        network = self.network or tiny_network()
        step: GradientStep = GradientStep(network, objectives, priors, transforms, tile=tile, halo=HALO)
        return lambda picture: step(picture, source=self.source, panels=self.panels)


def climbed(step: Callable[[np.ndarray], tuple[float, np.ndarray]], picture: np.ndarray, steps: int) -> float:
    """Return the score after some normalised steps uphill."""
    for _ in range(steps):
        _, gradient = step(picture)
        picture = np.clip(picture + 0.01 * gradient / max(abs(gradient).mean(), 1e-12), -1, 1)
    return step(picture)[0]


def expect_rise(who: str, step: Callable[[np.ndarray], tuple[float, np.ndarray]], picture: np.ndarray) -> None:
    """Expect that ten steps uphill raise the score."""
    score, risen = step(picture)[0], climbed(step, picture, 10)
    expect(risen > score, who, f"does not rise: {score:g} before ten steps uphill, {risen:g} after them")


def expect_schedules(entry: PartSpec, score_of: Callable[[PartSpec], float], score: float) -> None:
    """Expect the same score with all numbers replaced by schedules that stay at them; name the one that differs."""
    single = dict(steady(entry))
    schedules = {name: scheduled.values[name] for name, scheduled in single.items()}
    if not single or near(score_of(replace(entry, values={**entry.values, **schedules})), score):
        return
    for name, scheduled in single.items():
        again = score_of(scheduled)
        expect(
            near(again, score),
            entry.origin,
            f"scores {again:g} where {name!r} is a schedule that stays at {entry.values[name]:g}; expected {score:g}",
        )
    expect(False, entry.origin, f"scores differently where {', '.join(single)} are schedules that do not change")


def expect_numbers(who: str, numbers: np.ndarray) -> None:
    """Expect finite float32 numbers."""
    expect(numbers.dtype == np.float32, who, f"returned {numbers.dtype}; expected float32")
    expect(np.isfinite(numbers).all(), who, "returned numbers that are not finite")


def expect_gradient(who: str, score: float, gradient: np.ndarray) -> None:
    """Expect a finite score and a finite gradient that is not zero everywhere."""
    expect(np.isfinite(score), who, f"scores {score}; expected a finite number")
    expect(np.isfinite(gradient).all(), who, "has a gradient that is not finite")
    expect(gradient.any(), who, "has a gradient that is zero everywhere; is it made of differentiable keras.ops?")


def near(one: float, other: float) -> bool:
    """Whether two scores are equal up to float32 rounding."""
    return abs(one - other) <= 1e-3 * max(abs(one), abs(other)) + 1e-6
