"""kerasdream: DeepDream for Keras, extended by plugins.

Everything public is here; nothing is imported before it is used, TensorFlow least of all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "ConfigError": "errors",
    "DreamError": "errors",
    "Energy": "components",
    "GradientStep": "dreaming.step",
    "ImageError": "errors",
    "KerasdreamError": "errors",
    "LayerName": "components",
    "ModelError": "errors",
    "Network": "components",
    "Objective": "components",
    "Output": "components",
    "OutputError": "errors",
    "Parametrization": "components",
    "PluginError": "errors",
    "Postprocess": "components",
    "Projection": "components",
    "Result": "events",
    "Rule": "components",
    "Transform": "components",
    "callbacks": None,
    "dream": "api",
    "feature_extractor": "models.extractor",
    "hookimpl": "hookspecs",
    "ops": None,
    "run": "api",
}
"""Public name -> the module it is in (None: it is a module)."""

__all__ = [*_PUBLIC, "__version__"]

if TYPE_CHECKING:
    from kerasdream import callbacks as callbacks
    from kerasdream import ops as ops
    from kerasdream.api import dream as dream
    from kerasdream.api import run as run
    from kerasdream.components import Energy as Energy
    from kerasdream.components import LayerName as LayerName
    from kerasdream.components import Network as Network
    from kerasdream.components import Objective as Objective
    from kerasdream.components import Output as Output
    from kerasdream.components import Parametrization as Parametrization
    from kerasdream.components import Postprocess as Postprocess
    from kerasdream.components import Projection as Projection
    from kerasdream.components import Rule as Rule
    from kerasdream.components import Transform as Transform
    from kerasdream.dreaming.step import GradientStep as GradientStep
    from kerasdream.errors import ConfigError as ConfigError
    from kerasdream.errors import DreamError as DreamError
    from kerasdream.errors import ImageError as ImageError
    from kerasdream.errors import KerasdreamError as KerasdreamError
    from kerasdream.errors import ModelError as ModelError
    from kerasdream.errors import OutputError as OutputError
    from kerasdream.errors import PluginError as PluginError
    from kerasdream.events import Result as Result
    from kerasdream.hookspecs import hookimpl as hookimpl
    from kerasdream.models.extractor import feature_extractor as feature_extractor


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kerasdream' has no attribute {name!r}")
    module = _PUBLIC[name]
    if module is None:
        return import_module(f"kerasdream.{name}")
    return getattr(import_module(f"kerasdream.{module}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
