"""What a run gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Result:
    """A dream; of a run of frames, one of them, or the last.

    Attributes:
        image: ``(height, width, 3)`` float32 RGB in [-1, 1].
        scores: the weighted score before each step, in order.
        timings: seconds: ``load``, ``dream`` (all steps), of which ``gradient`` in the gradient call, ``first_step`` in
            the first such call (its trace included), ``ascent`` in the ascent rules and projections, ``resize`` for the
            beginnings of octaves; ``total``; none if it was finished already, and ``image`` is read from its file. Of a
            run of frames: those of the last one, but ``total``, which is that of all.
        manifest: the resolved recipe, versions and facts of the run, plain data.
        alpha: the source's alpha channel, ``(height, width)`` float32 in [0, 1], or None.
        name: the source's base name.
        paths: the files written.
        interrupted: whether it was stopped early; ``image`` is then as far as it got.
        peak_memory: the most bytes this process had in memory by the end; None where the system does not tell.
        notes: what the user should hear.
    """

    image: np.ndarray = field(repr=False)
    scores: tuple[float, ...] = field(repr=False)
    timings: Mapping[str, float]
    manifest: Mapping[str, Any] = field(repr=False)
    alpha: np.ndarray | None = field(default=None, repr=False)
    name: str = ""
    paths: tuple[Path, ...] = ()
    interrupted: bool = False
    peak_memory: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def recipe(self) -> str:
        """The manifest as YAML, as it stands inside a finished picture."""
        import yaml

        return yaml.safe_dump(dict(self.manifest), sort_keys=False, allow_unicode=True)

    def to_uint8(self) -> np.ndarray:
        """The picture as ``(height, width, 3)`` uint8, rounded once."""
        from kerasdream.images import to_uint8

        return to_uint8(self.image)
