"""From what tiling must know about a network and the parts of a step to the rules by which pictures are cut."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple

from kerasdream.errors import ConfigError
from kerasdream.plan.tiling import Cutting, Lattice

HALO = 5
"""Pixels of context at a cut for ``halo: auto``. ``kerasdream.engine.seams`` corrects for what is missing beyond."""


class Geometry(NamedTuple):
    """What tiling must know about the selected layers of a network.

    Attributes:
        lattice: sizes of views that suit the layers.
        field: pixels one position of them sees; None if it sees everything (global pooling, attention).
    """

    lattice: Lattice
    field: int | None


class Border(NamedTuple):
    """Extra pixels that transforms and energies need around each tile.

    Attributes:
        margin: pixels at the border of a view that transforms spoil.
        radius: pixels that an energy looks around.
        jitter: largest shift of the grid.
        wrap: whether the picture is shifted instead, cyclically.
    """

    margin: int = 0
    radius: int = 0
    jitter: int = 0
    wrap: bool = False

    @classmethod
    def needed_by(cls, transforms: Collection[Any], energies: Collection[Any]) -> Border:
        """Return the border that transforms (``Transform``) and energies (``Energy``) need together."""
        return cls(
            margin=sum(transform.margin for transform in transforms),
            radius=max((energy.radius for energy in energies), default=0),
            jitter=sum(transform.phase for transform in transforms),
            wrap=any(transform.wrap for transform in transforms),
        )


def cutting_for(geometry: Geometry, size: int, halo: int | Literal["auto", "exact"], border: Border) -> Cutting:
    """Return the rules of cutting for a network and a run's settings.

    Args:
        size: a view has at most ``size²`` pixels.
        halo: pixels of context around each tile; ``auto``: enough for an even gradient; ``exact``: all that the network
            sees, so that the gradient is that of the whole picture up to rounding (about ten times the cost).

    Raises:
        ConfigError: ``exact`` with layers that see everything, or with transforms that spoil a margin.
    """
    lattice, field = geometry
    if halo == "exact":
        if field is None:
            raise ConfigError("halo: exact is impossible behind global pooling or attention, where every pixel matters")
        if border.margin:
            raise ConfigError("halo: exact is impossible with transforms that change the border of a view")
        return Cutting(lattice, size, halo=field, border=0, field=field, exact=True)
    outer = border.margin if halo == "auto" else border.margin + halo
    inner = border.margin + (HALO if halo == "auto" else halo)
    return Cutting(lattice, size, max(inner, border.radius), outer, border.jitter, field, wrap=border.wrap)
