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
from kerasdream.objectives.alignment import alignment
from kerasdream.objectives.caricature import caricature
from kerasdream.objectives.channel import channel
from kerasdream.objectives.class_ import class_
from kerasdream.objectives.cosine import cosine
from kerasdream.objectives.difference import difference
from kerasdream.objectives.direction import direction
from kerasdream.objectives.diversity import diversity
from kerasdream.objectives.guide import guide
from kerasdream.objectives.interpolate import interpolate
from kerasdream.objectives.l2 import l2
from kerasdream.objectives.layer_difference import layer_difference
from kerasdream.objectives.mean import mean
from kerasdream.objectives.neuron import neuron
from kerasdream.objectives.style import style
from kerasdream.outputs.gif import gif
from kerasdream.outputs.pictures import jpeg, png
from kerasdream.parametrizations.decorrelated import decorrelated
from kerasdream.parametrizations.fourier import fourier
from kerasdream.parametrizations.laplacian_pyramid import laplacian_pyramid
from kerasdream.parametrizations.maco import maco
from kerasdream.parametrizations.pixels import pixels
from kerasdream.postprocess.blend import blend
from kerasdream.postprocess.denoise import denoise
from kerasdream.postprocess.grade import grade
from kerasdream.postprocess.keep_colors import keep_colors
from kerasdream.postprocess.match_color import match_color
from kerasdream.postprocess.sharpen import sharpen
from kerasdream.postprocess.upscale import upscale
from kerasdream.priors.bilateral import bilateral
from kerasdream.priors.chroma import chroma
from kerasdream.priors.clip import clip as clip_picture
from kerasdream.priors.clip import soft_clip
from kerasdream.priors.clip_small import clip_small
from kerasdream.priors.decay import decay
from kerasdream.priors.gaussian_blur import gaussian_blur
from kerasdream.priors.high_pass import high_pass
from kerasdream.priors.match_spectrum import match_spectrum
from kerasdream.priors.median import median
from kerasdream.priors.norm import infinity_norm, norm
from kerasdream.priors.smoothness import smoothness
from kerasdream.priors.source import source
from kerasdream.priors.spectrum import spectrum
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
    register(neuron)
    register(direction)
    register(cosine)
    register(class_, name="class")
    register(guide)
    register(caricature)
    register(style)
    register(difference)
    register(layer_difference)
    register(diversity)
    register(alignment)
    register(interpolate)


@hookimpl
def register_priors(register):
    register(total_variation)
    register(smoothness)
    register(spectrum)
    register(high_pass)
    register(norm)
    register(infinity_norm)
    register(chroma)
    register(source)
    register(gaussian_blur)
    register(bilateral)
    register(median)
    register(match_spectrum)
    register(decay)
    register(clip_picture)
    register(soft_clip)
    register(clip_small)


@hookimpl
def register_parametrizations(register):
    register(pixels)
    register(decorrelated)
    register(fourier)
    register(laplacian_pyramid)
    register(maco)


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
