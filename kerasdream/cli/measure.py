"""Measure memory and time per step as a function of tile size, in a separate process (used by ``kerasdream tune``).

The step is that of a run: it comes from a ``Session``, with the default priors and transforms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kerasdream import _memory as memory
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.errors import ConfigError, DreamError, MemoryRanOutError
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.plan import Plan
from kerasdream.plan.tiling import BATCH_PIXELS
from kerasdream.plugins.registry import BUILT_IN
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    from kerasdream.dreaming.step import GradientStep

SIDES = (256, 384, 512, 640, 768, 1024)
"""Tile sizes to time, as far as they fit into memory; the largest size that fits is added."""

VIEW = 512
"""Side of the tile whose memory is measured, rounded down to one that needs a single tile."""

WARM = 96
"""Side of the picture evaluated first, so that one-time allocations (trace, constants) are not counted."""


class Timing(NamedTuple):
    """One tile size: tiles per step, area computed relative to the picture's, nanoseconds per pixel of the picture."""

    size: int
    views: int
    computed: float
    nanoseconds: float


class Measured(NamedTuple):
    """Measurements of one network.

    Attributes:
        model: name of the network, under which its rule is saved.
        bytes: memory of a step per tile pixel; None where that cannot be measured.
        timings: from the smallest tiles to the largest.
    """

    model: str
    bytes: int | None
    timings: tuple[Timing, ...]


def dream_of(model: str, layers: Sequence[str] = (), plugins: Sequence[Path] = ()) -> RunConfig:
    """Return the run to measure: a network, its layers, and defaults for everything else.

    Built-in networks get random weights, so that nothing is downloaded; a step takes just as long.

    Args:
        model: a registered name or a Keras model file.
        layers: layers to dream; by default those of a run file.

    Raises:
        ConfigError: the network or a layer is unknown, or the layers must be named.
    """
    from kerasdream.plugins.manager import discover

    described: dict[str, Any] = {"name": model}
    if Path(model).suffix in (".keras", ".h5"):
        described = {"file": model, "input_range": [-1, 1]}
    else:
        known = discover(plugins).registry.entries["models"].get(model)
        if known is not None and known.plugin == BUILT_IN:
            described["weights"] = None
    data: dict[str, Any] = {"model": described, "image": "noise"}
    if layers:
        data["objectives"] = [{"l2": {"layer": layer}} for layer in layers]
    try:
        return resolve(YamlDocument(data, "kerasdream tune"), Path.cwd(), plugins=plugins)
    except ConfigError as error:
        if layers or ("objectives",) not in [problem.path for problem in error.problems]:
            raise
        raise ConfigError(f"which layers of {model} will you dream with? Name them: --layers NAME,NAME") from None


def measure(
    model: str,
    layers: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    *,
    budget: int,
    side: int = 1024,
    rounds: int = 5,
) -> Measured:
    """Measure a network on this machine. The memory figure is valid only in a fresh process.

    Args:
        model, layers, plugins: see ``dream_of``.
        budget: bytes for the tiles in progress.
        side: side of the picture that is timed, in pixels.
        rounds: how often each tile size is timed, in turns, after a warm-up.

    Raises:
        DreamError: memory ran out even with the smallest tiles.
    """
    from kerasdream.session.session import Session

    session = Session(dream_of(model, layers, plugins))
    step, name = session.step, session.network.name
    measured = bytes_per_pixel(step)
    sides = candidates(budget, measured or tuning.shipped_bytes(name))
    return Measured(name, measured, tuple(timings(step, sides, side, rounds)))


def bytes_per_pixel(step: GradientStep) -> int | None:
    """Return peak memory growth in bytes per tile pixel, or None where it cannot be measured."""
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
    """Return the tile sizes that fit into a budget of bytes, including the largest possible, in ascending order."""
    largest = tuning.largest_side(budget, per_pixel)
    return sorted({largest, *(side for side in sides if side < largest)})


def timings(step: GradientStep, sides: Sequence[int], side: int, rounds: int) -> list[Timing]:
    """Time steps on one picture with each tile size, in turns.

    Of sizes that give the same tiles, only the smallest is timed. Sizes for which memory runs out are left out.
    """
    picture = _noise(side)
    plans: dict[object, Plan] = {}
    for size in sorted(sides):
        plan = _plan(step, side, size)
        plans.setdefault((plan.octaves[0].layout, min(size**2, BATCH_PIXELS)), plan)
    seconds: dict[int, list[float]] = {plan.cutting.size: [] for plan in plans.values()}
    for number in range(rounds + 1):  # the first is a warm-up: oneDNN builds its kernels for each tile shape
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
        raise DreamError("memory ran out even with the smallest tiles; close other programs and tune again")
    return [
        Timing(plan.cutting.size, layout.views, layout.area / side**2, 1e9 * median(taken[1:]) / side**2)
        for plan in plans.values()
        for layout in [plan.octaves[0].layout]
        if (taken := seconds.get(plan.cutting.size))
    ]


def _plan(step: GradientStep, side: int, size: int) -> Plan:
    """Return a plan of one step on a square picture, with tiles of at most ``size²`` pixels."""
    return Plan(((side, side),), (1,), step.cutting, step.seed).with_views(size)


def _noise(side: int) -> np.ndarray:
    """Return grey noise, ``(side, side, 3)`` float32; the time of a step does not depend on the picture."""
    return np.random.default_rng(0).normal(0, 0.1, (side, side, 3)).clip(-1, 1).astype("float32")
