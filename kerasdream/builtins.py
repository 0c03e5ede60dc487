"""The built-in parts, registered through the same hooks as anyone's plugin."""

from __future__ import annotations

from kerasdream.ascent.adam import adam
from kerasdream.ascent.clip import clip
from kerasdream.ascent.laplacian_normalize import laplacian_normalize
from kerasdream.ascent.mask import mask
from kerasdream.ascent.momentum import momentum
from kerasdream.ascent.nadam import nadam
from kerasdream.ascent.normalize import normalize
from kerasdream.ascent.rate import rate
from kerasdream.ascent.sign import sign
from kerasdream.ascent.smooth import smooth
from kerasdream.hookspecs import hookimpl
from kerasdream.models.applications import FACTORIES
from kerasdream.models.efficientnet_lite0 import efficientnet_lite0
from kerasdream.models.file import file
from kerasdream.objectives.channel import channel
from kerasdream.objectives.l2 import l2
from kerasdream.objectives.mean import mean
from kerasdream.outputs.pictures import jpeg, png
from kerasdream.parametrizations.pixels import pixels
from kerasdream.postprocess.match_color import match_color
from kerasdream.priors.gaussian_blur import gaussian_blur
from kerasdream.priors.total_variation import total_variation
from kerasdream.transforms.blur import blur
from kerasdream.transforms.brightness import brightness
from kerasdream.transforms.contrast import contrast
from kerasdream.transforms.crop import crop
from kerasdream.transforms.flip import flip
from kerasdream.transforms.jitter import jitter
from kerasdream.transforms.noise import noise
from kerasdream.transforms.pad import pad
from kerasdream.transforms.rotate import rotate
from kerasdream.transforms.scale import scale
from kerasdream.transforms.shift import shift


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
    register(shift)
    register(scale)
    register(rotate)
    register(crop)
    register(flip)
    register(pad)
    register(noise)
    register(blur)
    register(brightness)
    register(contrast)


@hookimpl
def register_ascent(register):
    register(normalize)
    register(laplacian_normalize)
    register(adam)
    register(nadam)
    register(sign)
    register(smooth)
    register(momentum)
    register(clip)
    register(mask)
    register(rate)


@hookimpl
def register_postprocess(register):
    register(match_color)


@hookimpl
def register_outputs(register):
    register(png)
    register(jpeg)
