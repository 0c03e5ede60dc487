"""Every network of ``keras.applications``, by name, with the input range its own ``preprocess_input`` defines."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kerasdream._files import at_home
from kerasdream.components import SIDE, Network
from kerasdream.errors import ModelError

if TYPE_CHECKING:
    import keras

TIMEOUT = 15.0
"""Seconds without data after which a download fails."""


class Family(NamedTuple):
    """Networks of one module of ``keras.applications``: name -> constructor."""

    module: str
    paper: str
    constructors: dict[str, str]
    free: tuple[int, int, int] | None = None
    """Input shape for building without the classifier; None: any height and width."""
    full: tuple[int, int, int] | None = None
    """Input shape for building with the classifier; None: the constructor's default."""


FAMILIES = (
    Family("convnext", "Liu et al. 2022, https://arxiv.org/abs/2201.03545", {
        "convnext_tiny": "ConvNeXtTiny", "convnext_small": "ConvNeXtSmall", "convnext_base": "ConvNeXtBase",
        "convnext_large": "ConvNeXtLarge", "convnext_xlarge": "ConvNeXtXLarge",
    }),
    Family("densenet", "Huang et al. 2016, https://arxiv.org/abs/1608.06993", {
        "densenet121": "DenseNet121", "densenet169": "DenseNet169", "densenet201": "DenseNet201",
    }),
    Family("efficientnet", "Tan and Le 2019, https://arxiv.org/abs/1905.11946", {
        f"efficientnet_b{size}": f"EfficientNetB{size}" for size in range(8)
    }),
    Family("efficientnet_v2", "Tan and Le 2021, https://arxiv.org/abs/2104.00298", {
        f"efficientnet_v2_{size.lower()}": f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")
    }),
    Family("inception_resnet_v2", "Szegedy et al. 2016, https://arxiv.org/abs/1602.07261", {
        "inception_resnet_v2": "InceptionResNetV2",
    }),
    Family("inception_v3", "Szegedy et al. 2015, https://arxiv.org/abs/1512.00567", {"inception_v3": "InceptionV3"}),
    Family("mobilenet", "Howard et al. 2017, https://arxiv.org/abs/1704.04861", {"mobilenet": "MobileNet"}),
    Family("mobilenet_v2", "Sandler et al. 2018, https://arxiv.org/abs/1801.04381", {"mobilenet_v2": "MobileNetV2"}),
    Family("mobilenet_v3", "Howard et al. 2019, https://arxiv.org/abs/1905.02244", {
        "mobilenet_v3_small": "MobileNetV3Small", "mobilenet_v3_large": "MobileNetV3Large",
    }, full=(224, 224, 3)),
    # With a free size NASNet assumes the two inputs of a cell to be equally large, and cannot be built. With a fixed
    # one it pads for that size; 259 halves to 129, 65, 33, 17, 9, always odd, and the padding of odd sizes suits all.
    Family("nasnet", "Zoph et al. 2017, https://arxiv.org/abs/1707.07012", {
        "nasnet_mobile": "NASNetMobile", "nasnet_large": "NASNetLarge",
    }, free=(259, 259, 3)),
    Family("resnet", "He et al. 2015, https://arxiv.org/abs/1512.03385", {
        "resnet50": "ResNet50", "resnet101": "ResNet101", "resnet152": "ResNet152",
    }),
    Family("resnet_v2", "He et al. 2016, https://arxiv.org/abs/1603.05027", {
        "resnet50_v2": "ResNet50V2", "resnet101_v2": "ResNet101V2", "resnet152_v2": "ResNet152V2",
    }),
    Family("vgg16", "Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556", {"vgg16": "VGG16"}),
    Family("vgg19", "Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556", {"vgg19": "VGG19"}),
    Family("xception", "Chollet 2016, https://arxiv.org/abs/1610.02357", {"xception": "Xception"}),
)  # fmt: skip


SIDES = {
    **dict.fromkeys(("inception_v3", "inception_resnet_v2", "xception"), 299),
    "nasnet_large": 331,
    **{f"efficientnet_b{i}": side for i, side in enumerate((224, 240, 260, 300, 380, 456, 528, 600))},
    **{f"efficientnet_v2_b{i}": side for i, side in enumerate((224, 240, 260, 300))},
    **{"efficientnet_v2_s": 384, "efficientnet_v2_m": 480, "efficientnet_v2_l": 480},
}
"""Sides of the pictures that networks were trained on, if not ``SIDE``: the default input sizes of Keras."""


