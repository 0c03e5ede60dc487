"""The octave loop: from coarse to fine, the dreamed detail carried over the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from kerasdream.dreaming.canvas import CanvasState, make_canvas
from kerasdream.errors import DreamError, MemoryRanOutError, NoResponseError
from kerasdream.events import Stepped
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.dreaming.canvas import Canvas, SheetCanvas
    from kerasdream.dreaming.step import Evaluation, GradientStep
    from kerasdream.plan.plan import Plan


TIMINGS = ("first_step", "dream", "gradient", "ascent", "resize")
"""What is timed: see ``kerasdream.Result``."""


@dataclass(frozen=True)
class AscentState:
    """Where an ascent stands between two steps: all it needs to go on with the same bits. Its arrays never change.

    Attributes:
        octave, step: the step to come, from 0; behind an octave's last step, ``step`` is the number of steps planned.
        canvas: ``(height, width, 3)`` float32 in [-1, 1] at the octave's size, array or tensor.
        state, memory: see ``kerasdream.dreaming.canvas.CanvasState``.
        scores: the weighted score before each step.
        dead: the octaves that were left because no objective had a slope at their first step. Later on that may be a
            unit that cannot respond any stronger, or one step's transforms: then the ascent goes on.
        views: the side of the largest views, where memory ran out for the plan's; from then on they are smaller.
    """

    octave: int
    step: int
    canvas: Any
    state: Any
    memory: list[Any] | None = None
    scores: tuple[float, ...] = ()
    dead: tuple[int, ...] = ()
    views: int | None = None


@dataclass
class AscentResult:
    """What an ascent has come to: the point where it ended, and the dream at the source's size."""

    point: AscentState | None = None
    picture: np.ndarray | None = None
    timings: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMINGS, 0.0))
    interrupted: bool = False

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Adds what its block takes to a timing."""
        began = time.perf_counter()
        yield
        self.timings[name] += time.perf_counter() - began

    @property
    def scores(self) -> tuple[float, ...]:
        """The weighted score before each step."""
        return self.point.scores if self.point else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should hear."""
        if self.point is None:
            return ()
        dead = [f"octave {i + 1} was left early: nothing in it excites what is asked for" for i in self.point.dead]
        views = self.point.views
        ran_out = f"memory ran out: from then on the network saw at most {views}×{views} pixels at once"
        return (*dead, *([ran_out] if views else []))


