"""Whole dreams: the gradient call's share of the octave loop's time, from the run's own timings."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.cases import picture

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def demo(steps: int | None) -> dict[str, float]:
    """Dream the run file of ``make demo``; return its timings in seconds.

    Args:
        steps: in each octave; None: as in the file.
    """
    import kerasdream
    from kerasdream.config.resolve import load

    config = load(CONFIG, [] if steps is None else [f"octaves.steps={steps}"])
    with tempfile.TemporaryDirectory() as folder:
        return _plain(kerasdream.run(config, folder=folder).timings)


def one_octave(shape: tuple[int, int], steps: int) -> dict[str, float]:
    """Dream a large picture at its full size only, with the default network; return the timings in seconds."""
    import kerasdream

    result = kerasdream.dream(
        picture(shape), objectives={"l2": "block11_expand"}, octaves={"count": 1, "steps": steps}, max_side=None
    )
    return _plain(result.timings)


def _plain(timings: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(seconds), 4) for name, seconds in timings.items()}
