"""One validated entry of a run file: a part's name, parameters and place, and how to make the part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kerasdream.components import Projection
from kerasdream.errors import ConfigError
from kerasdream.images.masks import Mask
from kerasdream.plugins.attribution import at, where
from kerasdream.plugins.guard import Guard
from kerasdream.plugins.registry import KINDS, PYTHON, RESERVED
from kerasdream.plugins.returns import as_part, check_fields
from kerasdream.plugins.signature import is_weighted
from kerasdream.schedules import Progress, is_schedule


@dataclass(frozen=True)
class PartSpec:
    """A part of a run, not made yet.

    Attributes:
        kind, name, plugin: its registration.
        factory: the registered function, or None if a finished object was given from Python.
        values: parameters; numbers that change are schedules.
        plain: the same as plain data, for the recipe.
        path: its place in the run file, ``("objectives", 0, "l2")``.
        place: that place as ``file:line:column``; "" without a run file.
        made: the finished object, if one was given.
    """

    kind: str
    name: str
    factory: Callable[..., Any] | None
    plugin: str
    values: Mapping[str, Any]
    plain: Mapping[str, Any]
    path: tuple[str | int, ...]
    made: Any = field(default=None, repr=False)
    place: str = field(default="", compare=False)

    @classmethod
    def of(cls, kind: str, made: Any) -> PartSpec:
        """Wrap an object given from Python."""
        name = getattr(made, "name", None) or type(made).__name__.lower()
        return cls(kind, name, None, PYTHON, {}, {}, (), made)

    def changed(self, values: Mapping[str, Any], plain: Mapping[str, Any]) -> PartSpec:
        """Return the entry with some parameters replaced, in its values and in its recipe."""
        return replace(self, values={**self.values, **values}, plain={**self.plain, **plain})

    @property
    def recipe(self) -> dict[str, Any]:
        """The entry for the recipe; for an object given from Python, only its name."""
        return {self.name: dict(self.plain)} if self.factory else {PYTHON: self.name}

    @property
    def weight(self) -> Any:
        """The reserved parameter ``weight``: a number or a schedule."""
        return self.values.get("weight", 1.0)

    @property
    def mask(self) -> Mask | None:
        """The reserved parameter ``mask``: where in the picture the part counts."""
        value = self.values.get("mask")
        return value if isinstance(value, Mask) else None

    @property
    def scale(self) -> str:
        """The reserved parameter ``scale`` of an energy: the unit of its weight, ``gradient`` or ``absolute``."""
        return str(self.values.get("scale", "gradient"))

    @property
    def files(self) -> Iterator[Path]:
        """The files the part reads."""
        for value in self.values.values():
            several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
            for each in several:
                path = each.path if isinstance(each, Mask) else each
                if isinstance(path, PartSpec):
                    yield from path.files
                elif isinstance(path, Path):
                    yield path

    @property
    def schedules(self) -> dict[str, Any]:
        """The parameters that change, the weight included."""
        return {name: value for name, value in self.values.items() if is_schedule(value)}

    def values_at(self, progress: Progress) -> dict[str, float]:
        """Return the current values of the parameters that change."""
        return {name: schedule.value_at(progress) for name, schedule in self.schedules.items()}

    def make(self, present: Mapping[str, Any] | None = None) -> Any:
        """Call the factory, and guard the functions of the part it returns.

        Args:
            present: values for the parameters that change; by default those at the start of the run.

        Raises:
            PluginError: the factory failed or returned something else.
            ConfigError: the factory rejects its parameters.
        """
        if self.factory is None:
            return self.made
        values = {**self.values, **self.values_at(Progress()), **(present or {})}
        if is_weighted(self.kind, self.factory):
            values = {name: value for name, value in values.items() if name not in RESERVED[self.kind]}
        guard = Guard(self.origin, self.located, self.factory)
        with guard.attributed():
            part = as_part(self.kind, self.factory(**values))
            if present is None:  # in a trace, numbers may be tensors
                check_fields(part)
            if isinstance(part, Projection) and (self.weight, self.mask, self.scale) != (1.0, None, "gradient"):
                raise ConfigError("a projection has no weight, mask or scale; remove what is set")
        return guard.guarded(part)

    def attributed(self) -> AbstractContextManager[None]:
        """Turn any exception inside into an error of this entry's plugin; see ``Guard.attributed``."""
        return Guard(self.origin, self.located, self.factory).attributed()

    def located(self, message: str) -> str:
        """Return a message with this entry's place in the run file in front of it."""
        places = [self.place, ".".join(map(str, self.path))]
        return ": ".join([*filter(None, places), message])

    @property
    def origin(self) -> str:
        """The entry as the subject of an error: its place in the run file, its plugin, its factory's file and line."""
        place = f"{'.'.join(map(str, self.path))}: " if self.path else ""
        if not self.factory:
            return f"{place}the {KINDS[self.kind]} {self.name!r} given from Python"
        return f"{place}the {KINDS[self.kind]} {self.name!r} of plugin {self.plugin!r}{at(where(self.factory))}"
