from . import callbacks, events, images, ops
from .api import build_network, dream, load_config, run
from .components import (
    LOGITS,
    Energy,
    Network,
    Objective,
    Output,
    Parametrization,
    Postprocess,
    Projection,
    Rule,
    Tokens,
    Transform,
    from_range,
)
from .concepts import Concept, concept
from .dreaming.step import GradientStep
from .errors import ConfigError, DreamError, ImageError, KerasdreamError, ModelError, OutputError, PluginError
from .events import Result
from .hookspecs import hookimpl
from .images.masks import Mask, MaskFile
from .models.extractor import feature_extractor
from .output_names import Ending
from .plugins.annotations import LayerName, PictureFiles

__version__: str

__all__ = [
    "LOGITS",
    "Concept",
    "ConfigError",
    "DreamError",
    "Ending",
    "Energy",
    "GradientStep",
    "ImageError",
    "KerasdreamError",
    "LayerName",
    "Mask",
    "MaskFile",
    "ModelError",
    "Network",
    "Objective",
    "Output",
    "OutputError",
    "Parametrization",
    "PictureFiles",
    "PluginError",
    "Postprocess",
    "Projection",
    "Result",
    "Rule",
    "Tokens",
    "Transform",
    "__version__",
    "build_network",
    "callbacks",
    "concept",
    "dream",
    "events",
    "feature_extractor",
    "from_range",
    "hookimpl",
    "images",
    "load_config",
    "ops",
    "run",
]
