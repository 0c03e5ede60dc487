"""The contestants take turns on one picture in one process, a, b, c, a, b, c, so that the machine is equally busy."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.cases import build, picture
from benchmarks.contestants import make


def speed(
    network: str, sizes: Sequence[tuple[int, int]], names: Sequence[str], seconds: float, rounds: tuple[int, int]
) -> list[dict[str, Any]]:
    """Measure one network.

    Args:
        sizes: (height, width) of the pictures.
        names: the contestants.
        seconds: about how long to spend on each size after the warm-up.
        rounds: fewest and most steps of each contestant at each size.

    Returns:
        For each size and contestant the seconds of each step, without the warm-up, and the pixels a step covers.
    """
    case = build(network)
    contestants = {name: make(name, case) for name in names}
    rows = []
    for shape in sizes:
        pictures = {name: contestant.start(picture(shape)) for name, contestant in contestants.items()}
        times: dict[str, list[float]] = {name: [] for name in names}
        spent, done = 0.0, -1
        while done < rounds[0] or (done < rounds[1] and spent < seconds):
            for name, contestant in contestants.items():
                began = time.perf_counter()
                pictures[name] = contestant.wait(pictures[name])
                times[name].append(time.perf_counter() - began)
            done += 1
            spent += sum(taken[-1] for taken in times.values()) if done else 0.0
        for name, contestant in contestants.items():
            row = {"size": list(shape), "contestant": name, "covered": contestant.covered(shape)}
            rows.append({**row, "seconds": [round(t, 4) for t in times[name][1:]]})
        print(f"  {shape[0]}×{shape[1]}: {done} steps each", file=sys.stderr, flush=True)
    return rows
