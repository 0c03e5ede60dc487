"""The octave loop: from coarse to fine, the dreamed detail carried over the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerasdream.components import Parametrization
from kerasdream.entry import Entry
from kerasdream.errors import DreamError
from kerasdream.events import Stepped
from kerasdream.images import resize
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan import Plan
    from kerasdream.step import GradientStep


@dataclass
class Ascent:
    """What an ascent has come to; ``dead`` are the octaves that were left because no objective had a slope."""

    picture: np.ndarray
    scores: list[float] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=lambda: {"first_step": 0.0, "dream": 0.0, "gradient": 0.0})
    interrupted: bool = False
    dead: list[int] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should hear."""
        return tuple(f"octave {i + 1} was left early: nothing in it excites what is asked for" for i in self.dead)


def ascend(
    source: np.ndarray,
    plan: Plan,
    step: GradientStep,
    *,
    parametrization: Entry,
    chain: Sequence[Entry],
    projections: Sequence[Entry] = (),
    detail: bool = True,
    tell: Callable[[Stepped], None] = lambda event: None,
) -> Ascent:
    """Dreams one picture.

    The order of a step: gradient of objectives and energies with respect to the picture, pulled back through the
    parametrization, through the ascent chain, added; clipped; projected; clipped.

    Args:
        source: ``(height, width, 3)`` float32 in [-1, 1]. It is not changed.
        chain: ascent rules, applied in order.
        detail: at each octave go on from the source at that size plus the enlarged dreamed detail, so that the source's
            own detail is never blurred; otherwise from the enlarged dream.

    Returns:
        The dream at the source's size. Ctrl-C ends it early, with the last finished step.

    Raises:
        DreamError: the gradient is not finite, or exactly zero in every octave.
    """
    import numpy as np

    ascent = Ascent(source)
    form: Parametrization = parametrization.make()
    kept, run_step = (source, source), 0  # canvas and base of one size, replaced as one: Ctrl-C may come at any time
    started = time.perf_counter()
    try:
        for number, octave in enumerate(plan.octaves):
            canvas, base = kept = _entered(octave.shape, source, kept, first=number == 0, detail=detail)
            state = form.init(canvas, plan.seed)
            memory: list[Any] | None = None
            for index in range(octave.steps):
                progress = Progress(number, len(plan.octaves), index, octave.steps, run_step, plan.steps)
                began = time.perf_counter()
                score, scores, gradient = step.at(canvas, plan, progress)
                ascent.timings["gradient"] += time.perf_counter() - began
                if not run_step:
                    ascent.timings["first_step"] = time.perf_counter() - started
                _check(score, scores, gradient, progress, step)
                if not gradient.any() or step.is_dead(scores):
                    ascent.dead.append(number)
                    run_step += octave.steps - index
                    break
                rules = [entry.make(entry.at(progress)) for entry in chain]
                state, memory = _moved(form, rules, state, memory, gradient, octave.shape)
                canvas = np.clip(_decoded(form, state, octave.shape), -1, 1)
                for entry in projections:
                    canvas = np.clip(entry.make(entry.at(progress)).apply(canvas), -1, 1)
                if form.decode is None:
                    state = canvas
                kept = canvas, base
                ascent.scores.append(score)
                run_step += 1
                tell(Stepped(progress, octave.shape, score, scores, lambda canvas=canvas: canvas))
    except KeyboardInterrupt:
        ascent.interrupted = True
    if len(ascent.dead) == len(plan.octaves):
        raise DreamError(
            "the gradient is exactly zero in every octave: nothing in the picture excites what is asked for; start "
            "from a photo or from noise, or select another layer or channel"
        )
    ascent.picture = kept[0]
    if ascent.interrupted and kept[0].shape != source.shape:
        ascent.picture, _ = _entered(source.shape[:2], source, kept, first=False, detail=detail)
    ascent.timings["dream"] = time.perf_counter() - started
    return ascent


def _entered(
    shape: tuple[int, int], source: np.ndarray, below: tuple[np.ndarray, np.ndarray], *, first: bool, detail: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the canvas an octave starts from, and the source at its size."""
    import numpy as np

    base = resize(source, shape)
    if first:
        return base, base
    canvas, base_below = below
    if detail:
        return np.clip(base + resize(canvas - base_below, shape), -1, 1), base
    return np.clip(resize(canvas, shape), -1, 1), base


def _moved(
    form: Parametrization, rules: list[Any], state: Any, memory: list[Any] | None, gradient: Any, shape: tuple[int, int]
) -> tuple[Any, list[Any]]:
    """Takes one step uphill: returns the new state and the rules' memory."""
    if form.decode is not None:
        from kerasdream.engine.tensorflow import pull_back

        gradient = pull_back(form.decode, state, shape, gradient)
    if memory is None:
        memory = [rule.init(state) for rule in rules]
    remembered = []
    for rule, past in zip(rules, memory, strict=True):
        gradient, past = rule.update(gradient, past, state)
        remembered.append(past)
    return state + gradient, remembered


def _decoded(form: Parametrization, state: Any, shape: tuple[int, int]) -> np.ndarray:
    import numpy as np

    return np.asarray(state if form.decode is None else form.decode(state, *shape), "float32")


def _check(
    score: float, scores: Mapping[str, float], gradient: np.ndarray, progress: Progress, step: GradientStep
) -> None:
    """Refuses to go on with numbers that are none, and says whose they are."""
    import numpy as np

    if np.isfinite(score) and np.isfinite(gradient).all():
        return
    where = f"octave {progress.octave + 1}, step {progress.step + 1}"
    ill = [label for label in scores if not np.isfinite(scores[label])]
    what = "the score is not finite" if ill else "the gradient is not finite, though the scores are,"
    named = "; ".join(f"{label} = {scores[label]:g} ({step.blame(label)})" for label in ill or scores)
    raise DreamError(f"{what} at {where}: {named}; try a smaller rate or weight")
