"""Guard the functions of a part: check what they return, and name the plugin when they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from kerasdream.components import Objective, Output
from kerasdream.errors import ConfigError, ImageError, KerasdreamError, ModelError, PluginError
from kerasdream.plugins.attribution import lines_in, reason, where
from kerasdream.plugins.returns import ContractError, check

FUNCTIONS = "log_p", "apply", "init", "decode", "update", "open", "preprocess"
"""The fields of parts that hold a plugin's functions."""


@dataclass(frozen=True)
class Guard:
    """Where a part comes from, for the errors of its functions.

    Attributes:
        origin: the part as the subject of an error message.
        located: puts the part's place in the run file in front of a message.
        factory: the plugin's function that made it; None if the object was given from Python.
    """

    origin: str
    located: Callable[[str], str]
    factory: Callable[..., Any] | None

    @contextmanager
    def attributed(self) -> Iterator[None]:
        """Turn any exception inside into an error of the part's plugin, with the line in the plugin's file.

        A ConfigError, ImageError or ModelError is what the part says about its parameters: an error in the run file,
        which gets the line there.
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
            lines = lines_in(error, where(self.factory).rpartition(":")[0]) if self.factory else []
            place = f" in line {lines[-1]}" if lines else ""
            raise PluginError(f"{self.origin} failed{place}: {reason(error)}") from error

    def guarded(self, part: Any) -> Any:
        """Return a part with each of its functions guarded."""
        if isinstance(part, Objective):
            return part.mapped(lambda name, function: self._call(part, name, function))
        functions = {name: getattr(part, name) for name in FUNCTIONS if callable(getattr(part, name, None))}
        return replace(part, **{name: self._call(part, name, function) for name, function in functions.items()})

    def _call(self, part: Any, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with self.attributed():
                result = function(*arguments)
                check(part, name, result, arguments)
            return _Opened(self, result) if isinstance(part, Output) else result

        return call


@dataclass(frozen=True)
class _Opened(AbstractContextManager[Callable[..., None]]):
    """An open output: closing it is guarded as well."""

    guard: Guard
    manager: AbstractContextManager[Callable[..., None]]

    def __enter__(self) -> Callable[..., None]:
        return self.manager.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        with self.guard.attributed():
            return self.manager.__exit__(kind, error, trace)
