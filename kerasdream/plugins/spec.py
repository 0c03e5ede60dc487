"""One validated entry of a run file: a factory, its parameters, and where it stands."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kerasdream.components import MAKES, Objective, Output
from kerasdream.errors import ConfigError, ImageError, KerasdreamError, ModelError, PluginError
from kerasdream.images.masks import Mask
from kerasdream.plugins.attribution import at, where
from kerasdream.plugins.registry import KINDS, PYTHON, RESERVED
from kerasdream.plugins.returns import ContractError, check, check_fields
from kerasdream.plugins.signature import is_weighted
from kerasdream.schedules import Progress, is_schedule

FUNCTIONS = "log_p", "apply", "init", "decode", "update", "open", "preprocess"
"""The fields of parts that are functions of a plugin."""


@dataclass(frozen=True)
class PartSpec:
    """A part of a run, not made yet.

    Attributes:
        kind, name, plugin: its registration.
        factory: the registered function, or None if a finished object was given from Python.
        values: parameters; numbers that change are schedules.
        plain: the same as plain data, for the recipe.
        path: the place in the run file, ``("objectives", 0, "l2")``.
        place: that place as ``file:line:column``; "" where there is no run file.
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
        """Wraps an object given from Python."""
        name = getattr(made, "name", None) or type(made).__name__.lower()
        return cls(kind, name, None, PYTHON, {}, {}, (), made)

    @property
    def recipe(self) -> dict[str, Any]:
        """The entry as it stands in a recipe; of an object given from Python, only that it was there."""
        return {self.name: dict(self.plain)} if self.factory else {PYTHON: self.name}

    @property
    def weight(self) -> Any:
        """The reserved parameter ``weight``: a number or a schedule."""
        return self.values.get("weight", 1.0)

    @property
    def mask(self) -> Mask | None:
        """The reserved parameter ``mask``: where in the picture the part counts."""
        return self.values.get("mask")

    @property
    def files(self) -> Iterator[Path]:
        """The files that the part is made from."""
        for value in self.values.values():
            path = value.path if isinstance(value, Mask) else value
            if isinstance(path, Path):
                yield path

    @property
    def schedules(self) -> dict[str, Any]:
        """The parameters that change, the weight included."""
        return {name: value for name, value in self.values.items() if is_schedule(value)}

    def values_at(self, progress: Progress) -> dict[str, float]:
        """Returns the present values of the parameters that change."""
        return {name: schedule.value_at(progress) for name, schedule in self.schedules.items()}

    def make(self, present: Mapping[str, Any] | None = None) -> Any:
        """Calls the factory.

        Args:
            present: values for the parameters that change; by default those at the start of the run.

        What the functions of the finished part raise later is laid at the plugin's door too.

        Raises:
            PluginError: the factory failed, or made something else.
        """
        if self.factory is None:
            return self.made
        values = {**self.values, **self.values_at(Progress()), **(present or {})}
        if is_weighted(self.factory):
            values = {name: value for name, value in values.items() if name not in RESERVED}
        with self.attributed():
            made = self.factory(**values)
            if not isinstance(made, MAKES[self.kind]):
                kinds = " or ".join(kind.__name__ for kind in MAKES[self.kind])
                raise ContractError(
                    f"returned {'nothing' if made is None else f'a {type(made).__name__}'}; expected {kinds}"
                )
            if present is None:  # in a trace, numbers may be tensors
                check_fields(made)
        if isinstance(made, Objective):
            return made.mapped(lambda function: self._guarded(made, "fn", function))
        functions = {name: getattr(made, name) for name in FUNCTIONS if callable(getattr(made, name, None))}
        return replace(made, **{name: self._guarded(made, name, value) for name, value in functions.items()})

    @contextmanager
    def attributed(self) -> Iterator[None]:
        """Turns whatever goes wrong inside into a fault of this entry's plugin, with the line in its file.

        What the part itself says about its parameters is a fault of the run file, and gets the line there.
        """
        try:
            yield
        except (ConfigError, ImageError, ModelError) as error:
            raise type(error)(self.located(str(error))) from error
        except KerasdreamError:
            raise
        except ContractError as error:
            raise PluginError(f"{self.origin} {error}") from error
        except Exception as error:
            file = where(self.factory).rpartition(":")[0] if self.factory else None
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
            place = f" in line {lines[-1]}" if lines else ""
            reason = str(error).strip().partition("\n")[0]
            raise PluginError(f"{self.origin} failed{place}: {type(error).__name__}: {reason}") from error

    def located(self, fault: str) -> str:
        """A fault with the place of this entry in the run file in front of it."""
        places = [self.place, ".".join(map(str, self.path))]
        return ": ".join([*filter(None, places), fault])

    @property
    def origin(self) -> str:
        """The entry as the subject of a fault: its place in the run file, its plugin, its factory's file and line."""
        place = f"{'.'.join(map(str, self.path))}: " if self.path else ""
        if not self.factory:
            return f"{place}the {KINDS[self.kind]} {self.name!r} given from Python"
        return f"{place}the {KINDS[self.kind]} {self.name!r} of plugin {self.plugin!r}{at(where(self.factory))}"

    def _guarded(self, part: Any, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with self.attributed():
                result = function(*arguments)
                check(part, name, result, arguments)
            return _Opened(self, result) if isinstance(part, Output) else result

        return call


@dataclass(frozen=True)
class _Opened(AbstractContextManager[Callable[..., None]]):
    """An output that is open: a fault in closing it is its plugin's too."""

    entry: PartSpec
    manager: AbstractContextManager[Callable[..., None]]

    def __enter__(self) -> Callable[..., None]:
        return self.manager.__enter__()

    def __exit__(self, *fault: Any) -> bool | None:
        with self.entry.attributed():
            return self.manager.__exit__(*fault)
