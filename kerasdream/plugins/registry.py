"""The registered parts: kind -> name -> factory, and the plugin it came from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from typing import Any

from kerasdream.components import (
    Energy,
    Network,
    Objective,
    Output,
    Parametrization,
    Postprocess,
    Projection,
    Rule,
    Transform,
)
from kerasdream.errors import PluginError, did_you_mean
from kerasdream.plugins.attribution import at, where

KINDS = {
    "models": "model",
    "objectives": "objective",
    "priors": "prior",
    "parametrizations": "parametrization",
    "transforms": "transform",
    "ascent": "ascent rule",
    "postprocess": "postprocess step",
    "outputs": "output",
}
"""Kind -> what one of them is called. The hook ``register_<kind>`` registers them."""

MAKES: Mapping[str, tuple[type, ...]] = {
    "models": (Network,),
    "objectives": (Objective,),
    "priors": (Energy, Projection),
    "parametrizations": (Parametrization,),
    "transforms": (Transform,),
    "ascent": (Rule,),
    "postprocess": (Postprocess,),
    "outputs": (Output,),
}
"""Kind -> the classes of its parts."""

RESERVED: Mapping[str, tuple[str, ...]] = {"objectives": ("weight", "mask"), "priors": ("weight", "mask", "scale")}
"""Kind -> the parameters that kerasdream adds to every objective, and to every prior that is an energy."""

BUILT_IN = "kerasdream"
"""The plugin of the built-in parts."""

PYTHON = "python"
"""The name in a recipe of a part given as a Python object; no part may have this name."""

SUM = "sum"
"""The name of an entry that sums several objectives; no part may have this name."""


@dataclass(frozen=True)
class Registration:
    """One factory, as registered by a plugin."""

    kind: str
    name: str
    factory: Callable[..., Any]
    plugin: str

    @property
    def help(self) -> str:
        """The factory's docstring."""
        return inspect.getdoc(self.factory) or ""

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.help.partition("\n")[0]

    @property
    def where(self) -> str:
        """``file:line`` of the factory."""
        return where(self.factory)

    def __str__(self) -> str:
        return f"the {KINDS[self.kind]} {self.name!r} of plugin {self.plugin!r}{at(self.where)}"


@dataclass
class Registry:
    """The registered factories of every kind."""

    entries: dict[str, dict[str, Registration]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def add(self, kind: str, plugin: str, factory: Callable[..., Any], name: str | None = None) -> None:
        """Register a factory.

        Raises:
            PluginError: the name is taken or invalid, or the parameters are not keyword-only and annotated.
        """
        factory = _as_function(factory) if isinstance(factory, partial) else factory
        name = name or getattr(factory, "__name__", "")
        if not callable(factory) or not name:
            raise PluginError(
                f"plugin {plugin!r} registers {factory!r} as {KINDS[kind]}; expected a function "
                "(with name=... if it has no name of its own)"
            )
        new = Registration(kind, name, factory, plugin)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", str(name)) or name in (PYTHON, SUM):
            raise PluginError(
                f"{new} needs a name of letters, digits and _ (not python, not sum): register(factory, name=...)"
            )
        taken = self.entries[kind].get(name)
        if taken:
            raise PluginError(
                f"{new} is already registered by plugin {taken.plugin!r}{at(taken.where)}; give it another name: "
                "register(factory, name=...)"
            )
        for parameter in inspect.signature(factory).parameters.values():
            if parameter.kind is not parameter.KEYWORD_ONLY or parameter.annotation is parameter.empty:
                raise PluginError(
                    f"{new}: its parameter {parameter.name!r} must be keyword-only and annotated, as in "
                    f"def {name}(*, {parameter.name}: float = 1.0)"
                )
            if parameter.name in RESERVED.get(kind, ()):
                raise PluginError(
                    f"{new} has a parameter {parameter.name!r}, which kerasdream adds to every {KINDS[kind]}; "
                    "remove or rename it"
                )
        self.entries[kind][name] = new

    def drop(self, plugin: str) -> None:
        """Remove everything that a plugin has registered."""
        for names in self.entries.values():
            for name in [n for n, registration in names.items() if registration.plugin == plugin]:
                del names[name]

    def get(self, kind: str, name: str) -> Registration:
        """Return a registration; raise KeyError with the nearest names if there is none."""
        try:
            return self.entries[kind][name]
        except KeyError:
            raise KeyError(f"unknown {KINDS[kind]} {name!r}; {did_you_mean(name, self.entries[kind])}") from None

    def of(self, kind: str) -> Iterable[Registration]:
        """Return all of one kind."""
        return self.entries[kind].values()

    def __iter__(self) -> Iterator[Registration]:
        for names in self.entries.values():
            yield from names.values()


def _as_function(factory: partial[Any]) -> Callable[..., Any]:
    """Return a partial as a function, of which the name, annotations and docstring can be read."""

    def made(**parameters: Any) -> Any:
        return factory(**parameters)

    update_wrapper(made, factory.func)
    setattr(made, "__signature__", inspect.signature(factory))  # noqa: B010 - what is bound is no parameter, or optional
    return made
