"""The two calls most Python users need: ``dream`` a picture, ``run`` a run file. Both are the one road of
``Session``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import load, resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.errors import ConfigError, ImageError
from kerasdream.events import Event, Result

if TYPE_CHECKING:
    import keras
    import numpy as np
    import PIL.Image

    from kerasdream.components import Network
    from kerasdream.images import Picture
    from kerasdream.session.session import Session


def load_config(
    config: str | Path | Mapping[str, Any],
    overrides: Iterable[str] = (),
    *,
    plugins: Iterable[str | Path] = (),
    trust: bool = False,
) -> RunConfig:
    """Read and validate a run file, or the same as a mapping; nothing is computed and no network is built.

    Args:
        config: path of a YAML file, or a mapping (relative paths in it are relative to the working directory).
        overrides: ``"octaves.steps=5"``, as with ``--set`` on the command line.
        plugins: plugin files and folders to load in addition to those the run file names.
        trust: whether the plugin files it names may lie outside its own folder.

    Raises:
        ConfigError: lists every error found.
        PluginError: a plugin file cannot be loaded.
    """
    files = [Path(file) for file in plugins]
    if isinstance(config, (str, Path)):
        return load(Path(config), overrides, plugins=files, trust=trust)
    document = YamlDocument(dict(config), "config")
    return resolve(document, Path.cwd(), overrides, plugins=files, trust="anywhere" if trust else "folder")


def build_network(config: RunConfig) -> Network:
    """Build the network of a config, without TensorFlow's start-up messages.

    Raises:
        ModelError: the network cannot be built or its weights cannot be loaded.
    """
    from kerasdream.engine.loading import tensorflow

    tensorflow()
    network: Network = config.model.make()
    return network


def run(
    config: str | Path | Mapping[str, Any] | RunConfig,
    *,
    folder: str | Path | None = None,
    overwrite: bool = False,
    plugins: Iterable[str | Path] = (),
    trust: bool = False,
    resume: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Result:
    """Runs a run file, or the same as a dict, for one picture, and writes its outputs.

    Args:
        config: path of a YAML file, a mapping (relative paths in it are relative to the present folder) or a RunConfig.
        folder: where outputs go; by default the run file's folder.
        overwrite: whether outputs that exist are replaced.
        plugins: plugin files and folders to load besides those the run file names (not with a RunConfig).
        trust: whether the plugin files it names may be outside its own folder.
        resume: whether to go on where the same run was ended before: its state is saved beside the first output, after
            every octave and every minute. Parts given as Python objects are taken to be the same ones.
        tell: is told every event (``kerasdream.events``).

    Raises:
        KerasdreamError: a known fault; the message says what to do. ``ConfigError`` if the run has several pictures.
    """
    from kerasdream.session.session import Session

    if not isinstance(config, RunConfig):
        config = load_config(config, plugins=plugins, trust=trust)
    folder = None if folder is None else Path(folder)
    session = Session(config, folder=folder, overwrite=overwrite, resume=resume, on_event=on_event)
    pictures = session.sources()
    if len(pictures) > 1:
        raise ConfigError(f"this run has {len(pictures)} pictures; use kerasdream.run for each, or the command line")
    targets = session.targets(pictures[0])
    picture = session.picture(pictures[0])
    return session.finished(picture, targets) or session.dream(picture, targets)


def dream(
    image: np.ndarray | PIL.Image.Image | str | os.PathLike[str],
    *,
    model: str | Mapping[str, Any] | keras.Model | Network = "efficientnet_lite0",
    objectives: Any = None,
    priors: Any = None,
    transforms: Any = None,
    ascent: Any = None,
    parametrization: Any = None,
    postprocess: Any = None,
    preset: str | None = None,
    octaves: Mapping[str, Any] | None = None,
    frames: Mapping[str, Any] | None = None,
    tiles: Mapping[str, Any] | None = None,
    views: Literal["auto", "tiles", "crops"] | None = None,
    crops: Mapping[str, Any] | None = None,
    max_side: int | None = 1024,
    panels: int | tuple[int, int] = 1,
    seed: int = 0,
    input_range: tuple[float, float] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Result:
    """Dreams one picture and returns it; nothing is written.

    Every argument but ``image``, ``input_range`` and ``preprocess`` is the key of the same name in a run file: names
    and plain data, ``{"l2": {"layer": "block11_expand"}}``, or the objects themselves, ``Objective(...)``.
    None is what the preset says or else a run file without the key gets (``kerasdream.config.sections.DEFAULT_PARTS``);
    an empty list is none at all.

    Args:
        image: a file, a Pillow image, or an array ``(height, width, 3)``: uint8, or float in [-1, 1]; or ``"noise"``.
        panels: several pictures at once, side by side on one sheet: how many, or rows and columns.
        model: a registered name, a mapping with its parameters, a Keras model or a ``Network``.
        input_range: for a Keras model: the pixel values it was trained on, ``(0, 255)`` for example.
        preprocess: instead of ``input_range``: ``keras.ops`` function from ``(n, h, w, 3)`` in [-1, 1] to its input.
        tell: is told every event (``kerasdream.events``); of a run of several frames, each in its ``Finished``. What is
            returned is the last one.

    Raises:
        KerasdreamError: a known fault; the message says what to do.

    >>> result = kerasdream.dream("photo.jpg", objectives={"l2": "block11_expand"})
    >>> PIL.Image.fromarray(result.to_uint8()).save("dream.png")
    """
    session = session_for(
        model=model,
        objectives=objectives,
        priors=priors,
        transforms=transforms,
        ascent=ascent,
        parametrization=parametrization,
        postprocess=postprocess,
        preset=preset,
        octaves=octaves,
        frames=frames,
        tiles=tiles,
        views=views,
        crops=crops,
        max_side=max_side,
        panels=panels,
        seed=seed,
        input_range=input_range,
        preprocess=preprocess,
        on_event=on_event,
    )
    is_noise = isinstance(image, str) and image == "noise"
    return session.dream(session.noise() if is_noise else session.sheet(as_picture(image, max_side)))


def session_for(
    *,
    model: Any,
    max_side: int | None = None,
    panels: int | tuple[int, int] = 1,
    seed: int = 0,
    input_range: tuple[float, float] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
    **parts: Any,
) -> Session:
    """Returns the ``Session`` behind ``dream``: for several pictures, the network is built and traced once.

    Args:
        panels: see ``dream``.
        parts: the keys of a run file that hold parts and sections; see ``dream``.
    """
    from kerasdream.dreaming.step import as_network
    from kerasdream.session.session import Session

    if not isinstance(model, (str, Mapping)):
        model = as_network(model, input_range, preprocess)
    data = {key: _plain(value) for key, value in parts.items() if value is not None}
    data |= {"model": _plain(model), "seed": seed, "outputs": []}
    data["image"] = {"source": "picture", "max_side": max_side, "panels": _plain(panels)}
    config = resolve(YamlDocument(data, "kerasdream.dream()"), Path.cwd())
    return Session(config, on_event=on_event)


def as_picture(image: Any, max_side: int | None = None) -> Picture:
    """Returns a file, Pillow image or array as a ``Picture``.

    Raises:
        ImageError: the array is not a picture.
    """
    import numpy as np

    from kerasdream import images

    if isinstance(image, (str, os.PathLike)):
        return images.read(image, max_side)
    if hasattr(image, "convert"):
        image = np.asarray(image.convert("RGB"))
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(f"an array of shape {array.shape} is no picture; expected (height, width, 3)")
    if array.dtype == np.uint8:
        pixels = array
    elif np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all() and np.abs(array).max() <= 1:
        pixels = array.astype("float32")
    else:
        raise ImageError(f"expected uint8, or finite floats in [-1, 1]; this {array.dtype} array is neither")
    if max_side and max(pixels.shape[:2]) > max_side:
        pixels = images.resize(pixels, images.fit(*pixels.shape[:2], max_side)).clip(-1, 1)
    return images.Picture(pixels, None, "picture", "", ())


def _plain(value: Any) -> Any:
    """Tuples and other mappings as lists and dicts; everything else as it is."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
