"""From the measurements of ``speed`` and ``alone`` to the quoted numbers. Pure functions on plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, geometric_mean, median
from typing import Any

OURS = "kerasdream"
SMALLEST = 512 * 512
"""Smallest size, in pixels, that counts in means and in the flatness."""

Size = tuple[int, int]
Rows = Sequence[Mapping[str, Any]]


def size_of(row: Mapping[str, Any]) -> Size:
    """(height, width) of a measurement."""
    return tuple(row["size"])


def pixels(size: Sequence[int]) -> int:
    """Pixels of a (height, width)."""
    return size[0] * size[1]


def costs(speed: Rows) -> dict[Size, dict[str, float]]:
    """Size -> contestant -> nanoseconds per covered pixel and step, the median of its steps."""
    table: dict[Size, dict[str, float]] = {}
    for row in speed:
        table.setdefault(size_of(row), {})[row["contestant"]] = 1e9 * median(row["seconds"]) / row["covered"]
    return table


def ratios(speed: Rows) -> dict[str, dict[Size, float]]:
    """Contestant -> size -> its time per covered pixel as a multiple of kerasdream's."""
    table: dict[str, dict[Size, float]] = {}
    for size, row in costs(speed).items():
        for name in (name for name in row if name != OURS and OURS in row):
            table.setdefault(name, {})[size] = row[name] / row[OURS]
    return table


def mean_ratios(speed: Rows) -> dict[str, float]:
    """Contestant -> geometric mean of its ratios over the sizes from 512×512 on."""
    kept = {name: [r for size, r in row.items() if pixels(size) >= SMALLEST] for name, row in ratios(speed).items()}
    return {name: geometric_mean(row) for name, row in kept.items() if row}


def lone_costs(alone: Rows) -> dict[Size, float]:
    """Size -> kerasdream's nanoseconds per pixel and step, alone in its process."""
    ours = [row for row in alone if row["contestant"] == OURS and row.get("seconds")]
    return {size_of(row): 1e9 * median(row["seconds"]) / pixels(row["size"]) for row in ours}


def flatness(alone: Rows) -> dict[Size, float]:
    """Size from 512×512 on -> kerasdream's cost per pixel as a multiple of the mean over these sizes."""
    kept = {size: cost for size, cost in lone_costs(alone).items() if pixels(size) >= SMALLEST}
    return {size: cost / fmean(kept.values()) for size, cost in kept.items()}


def peaks(alone: Rows) -> dict[Size, dict[str, int]]:
    """Size -> contestant -> peak memory in bytes above the process with the network built."""
    table: dict[Size, dict[str, int]] = {}
    for row in alone:
        if row.get("peak_bytes"):
            table.setdefault(size_of(row), {})[row["contestant"]] = row["peak_bytes"]
    return table


def growth(alone: Rows, smallest: int = 0) -> dict[tuple[Size, Size], float]:
    """(size, larger size) -> bytes of peak memory that kerasdream takes for each additional pixel.

    From each size to the next, and from the first to the last; of pictures of at least ``smallest`` pixels.
    """
    ours = [(size, row[OURS]) for size, row in peaks(alone).items() if OURS in row and pixels(size) >= smallest]
    ours.sort(key=lambda item: pixels(item[0]))
    pairs = [*pairwise(ours), *([(ours[0], ours[-1])] if len(ours) > 1 else [])]
    return {(a, b): (more - less) / (pixels(b) - pixels(a)) for (a, less), (b, more) in pairs}


def first_steps(alone: Rows) -> dict[str, dict[str, float]]:
    """Contestant -> ``build_s`` and ``first_s``: medians over the processes with the largest first picture."""
    rows = [row for row in alone if "first_s" in row]
    largest = max((pixels(row["first_size"]) for row in rows), default=0)
    rows = [row for row in rows if pixels(row["first_size"]) == largest]
    names = dict.fromkeys(row["contestant"] for row in rows)
    return {
        name: {key: median(row[key] for row in rows if row["contestant"] == name) for key in ("build_s", "first_s")}
        for name in names
    }


def share(timings: Mapping[str, float]) -> float:
    """The gradient call's share of the octave loop's time after the first step."""
    first = timings["first_step"]
    return (timings["gradient"] - first) / (timings["dream"] - first)


def floor(flop_per_pixel: float, flop_per_second: float) -> float:
    """Nanoseconds per pixel that the gradient would take at the speed of the machine's fastest convolution."""
    return 1e9 * flop_per_pixel / flop_per_second
