"""One contestant, one size, in its own process: time to the first step, peak memory, time of a step."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.cases import build, picture
from benchmarks.contestants import make
from kerasdream import _memory as memory

FIRST = 512
"""Longest side of the picture for the first step."""


def alone(network: str, name: str, shape: tuple[int, int], seconds: float, rounds: tuple[int, int]) -> dict[str, Any]:
    """Measure one contestant.

    Args:
        network, name: of the network and of the contestant.
        shape: (height, width) of the picture.
        seconds: about how long to keep stepping.
        rounds: fewest and most steps at that size.

    Returns:
        ``build_s``, building the network; ``first_s``, from then until the first step is done, tracing included, on a
        picture of at most ``FIRST`` a side; ``seconds`` of each later step; ``peak_bytes``, peak memory (the picture
        included) above the process with the network built.
    """
    began = time.perf_counter()
    case = build(network)
    built = time.perf_counter()
    base = memory.resident()
    memory.reset_peak()

    small = min(shape[0], FIRST), min(shape[1], FIRST)
    first_picture, ready = picture(small), time.perf_counter()
    contestant = make(name, case)
    contestant.wait(contestant.start(first_picture))
    first = time.perf_counter() - ready

    del first_picture
    now, times = contestant.start(picture(shape)), []
    while len(times) < rounds[0] or (len(times) < rounds[1] and sum(times) < seconds):
        began_step = time.perf_counter()
        now = contestant.wait(now)
        times.append(time.perf_counter() - began_step)
    peak = memory.peak()
    return {
        "size": list(shape),
        "contestant": name,
        "first_size": list(small),
        "build_s": round(built - began, 3),
        "first_s": round(first, 3),
        "seconds": [round(t, 4) for t in times],
        "peak_bytes": None if peak is None or base is None else peak - base,
    }