def ascend(
    source: np.ndarray,
    plan: Plan,
    step: GradientStep,
    *,
    parametrization: PartSpec,
    chain: Sequence[PartSpec],
    projections: Sequence[PartSpec] = (),
    detail: bool = True,
    is_over: Callable[[Sequence[float]], bool] = lambda scores: False,
    start: AscentState | None = None,
    save: Callable[[AscentState], None] = lambda point: None,
    on_event: Callable[[Stepped], None] = lambda event: None,
) -> AscentResult:
    """Dreams one picture, or several on one sheet.

    The order of a step: gradient of objectives and energies with respect to the picture, pulled back through the
    parametrization, through the ascent chain, added; clipped; projected; clipped (``kerasdream.dreaming.canvas``).

    Args:
        source: ``(height, width, 3)``: uint8 levels or float32 in [-1, 1]. It is not changed.
        chain: ascent rules, applied in order.
        detail: at each octave go on from the source at that size plus the enlarged dreamed detail, so that the source's
            own detail is never blurred; otherwise from the enlarged dream.
        is_over: is asked after every step, given the scores of the octave's steps, whether to leave it early.
        start: the point to go on from, if the same ascent has come so far before.
        save: is handed the point after every step.

    Returns:
        The dream at the source's size. Ctrl-C ends it early, with the last finished step.

    Raises:
        DreamError: the gradient is not finite.
        NoResponseError: it is exactly zero in every octave.
    """
    import numpy as np

    from kerasdream.engine.chain import Chain
    from kerasdream.engine.decoding import Decoding

    ascent = AscentResult(start)
    form = parametrization.make()
    decoding = None if form.decode is None else Decoding(form.decode, parametrization.origin)
    canvas = make_canvas(source, plan.panels, form.init, decoding, Chain(chain, decoding), projections, detail)
    started = time.perf_counter()
    try:
        for number, octave in enumerate(plan.octaves):
            point = ascent.point  # whole and replaced as one: Ctrl-C may come at any time
            if point is None or point.octave < number:
                with ascent.timed("resize"):
                    ascent.point = point = _octave_start(canvas, number, point, plan)
            before = sum(octave.steps for octave in plan.octaves[:number])
            for index in range(point.step if point.octave == number else octave.steps, octave.steps):
                progress = Progress(number, len(plan.octaves), index, octave.steps, before + index, plan.steps)
                with ascent.timed("gradient"):
                    slope, views = _slope(step, point, plan, progress, canvas)
                if not ascent.timings["first_step"]:
                    ascent.timings["first_step"] = ascent.timings["gradient"]
                _check(slope, progress, step)
                if not index and (not slope.magnitude or step.is_dead(slope.scores)):
                    ascent.point = replace(point, step=octave.steps, dead=(*point.dead, number), views=views)
                    break
                scored = *point.scores, slope.score
                last = index + 1 == octave.steps or is_over(scored[-1 - index :])
                taken = octave.steps if last else index + 1
                with ascent.timed("ascent"):
                    now = CanvasState(point.state, point.memory, point.canvas)
                    grown = canvas.step(now, slope.gradient, progress, slope.window)
                ascent.point = point = replace(point, step=taken, **grown._asdict(), scores=scored, views=views)
                save(point)
                picture = partial(np.asarray, point.canvas)
                on_event(Stepped(progress, octave.shape, slope.score, slope.scores, picture, last))
                del slope, now, grown, picture  # whole pictures, that need not be there beside the next ones
                if last:
                    break
    except KeyboardInterrupt:
        ascent.interrupted = True
    if ascent.point is not None:
        if len(ascent.point.dead) == len(plan.octaves):
            raise NoResponseError(
                "the gradient is exactly zero in every octave: nothing in the picture excites what is asked for; start "
                "from a photo or from noise, or select another layer or channel"
            )
        ascent.picture = np.array(ascent.point.canvas)
        if ascent.picture.shape != source.shape:
            ascent.picture = canvas.upscale(source.shape[:2], ascent.picture)
    ascent.timings["dream"] = time.perf_counter() - started
    return ascent


def _octave_start(canvas: Canvas | SheetCanvas, number: int, past: AscentState | None, plan: Plan) -> AscentState:
    """Returns the point at which an octave begins, given that at which the one below ended, if there is one."""
    import numpy as np

    begun = canvas.start_octave(
        plan.octaves[number].shape, None if past is None else np.asarray(past.canvas), plan.seed
    )
    at = {"octave": number, "step": 0, **begun._asdict()}
    return AscentState(**at) if past is None else replace(past, **at)


def _slope(
    step: GradientStep, point: AscentState, plan: Plan, progress: Progress, source: Any
) -> tuple[Evaluation, int | None]:
    """Evaluates a step, with smaller views where memory runs out; returns the side of those from then on."""
    views = point.views
    while True:
        present = plan.with_views(views) if views else plan
        try:
            return step.evaluate(point.canvas, present, progress, source), views
        except MemoryRanOutError:
            views = present.smaller().cutting.size


def _check(slope: Evaluation, progress: Progress, step: GradientStep) -> None:
    """Refuses to go on with numbers that are none, and says whose they are."""
    import numpy as np

    if np.isfinite(slope.score) and np.isfinite(slope.magnitude):
        return
    where = f"octave {progress.octave + 1}, step {progress.step + 1}"
    ill = [label for label in slope.scores if not np.isfinite(slope.scores[label])]
    what = "the score is not finite" if ill else "the gradient is not finite, though the scores are,"
    named = "; ".join(f"{label} = {slope.scores[label]:g} ({step.origin(label)})" for label in ill or slope.scores)
    raise DreamError(f"{what} at {where}: {named}; try a smaller rate or weight")
