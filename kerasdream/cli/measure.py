"""What ``kerasdream tune`` measures, in a process of its own: the memory a step takes, and its time by size of views.

Everything takes the road of a run: the step is a ``Session``'s, with the default priors and transforms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasdream import _memory as memory
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.config.sections import DEFAULT_LAYERS
from kerasdream.errors import ConfigError, DreamError, MemoryRanOutError
from kerasdream.models.tables import layers as rows
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.plan import Plan
from kerasdream.plan.tiling import BATCH_PIXELS
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.dreaming.step import GradientStep

SIDES = (256, 384, 512, 640, 768, 1024)
"""Sides of views that are tried, where they fit into memory, beside the largest one that does."""

VIEW = 512
"""Side of the view whose memory is measured, or a little less."""

WARM = 96
"""Side of the picture that is evaluated before, for what is needed once: the trace, the network's constants."""


class Timing(NamedTuple):
    """One size of views: how many a step has, the area computed over the picture's, nanoseconds a pixel of picture."""

    size: int
    views: int
    computed: float
    nanoseconds: float


class Measured(NamedTuple):
    """What was found for one network.

    Attributes:
        model: the name of the network, by which its rule is kept.
        bytes: that a step takes for each pixel of a view; None where that cannot be measured.
        timings: from the smallest views to the largest.
    """

    model: str
    bytes: int | None
    timings: tuple[Timing, ...]


def dream_of(model: str, layers: Sequence[str] = (), plugins: Sequence[Path] = ()) -> RunConfig:
    """Returns the run that is measured: a network, its layers, every other part as by default.

    Built-in networks have random weights, so that nothing is downloaded: a step takes as long with them.

    Args:
        model: a registered name, or a file that Keras saved.
        layers: by default those that are dreamed by default, else the deepest of stride 16.

    Raises:
        ConfigError: there is no such network, it has no such layers, or they must be named.
    """
    from kerasdream.plugins.manager import discover

    described: dict[str, Any] = {"name": model}
    if Path(model).suffix in (".keras", ".h5"):
        described = {"file": model, "input_range": [-1, 1]}
    else:
        known = discover(plugins).registry.entries["models"].get(model)
        if known is not None and known.plugin == "kerasdream":
            described["weights"] = None
        layers = layers or DEFAULT_LAYERS.get(model) or [row.name for row in rows(model) or () if row.stride == 16][-1:]
    data = {"model": described, "image": "noise"}
    if layers:
        data["objectives"] = [{"l2": {"layer": layer}} for layer in layers]
    try:
        return resolve(YamlDocument(data, "kerasdream tune"), Path.cwd(), plugins=plugins)
    except ConfigError as error:
        if layers or ("objectives",) not in [problem.path for problem in error.problems]:
            raise
        raise ConfigError(f"which layers of {model} will you dream? Name them: --layers NAME,NAME") from None


def measure(
    model: str,
    layers: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    *,
    budget: int,
    side: int = 1024,
    rounds: int = 5,
) -> Measured:
    """Measures a network on this machine. Memory is right only in a fresh process.

    Args:
        model, layers, plugins: see ``dream_of``.
        budget: bytes for the views under way.
        side: of the picture that is timed, in pixels.
        rounds: how often each size of views is timed, after a warm-up, taking turns.

    Raises:
        DreamError: memory ran out even for the smallest views.
    """
    from kerasdream.session.session import Session

    session = Session(dream_of(model, layers, plugins))
    step, name = session.step, session.network.name
    measured = bytes_per_pixel(step)
    sides = candidates(budget, measured or tuning.shipped_bytes(name))
    return Measured(name, measured, tuple(timings(step, sides, side, rounds)))


def bytes_per_pixel(step: GradientStep) -> int | None:
    """Returns by how much the process grows at most while it evaluates one view, for each of the view's pixels."""
    plans = (_plan(step, side, 2 * VIEW) for side in range(VIEW, WARM, -8))
    plan = next(plan for plan in plans if plan.octaves[0].layout.views == 1)
    step.evaluate(_noise(WARM), _plan(step, WARM, 2 * VIEW), Progress())
    picture = _noise(plan.sizes[0][0])
    base = memory.resident()
    if base is None or not memory.reset_peak():
        return None
    for number in range(2):
        step.evaluate(picture, plan, Progress(step=number, run_step=number))
    peak = memory.peak()
    assert peak is not None
    return max(1, round((peak - base) / plan.octaves[0].layout.area))


def candidates(budget: int, per_pixel: int, sides: Sequence[int] = SIDES) -> list[int]:
    """Returns the sides of views that fit into a budget of bytes, the largest of all included; ascending."""
    largest = tuning.largest_side(budget, per_pixel)
    return sorted({largest, *(side for side in sides if side < largest)})


def timings(step: GradientStep, sides: Sequence[int], side: int, rounds: int) -> list[Timing]:
    """Times steps on one picture with views of each size, which take turns.

    Sizes that cut this picture alike are timed once, as the smallest of them; those for which memory runs out are left
    out.
    """
    picture = _noise(side)
    plans: dict[object, Plan] = {}
    for size in sorted(sides):
        plan = _plan(step, side, size)
        plans.setdefault((plan.octaves[0].layout, min(size**2, BATCH_PIXELS)), plan)
    seconds: dict[int, list[float]] = {plan.cutting.size: [] for plan in plans.values()}
    for number in range(rounds + 1):  # the first is not counted: oneDNN makes its kernels for each shape of views
        for plan in plans.values():
            if plan.cutting.size not in seconds:
                continue
            began = time.perf_counter()
            try:
                step.evaluate(picture, plan, Progress(step=number, run_step=number))
            except MemoryRanOutError:
                del seconds[plan.cutting.size]
            else:
                seconds[plan.cutting.size].append(time.perf_counter() - began)
    if not seconds:
        raise DreamError("memory ran out even for the smallest views; close other programs and tune again")
    return [
        Timing(plan.cutting.size, layout.views, layout.area / side**2, 1e9 * median(taken[1:]) / side**2)
        for plan in plans.values()
        for layout in [plan.octaves[0].layout]
        if (taken := seconds.get(plan.cutting.size))
    ]


def _plan(step: GradientStep, side: int, size: int) -> Plan:
    """One step on a square picture, with views of at most ``size²`` pixels."""
    return Plan(((side, side),), (1,), step.cutting, step.seed).with_views(size)


def _noise(side: int) -> np.ndarray:
    """Grey with noise, ``(side, side, 3)`` float32: a step takes as long on it as on any picture."""
    import numpy as np

    return np.random.default_rng(0).normal(0, 0.1, (side, side, 3)).clip(-1, 1).astype("float32")
