"""The built-in parts, registered through the same hooks as anyone's plugin."""

from __future__ import annotations

from kerasdream.ascent.normalize import normalize
from kerasdream.ascent.rate import rate
from kerasdream.hookspecs import hookimpl
from kerasdream.models.applications import FACTORIES
from kerasdream.models.efficientnet_lite0 import efficientnet_lite0
from kerasdream.models.file import file
from kerasdream.objectives.channel import channel
from kerasdream.objectives.l2 import l2
from kerasdream.objectives.mean import mean
from kerasdream.outputs.gif import gif
from kerasdream.outputs.pictures import jpeg, png
from kerasdream.parametrizations.pixels import pixels
from kerasdream.postprocess.blend import blend
from kerasdream.postprocess.denoise import denoise
from kerasdream.postprocess.grade import grade
from kerasdream.postprocess.keep_colors import keep_colors
from kerasdream.postprocess.match_color import match_color
from kerasdream.postprocess.sharpen import sharpen
from kerasdream.postprocess.upscale import upscale
from kerasdream.priors.gaussian_blur import gaussian_blur
from kerasdream.priors.total_variation import total_variation
from kerasdream.transforms.jitter import jitter


@hookimpl
def register_models(register):
    register(efficientnet_lite0)
    register(file)
    for name, factory in FACTORIES.items():
        register(factory, name=name)


@hookimpl
def register_objectives(register):
    register(l2)
    register(mean)
    register(channel)


@hookimpl
def register_priors(register):
    register(total_variation)
    register(gaussian_blur)


@hookimpl
def register_parametrizations(register):
    register(pixels)


@hookimpl
def register_transforms(register):
    register(jitter)


@hookimpl
def register_ascent(register):
    register(normalize)
    register(rate)


@hookimpl
def register_postprocess(register):
    register(match_color)
    register(keep_colors)
    register(blend)
    register(denoise)
    register(sharpen)
    register(grade)
    register(upscale)


@hookimpl
def register_outputs(register):
    register(png)
    register(jpeg)
    register(gif)