def _factory(name: str, constructor: str, family: Family) -> Callable[..., Network]:
    def factory(*, weights: Literal["imagenet"] | Path | None = "imagenet", top: bool | None = None) -> Network:
        import keras

        from kerasdream.models.graph import canonical_names
        from kerasdream.models.weights import load_file

        def preprocess(picture: Any) -> Any:
            module = getattr(keras.applications, family.module)
            return module.preprocess_input((picture + 1.0) * 127.5, data_format="channels_last")

        def build(weights: str | None) -> keras.Model:
            shape = family.full if top else family.free
            head = {"classifier_activation": None} if top else {}
            return getattr(keras.applications, constructor)(
                include_top=bool(top), weights=weights, input_shape=shape, **head
            )

        def network(model: keras.Model) -> Network:
            return Network(name, model, preprocess, canonical_names(model), SIDES.get(name, SIDE))

        if weights == "imagenet":
            return network(_imagenet(name, family.module, build))
        model = build(None)
        if weights is not None:
            load_file(name, model, weights)
            if family.module == "efficientnet":
                _scale_as_published(model)
        return network(model)

    factory.__name__ = factory.__qualname__ = name
    factory.__doc__ = f"""{constructor} ({family.paper}), trained on ImageNet; Keras downloads the weights.

    Args:
        weights: ``imagenet``, null for random ones, or the path of a file that Keras saved from this network.
        top: whether to build the classifier too (``predictions``, linear, at the network's own input size); null: if an
            objective needs it.

    Raises:
        ModelError: the weights cannot be downloaded, or the file does not fit.
    """
    return factory


FACTORIES: dict[str, Callable[..., Network]] = {
    name: _factory(name, constructor, family)
    for family in FAMILIES
    for name, constructor in family.constructors.items()
}
"""Name in the YAML -> factory, ``(*, weights="imagenet", top=None) -> Network``."""


def _imagenet(name: str, module: str, build: Callable[[str], keras.Model]) -> keras.Model:
    """Build with the weights that Keras downloads; turn a failed download into one ModelError."""
    for _ in range(2):
        try:
            with _patience(), contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="`input_shape` is undefined")  # meant to be
                return build("imagenet")
        except Exception as error:
            damaged = _delete_damaged(module) if type(error) is OSError else []
            reason = f"{damaged[0]} was damaged" if damaged else _download_failure(error)
            if reason is None:
                raise
            failure = error
        if not damaged:
            break
    raise ModelError(
        f"the ImageNet weights of {name} could not be downloaded ({reason}): name a file saved by Keras, "
        "`weights: path/to/file.weights.h5`, or use the built-in default, `model: efficientnet_lite0`, which needs no "
        "download"
    ) from failure


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """End a download after ``TIMEOUT`` seconds without data; Keras itself would wait forever."""
    import socket

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout if timeout is not None else TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)


def _download_failure(error: Exception) -> str | None:
    """Return why a download failed, or None if the error has another cause."""
    import http.client
    import urllib.error

    if "Incomplete or corrupted file detected" in str(error):  # by its hash; Keras downloads it again next time
        return "the downloaded file is damaged"
    url = re.search(r"https?://[^ ]+[^ :]", str(error))
    for each in (error, error.__context__):  # Keras raises a bare Exception while handling urllib's
        if isinstance(each, (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)):
            reason = str(getattr(each, "reason", None) or each) or type(each).__name__
            return f"{url[0]}: {reason}" if url else reason
    return None


def _delete_damaged(module: str) -> list[Path]:
    """Delete downloads that are not complete HDF5 files. Keras has no hash of MobileNet's and would keep it."""
    import h5py

    folder = at_home(os.environ.get("KERAS_HOME") or "~/.keras") / "models"
    damaged = []
    for path in folder.glob(f"{module}_*.h5"):
        try:
            h5py.File(path).close()
        except OSError:
            path.unlink()
            damaged.append(path)
    return damaged


def _scale_as_published(model: keras.Model) -> None:
    """Correct the input normalisation of EfficientNet's published weights.

    Those files hold the standard deviation where Keras's Normalization expects the variance. Keras corrects that, with
    a Rescaling layer, only if it downloads them itself (https://github.com/tensorflow/tensorflow/issues/49930).
    """
    norm = next(layer for layer in model.layers if type(layer).__name__ == "Normalization")
    variance = np.asarray(norm.adapt_variance)
    if np.allclose(variance, [0.229, 0.224, 0.225], atol=1e-4):
        norm.adapt_variance.assign(variance**2)
        norm.finalize_state()
