"""The built-in parts, registered through the same hooks as anyone's plugin."""

from __future__ import annotations

from kerasdream.builtin.ascent.adam import adam
from kerasdream.builtin.ascent.clip import clip
from kerasdream.builtin.ascent.laplacian_normalize import laplacian_normalize
from kerasdream.builtin.ascent.mask import mask
from kerasdream.builtin.ascent.momentum import momentum
from kerasdream.builtin.ascent.nadam import nadam
from kerasdream.builtin.ascent.normalize import normalize
from kerasdream.builtin.ascent.rate import rate
from kerasdream.builtin.ascent.sign import sign
from kerasdream.builtin.ascent.smooth import smooth
from kerasdream.builtin.objectives.alignment import alignment
from kerasdream.builtin.objectives.caricature import caricature
from kerasdream.builtin.objectives.channel import channel
from kerasdream.builtin.objectives.class_ import class_
from kerasdream.builtin.objectives.cosine import cosine
from kerasdream.builtin.objectives.difference import difference
from kerasdream.builtin.objectives.direction import direction
from kerasdream.builtin.objectives.diversity import diversity
from kerasdream.builtin.objectives.guide import guide
from kerasdream.builtin.objectives.interpolate import interpolate
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.layer_difference import layer_difference
from kerasdream.builtin.objectives.mean import mean
from kerasdream.builtin.objectives.neuron import neuron
from kerasdream.builtin.objectives.style import style
from kerasdream.builtin.outputs.gif import gif
from kerasdream.builtin.outputs.pictures import jpeg, png
from kerasdream.builtin.parametrizations.decorrelated import decorrelated
from kerasdream.builtin.parametrizations.fourier import fourier
from kerasdream.builtin.parametrizations.laplacian_pyramid import laplacian_pyramid
from kerasdream.builtin.parametrizations.maco import maco
from kerasdream.builtin.parametrizations.pixels import pixels
from kerasdream.builtin.postprocess.blend import blend
from kerasdream.builtin.postprocess.denoise import denoise
from kerasdream.builtin.postprocess.grade import grade
from kerasdream.builtin.postprocess.keep_colors import keep_colors
from kerasdream.builtin.postprocess.match_color import match_color
from kerasdream.builtin.postprocess.sharpen import sharpen
from kerasdream.builtin.postprocess.upscale import upscale
from kerasdream.builtin.priors.bilateral import bilateral
from kerasdream.builtin.priors.chroma import chroma
from kerasdream.builtin.priors.clip import clip as clip_picture
from kerasdream.builtin.priors.clip import soft_clip
from kerasdream.builtin.priors.clip_small import clip_small
from kerasdream.builtin.priors.decay import decay
from kerasdream.builtin.priors.gaussian_blur import gaussian_blur
from kerasdream.builtin.priors.high_pass import high_pass
from kerasdream.builtin.priors.match_spectrum import match_spectrum
from kerasdream.builtin.priors.median import median
from kerasdream.builtin.priors.norm import infinity_norm, norm
from kerasdream.builtin.priors.smoothness import smoothness
from kerasdream.builtin.priors.source import source
from kerasdream.builtin.priors.spectrum import spectrum
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.builtin.transforms.blur import blur
from kerasdream.builtin.transforms.brightness import brightness
from kerasdream.builtin.transforms.contrast import contrast
from kerasdream.builtin.transforms.crop import crop
from kerasdream.builtin.transforms.flip import flip
from kerasdream.builtin.transforms.jitter import jitter
from kerasdream.builtin.transforms.noise import noise
from kerasdream.builtin.transforms.pad import pad
from kerasdream.builtin.transforms.rotate import rotate
from kerasdream.builtin.transforms.scale import scale
from kerasdream.builtin.transforms.shift import shift
from kerasdream.hookspecs import hookimpl
from kerasdream.models.applications import FACTORIES
from kerasdream.models.efficientnet_lite0 import efficientnet_lite0
from kerasdream.models.file import file


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
