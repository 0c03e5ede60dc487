"""What can stand in a run file: kind -> name -> factory, and which plugin it came from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kerasdream.errors import PluginError, did_you_mean

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
"""Kind -> what one of them is called. Hook ``register_<kind>`` fills it."""


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


@dataclass
class Registry:
    """The registered factories of every kind."""

    entries: dict[str, dict[str, Registration]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def add(self, kind: str, plugin: str, factory: Callable[..., Any], name: str | None = None) -> None:
        """Registers a factory.

        Raises:
            PluginError: the name is taken, or the signature is not keyword-only and annotated.
        """
        name = name or factory.__name__
        taken = self.entries[kind].get(name)
        if taken:
            raise PluginError(
                f"the {KINDS[kind]} {name!r} of plugin {plugin!r} is already registered by plugin {taken.plugin!r}; "
                "give it another name: register(factory, name=...)"
            )
        for parameter in inspect.signature(factory).parameters.values():
            if parameter.kind is not parameter.KEYWORD_ONLY or parameter.annotation is parameter.empty:
                raise PluginError(
                    f"plugin {plugin!r}: the parameter {parameter.name!r} of {name!r} must be keyword-only and "
                    f"annotated, as in def {factory.__name__}(*, {parameter.name}: float = 1.0)"
                )
            if parameter.name == "weight" and kind in ("objectives", "priors"):
                raise PluginError(
                    f"plugin {plugin!r}: {name!r} has a parameter 'weight', which kerasdream adds to objectives and "
                    "priors itself; leave it out, or give yours another name"
                )
        self.entries[kind][name] = Registration(kind, name, factory, plugin)

    def drop(self, plugin: str) -> None:
        """Takes back all that a plugin has registered."""
        for names in self.entries.values():
            for name in [n for n, registration in names.items() if registration.plugin == plugin]:
                del names[name]

    def get(self, kind: str, name: str) -> Registration:
        """Returns a registration; KeyError with the nearest names if there is none."""
        try:
            return self.entries[kind][name]
        except KeyError:
            raise KeyError(f"unknown {KINDS[kind]} {name!r}; {did_you_mean(name, self.entries[kind])}") from None

    def __iter__(self) -> Iterator[Registration]:
        for names in self.entries.values():
            yield from names.values()
