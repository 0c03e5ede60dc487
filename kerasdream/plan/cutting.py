"""The rules by which pictures are cut into tiles, from a network's geometry and a run's settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from kerasdream.errors import ConfigError
from kerasdream.plan.tiling import Cutting, Lattice

HALO = 5
"""Pixels of context at a cut for ``halo: auto``. ``kerasdream.engine.seams`` corrects for what lies beyond."""


class Geometry(NamedTuple):
    """What tiling must know about the selected layers of a network.

    Attributes:
        lattice: sizes of views at which no layer drops a pixel.
        field: receptive field of one position in pixels; None where it is unbounded (global pooling, attention).
    """

    lattice: Lattice
    field: int | None


class _Transform(Protocol):
    @property
    def margin(self) -> int: ...
    @property
    def phase(self) -> int: ...
    @property
    def wrap(self) -> bool: ...


class _Energy(Protocol):
    @property
    def radius(self) -> int: ...


class Border(NamedTuple):
    """The extra pixels that a run's transforms and energies need around each tile.

    Attributes:
        margin: pixels at the border of a view that transforms spoil.
        radius: distance in pixels up to which energies look.
        jitter: largest shift of the grid.
        wrap: whether the picture is shifted instead of the grid, cyclically.
    """

    margin: int = 0
    radius: int = 0
    jitter: int = 0
    wrap: bool = False

    @classmethod
    def needed_by(cls, transforms: Iterable[_Transform], energies: Iterable[_Energy]) -> Border:
        """Return the border that these transforms and energies need together."""
        transforms = list(transforms)
        return cls(
            margin=sum(transform.margin for transform in transforms),
            radius=max((energy.radius for energy in energies), default=0),
            jitter=sum(transform.phase for transform in transforms),
            wrap=any(transform.wrap for transform in transforms),
        )


def cutting_for(geometry: Geometry, size: int, halo: int | Literal["auto", "exact"], border: Border) -> Cutting:
    """Return the rules of cutting for a network and a run's settings.

    Args:
        geometry: that of the layers the objectives look at.
        size: a view has at most ``size²`` pixels.
        halo: pixels of context around each tile; ``auto``: enough for an even gradient; ``exact``: the whole receptive
            field, so that the gradient equals that of the whole picture to rounding (about ten times the cost).
        border: what transforms and energies need.

    Raises:
        ConfigError: ``exact`` for layers with an unbounded field, or with transforms that spoil a margin.
    """
    lattice, field = geometry
    if halo == "exact":
        if field is None:
            raise ConfigError("halo: exact is impossible behind global pooling or attention, where every pixel matters")
        if border.margin:
            raise ConfigError("halo: exact is impossible with transforms that change the border of a view")
        return Cutting(lattice, size, halo=field, border=0, field=field, exact=True)
    mirrored = border.margin + (0 if halo == "auto" else halo)
    context = border.margin + (HALO if halo == "auto" else halo)
    return Cutting(lattice, size, max(context, border.radius), mirrored, border.jitter, field, wrap=border.wrap)
