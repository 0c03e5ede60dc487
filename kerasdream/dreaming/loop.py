"""The octave loop: from coarse to fine, carrying the dreamed detail over to the next size of the source.

The order of a step: gradient of objectives and energies with respect to the picture, pulled back through the
parametrization, through the ascent chain, added; clipped; projected; clipped (``kerasdream.dreaming.canvas``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kerasdream.dreaming import attribution, remarks
from kerasdream.dreaming.canvas import CanvasState, make_canvas
from kerasdream.dreaming.grey import keeping_colours
from kerasdream.engine.chain import Chain
from kerasdream.engine.decoding import Decoding
from kerasdream.errors import DreamError, MemoryRanOutError, NoResponseError
from kerasdream.events import Stepped
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    from kerasdream.dreaming.canvas import Canvas
    from kerasdream.dreaming.step import Evaluation, GradientStep
    from kerasdream.plan.plan import Plan


Seen = TypeVar("Seen")

TIMINGS = ("first_step", "dream", "gradient", "ascent", "resize")
"""What is timed: see ``kerasdream.Result``."""


@dataclass(frozen=True)
class AscentState:
    """State of an ascent between two steps: all it needs to resume with the same bits. Its arrays never change.

    Attributes:
        octave, step: the next step, from 0; after an octave's last step, ``step`` is the number of steps planned.
        canvas: ``(height, width, 3)`` float32 in [-1, 1] at the octave's size, array or tensor.
        state, memory: see ``kerasdream.dreaming.canvas.CanvasState``.
        scores: the weighted score before each step.
        dead: the octaves that were left because no objective had a slope at their first step. At a later step that may
            be a unit that is saturated, or one step's transforms: then the ascent continues.
        views: the side of the largest views, if memory ran out for the plan's; from then on views are smaller.
        units: of the weights of energies and relative objectives, for each octave that was started
            (``GradientStep.units``).
        means: each part's mean, unweighted, before the first and before the latest step of the octave.
        attribution: the sum over all steps of ``Evaluation.attribution``, ``(height, width)`` float32 at the octave's
            size; None before the first step, or if the step is not ``attributed``.
    """

    octave: int
    step: int
    canvas: Any
    state: Any
    memory: list[Any] | None = None
    scores: tuple[float, ...] = ()
    dead: tuple[int, ...] = ()
    views: int | None = None
    units: tuple[tuple[float, ...], ...] = ()
    means: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    attribution: np.ndarray | None = None


@dataclass
class AscentResult:
    """Result of an ascent: the last state, and the dream at the source's size.

    Attributes:
        remarks: what the user should hear about the parts, whatever the state.
    """

    point: AscentState | None = None
    picture: np.ndarray | None = None
    timings: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMINGS, 0.0))
    interrupted: bool = False
    remarks: tuple[str, ...] = ()
    attribution: np.ndarray | None = None

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time that its block takes to a timing."""
        began = time.perf_counter()
        yield
        self.timings[name] += time.perf_counter() - began

    @property
    def scores(self) -> tuple[float, ...]:
        """The weighted score before each step."""
        return self.point.scores if self.point else ()

    @property
    def units(self) -> tuple[tuple[float, ...], ...]:
        """The units of weights in each octave: the priors', then each relative objective's."""
        return self.point.units if self.point else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should hear."""
        if self.point is None:
            return self.remarks
        dead = [
            f"octave {octave + 1} was skipped: at that size the picture does not excite the selected layer or channel"
            for octave in self.point.dead
        ]
        views = self.point.views
        ran_out = f"memory ran out: from then on the network saw at most {views}×{views} pixels at once"
        return (*dead, *([ran_out] if views else []), *self.remarks)


def ascend(
    source: np.ndarray,
    plan: Plan,
    step: GradientStep,
    *,
    parametrization: PartSpec,
    chain: Sequence[PartSpec],
    strength: float = 1.0,
    projections: Sequence[PartSpec] = (),
    detail: bool = True,
    is_over: Callable[[Sequence[float]], bool] = lambda scores: False,
    start: AscentState | None = None,
    save: Callable[[AscentState], None] = lambda point: None,
    on_event: Callable[[Stepped], None] = lambda event: None,
) -> AscentResult:
    """Dream one picture, or several on one sheet; Ctrl-C ends it early, with the last finished step.

    Args:
        source: ``(height, width, 3)``: uint8 levels or float32 in [-1, 1]. It is not changed.
        chain, strength: ascent rules, applied in order, and a factor of what they return.
        detail: start each octave from the source plus the upscaled dreamed detail, so that the source's own detail is
            never blurred; otherwise from the upscaled dream.
        is_over: called after every step with the scores of the octave's steps; True ends the octave early.
        start, save: the state to resume from; called with the state after every step.

    Raises:
        DreamError: the score or gradient is not finite.
        NoResponseError: the gradient is zero in every octave.
    """
    form = keeping_colours(parametrization.make(), source, plan.panels, grey=step.grey)
    decoding = None if form.decode is None else Decoding(form.decode, parametrization.origin)
    rules = Chain(chain, decoding, strength=strength)
    canvas = make_canvas(
        source, plan.panels, init=form.init, decoding=decoding, chain=rules, projections=projections, detail=detail
    )
    result = AscentResult(start)
    ascent = _Ascent(plan, step, canvas, is_over, save, on_event, result)
    with result.timed("dream"):
        try:
            ascent.run()
            result.remarks = tuple(_of_priors(ascent, projections))
        except KeyboardInterrupt:
            result.interrupted = True
        if result.point is not None:
            result.picture = _picture(result.point, plan, canvas, source.shape)
            result.attribution = attribution.resized(result.point.attribution, source.shape[:2], plan.panels)
    if result.picture is not None and not result.interrupted:
        result.remarks += tuple(remarks.of_picture(result.picture, source, chain, strength))
    result.remarks += _notes_of(decoding)
    return result


@dataclass(frozen=True)
class _Ascent:
    """An ascent under way. ``result.point`` is always a whole state, replaced in one go: Ctrl-C may come at any time.

    No method keeps a reference to a picture or a gradient across steps, so that full-size arrays are freed before the
    next step allocates its own.
    """

    plan: Plan
    evaluator: GradientStep
    canvas: Canvas
    is_over: Callable[[Sequence[float]], bool]
    save: Callable[[AscentState], None]
    on_event: Callable[[Stepped], None]
    result: AscentResult

    def run(self) -> None:
        """Take all steps that have not been taken yet."""
        for number, octave in enumerate(self.plan.octaves):
            first = self.first_step(number)
            for index in range(octave.steps if first is None else first, octave.steps):
                if self.step(number, index):
                    break

    def first_step(self, number: int) -> int | None:
        """Start an octave, or resume it; return its next step. None: the octave is finished."""
        point = self.result.point
        if point is not None and point.octave > number:
            return None
        if point is not None and point.octave == number:
            return point.step
        with self.result.timed("resize"):
            below = None if point is None else np.asarray(point.canvas)
            begun = self.canvas.start_octave(self.plan.octaves[number].shape, below, self.plan.seed)
            if point is None:
                point = AscentState(number, 0, begun.canvas, begun.state, begun.memory)
            else:
                pulls = attribution.resized(point.attribution, self.plan.octaves[number].shape, self.plan.panels)
                point = replace(point, octave=number, step=0, **begun._asdict(), attribution=pulls)
            self.result.point = point
        return 0

    def step(self, number: int, index: int) -> bool:
        """Evaluate the picture and take one step; return whether the octave is over."""
        octaves, progress = self.plan.octaves, _progress(self.plan, number, index)
        with self.result.timed("gradient"):
            if len(self.point.units) <= number:
                units = self.seen(progress, self.evaluator.units)
                earlier = (*self.point.units, *[units] * number)[:number]
                self.result.point = replace(self.point, units=(*earlier, units))
            units = self.point.units[number]
            factors = self.evaluator.parts.factors(units)
            found = self.seen(progress, partial(self.evaluator.evaluate, factors=factors))
        if not self.result.timings["first_step"]:
            self.result.timings["first_step"] = self.result.timings["gradient"]
        _check(found, progress, self.evaluator)
        if not index and (not units[0] or not found.magnitude or self.evaluator.is_dead(found.scores)):
            point = self.point
            self.result.point = replace(point, step=octaves[number].steps, dead=(*point.dead, number))
            return True
        last = self.climb(found, progress)
        self.save(self.point)
        picture = partial(np.asarray, self.point.canvas)
        self.on_event(Stepped(progress, octaves[number].shape, found.score, found.scores, picture, last))
        return last

    def climb(self, found: Evaluation, progress: Progress) -> bool:
        """Replace the state by the one after a step; return whether the octave is over."""
        point = self.point
        scores = *point.scores, found.score
        means = tuple(found.scores.values())
        last = progress.step + 1 == progress.steps or self.is_over(scores[-1 - progress.step :])
        with self.result.timed("ascent"):
            now = CanvasState(point.state, point.memory, point.canvas)
            after = self.canvas.step(now, found.gradient, progress, found.window)
        self.result.point = replace(
            point,
            step=progress.steps if last else progress.step + 1,
            canvas=after.canvas,
            state=after.state,
            memory=after.memory,
            scores=scores,
            means=(point.means[0] if point.means and progress.step else means, means),
            attribution=attribution.added(point.attribution, found.attribution),
        )
        return last

    def seen(self, progress: Progress, look: Callable[..., Seen]) -> Seen:
        """Return what the evaluator sees at the picture. If memory runs out, the views are smaller from now on."""
        while True:
            views = self.point.views
            present = self.plan.with_views(views) if views else self.plan
            try:
                return look(self.point.canvas, present, progress, self.canvas)
            except MemoryRanOutError:
                self.result.point = replace(self.point, views=present.smaller().cutting.size)

    @property
    def point(self) -> AscentState:
        """The current state of an octave that has been started."""
        assert self.result.point is not None
        return self.result.point


def _notes_of(decoding: Decoding | None) -> tuple[str, ...]:
    """Return what the user should hear about a parametrization."""
    return () if decoding is None else decoding.notes


def _of_priors(ascent: _Ascent, projections: Sequence[PartSpec]) -> Iterator[str]:
    """Yield what the user should hear about the priors, at the end of an ascent."""
    point, plan = ascent.result.point, ascent.plan
    if point is None or point.means is None or point.octave in point.dead:
        return
    first, last = (_progress(plan, point.octave, step) for step in (0, plan.octave_steps[point.octave] - 1))
    factors = ascent.evaluator.parts.factors(point.units[-1]) if point.units else None

    def again() -> tuple[float, ...]:
        return tuple(ascent.seen(first, partial(ascent.evaluator.evaluate, factors=factors)).scores.values())

    yield from remarks.of_priors(ascent.evaluator, projections, point.means, last, factors, again)


def _progress(plan: Plan, octave: int, step: int) -> Progress:
    """Return where a run is at a step of an octave."""
    before, steps = sum(plan.octave_steps[:octave]), plan.octave_steps[octave]
    return Progress(octave, len(plan.octave_steps), step, steps, before + step, plan.steps)


def _picture(point: AscentState, plan: Plan, canvas: Canvas, shape: tuple[int, ...]) -> np.ndarray:
    """Return the dream at the source's size."""
    if len(point.dead) == len(plan.octaves):
        raise NoResponseError(
            "the gradient is zero in every octave: the selected layer or channel does not respond to this picture; try "
            "another layer or channel, or another picture (a photo, noise)"
        )
    picture = np.array(point.canvas)
    return picture if picture.shape == shape else canvas.upscale((shape[0], shape[1]), picture)


def _check(found: Evaluation, progress: Progress, step: GradientStep) -> None:
    """Raise DreamError if the score or gradient is not finite, naming the part responsible."""
    if np.isfinite(found.score) and np.isfinite(found.magnitude):
        return
    where = f"octave {progress.octave + 1}, step {progress.step + 1}"
    ill = [label for label in found.scores if not np.isfinite(found.scores[label])]
    what = "the score is not finite" if ill else "the gradient is not finite, though the scores are,"
    named = "; ".join(f"{label} = {found.scores[label]:g} ({step.origin(label)})" for label in ill or found.scores)
    raise DreamError(f"{what} at {where}: {named}; try a smaller rate or weight")
