"""A lower bound for the gradient step: the machine's fastest convolution, and the operations a pixel needs."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from benchmarks.cases import build

SHAPES = ((1, 128, 128), (4, 64, 64), (8, 64, 128), (4, 128, 128), (4, 64, 256), (1, 128, 256), (16, 35, 192))
"""(pictures, side, channels) of the convolutions tried."""

SIDE = 512
"""Side of the picture whose operations are counted. InceptionV3, which does not pad, needs 7 % more at 2048."""


def convolution_peak(repeats: int) -> float:
    """Return the floating-point operations per second of the fastest of some large 3×3 float32 convolutions."""
    import tensorflow as tf

    return max(_rate(tf, count, side, channels, repeats) for count, side, channels in SHAPES)


def _rate(tf: Any, count: int, side: int, channels: int, repeats: int) -> float:
    kernel = tf.random.stateless_normal([3, 3, channels, channels], [0, 0])
    convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
    pixels, times = tf.random.stateless_normal([count, side, side, channels], [0, 1]), []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        float(convolve(pixels)[0, 0, 0, 0])
        times.append(time.perf_counter() - began)
    return 2 * 9 * channels**2 * count * side**2 / median(times[1:])


def flop_per_pixel(network: str) -> float:
    """Return the floating-point operations that the gradient of one pixel needs in a network's convolutions.

    A multiplication and an addition count as two; the gradient with respect to the convolution's input takes as many as
    the forward pass. Gradients of weights are not needed, nor anything deeper than the selected layers.
    """
    import keras

    case = build(network)
    model = keras.Model(case.network.model.input, [case.network.model.get_layer(layer).output for layer in case.layers])
    convolutions = [
        layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]
    outputs = keras.Model(model.input, [layer.output for layer in convolutions])
    shapes = [output.shape for output in outputs(keras.KerasTensor((1, SIDE, SIDE, 3)))]
    products = sum(
        height * width * layer.kernel.shape[0] * layer.kernel.shape[1] * layer.kernel.shape[2] * layer.kernel.shape[3]
        for layer, (_, height, width, _) in zip(convolutions, shapes, strict=True)
    )
    return 4 * products / SIDE**2
