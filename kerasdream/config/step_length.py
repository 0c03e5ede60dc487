"""Ascent rules that say nothing about the length of a step: known before a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kerasdream.config.sections import RATE
from kerasdream.plugins.registry import BUILT_IN
from kerasdream.plugins.spec import PartSpec

ADD_RATE = f"add - rate: {RATE} at its end"

SIZED = ("normalize", "laplacian_normalize", "adam", "nadam", "sign")
"""Built-in ascent rules after which a typical pixel moves by about 1, whatever the gradient."""

LENGTHS = ("rate", "clip")
"""Built-in ascent rules that set or limit the length of a step."""


def without_length(chain: Sequence[PartSpec]) -> Iterator[str]:
    """Yield a sentence if no rule sets the length of a step; only built-in rules are judged."""
    names = [rule.name for rule in chain]
    if any(name in LENGTHS for name in names) or any(rule.plugin != BUILT_IN for rule in chain):
        return
    if any(name in SIZED for name in names):
        yield f"ascent has no rate: a step moves pixels from one end of the range to the other; {ADD_RATE}"
    else:
        bare = "a step is as long as the bare gradient, often far below a level"
        yield f"ascent has neither normalize nor rate: {bare}; add - normalize and - rate: {RATE}"
