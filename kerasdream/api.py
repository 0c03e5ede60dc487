"""The functions most Python users need: ``dream`` a picture, ``run`` a run file. Both use a ``Session``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from kerasdream import images
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import load, resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.config.sections import DEFAULT_PARTS, NOISE
from kerasdream.config.sections import Image as ImageSection
from kerasdream.errors import ConfigError, ImageError, did_you_mean
from kerasdream.events import Event, Result
from kerasdream.images import Picture

if TYPE_CHECKING:
    from typing import TypeAlias

    import keras
    import PIL.Image
    from typing_extensions import Unpack

    from kerasdream.components import Network, Tokens
    from kerasdream.session.session import Session

    Image: TypeAlias = np.ndarray[Any, Any] | PIL.Image.Image | str | os.PathLike[str]


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
    """Run a run file, or the same as a mapping, for one picture, and write its outputs.

    Args:
        config: path of a YAML file, a mapping (relative paths in it are relative to the working directory) or the
            result of ``load_config``.
        folder: where outputs go; by default the run file's folder.
        overwrite: whether existing outputs are replaced.
        plugins, trust: see ``load_config``; not used with its result.
        resume: whether to continue an earlier run of the same config. Its state is saved next to the first output,
            after every octave and every minute. Parts given as Python objects are assumed to be the same.
        on_event: called with every event (``kerasdream.events``).

    Raises:
        KerasdreamError: the message says what to do. ``ConfigError`` if the run has several pictures.
    """
    from kerasdream.session.session import Session

    if not isinstance(config, RunConfig):
        config = load_config(config, plugins=plugins, trust=trust)
    folder = None if folder is None else Path(folder)
    session = Session(config, folder=folder, overwrite=overwrite, resume=resume, on_event=on_event)
    pictures = session.sources()
    if len(pictures) > 1:
        raise ConfigError(
            f"this run has {len(pictures)} pictures; call kerasdream.run for each, or use the command line"
        )
    targets = session.targets(pictures[0])
    picture = session.picture(pictures[0])
    return session.finished(picture, targets) or session.dream(picture, targets)


class DreamOptions(TypedDict, total=False):
    """The options of ``dream``, without the picture."""

    model: str | Mapping[str, Any] | keras.Model | Network
    objectives: Any
    priors: Any
    transforms: Any
    ascent: Any
    parametrization: Any
    postprocess: Any
    preset: str | None
    octaves: Mapping[str, Any] | None
    frames: Mapping[str, Any] | None
    tiles: Mapping[str, Any] | None
    views: Literal["auto", "tiles", "crops"] | None
    crops: Mapping[str, Any] | None
    max_side: int | None
    side: int | None
    panels: int | tuple[int, int]
    strength: float | None
    seed: int
    input_range: tuple[float, float] | None
    preprocess: Callable[[Any], Any] | None
    inputs: Mapping[str, Any] | None
    channels: Sequence[int] | None
    head: str | None
    tokens: Tokens | Mapping[str, Any] | None
    on_event: Callable[[Event], None]


MODEL_OPTIONS = ("input_range", "preprocess", "inputs", "channels", "head", "tokens")
"""The options that describe a Keras model."""


def dream(image: Image, **options: Unpack[DreamOptions]) -> Result:
    """Dream one picture and return it; nothing is written.

    Every option except those for a Keras model and ``on_event`` is the key of the same name in a run file:
    names and plain data, ``{"l2": {"layer": "block11_expand"}}``, or the objects themselves, ``Objective(...)``. An
    option that is omitted or None is the preset's, or the default of a run file; an empty list means no parts.

    Args:
        image: a file, a Pillow image, or an array ``(height, width, 3)``: uint8, or float in [-1, 1]; or ``"noise"``.
        model: a registered name, a mapping with its parameters, a Keras model or a ``Network``.
        objectives: what to maximise.
        priors, transforms, ascent, parametrization, postprocess: the other parts.
        preset: the preset to start from.
        octaves, frames, tiles, views, crops: the sections of these names.
        max_side: larger pictures are shrunk to this size, by default 1024; None: never.
        side: instead of ``max_side``: longer side of the result in pixels; smaller pictures are enlarged.
        panels: number of pictures dreamed at once, side by side on one sheet; or rows and columns.
        strength: how far the dream goes: a factor of every step, by default 1; more than 0, at most 10.
        seed: of everything random.
        input_range: for a Keras model: the pixel values it was trained on, ``(0, 255)`` for example.
        preprocess: instead of ``input_range``: ``keras.ops`` function from ``(n, h, w, 3)`` in [-1, 1] to its input.
        inputs, channels, head: for a Keras model that takes more than a colour picture or has several outputs:
            ``inputs={"meta": [0, 1]}``; see ``Network``.
        tokens: for a vision transformer whose tokens' places are unknown: ``{"grid": (14, 14), "skip": 1}``.
        on_event: called with every event (``kerasdream.events``). A run of several frames has a ``Finished`` for each;
            the last frame is returned.

    Raises:
        KerasdreamError: the message says what to do.

    >>> result = kerasdream.dream("photo.jpg", objectives={"l2": "block11_expand"})
    >>> PIL.Image.fromarray(result.to_uint8()).save("dream.png")
    """
    from kerasdream.session.sources import sheet

    session = session_for(**options)
    if isinstance(image, str) and image == NOISE:
        return session.dream(session.picture(NOISE))
    return session.dream(sheet(_sized(image, session.config.image), session.config.panels))


def session_for(**options: Unpack[DreamOptions]) -> Session:
    """Return the ``Session`` behind ``dream``. For several pictures, the network is built and traced once.

    Raises:
        TypeError: an option is unknown.
    """
    from kerasdream.dreaming.step import as_network
    from kerasdream.session.session import Session

    for name in options:
        if name not in DreamOptions.__annotations__:
            near = did_you_mean(name, DreamOptions.__annotations__)
            raise TypeError(f"dream() got an unexpected keyword argument {name!r}; {near}")
    model = options.get("model", DEFAULT_PARTS["model"])
    of_model: dict[str, Any] = {
        name: value for name, value in options.items() if name in MODEL_OPTIONS and value is not None
    }
    if not isinstance(model, (str, Mapping)):
        model = as_network(model, **of_model)
    elif of_model:
        raise ConfigError(
            f"{' and '.join(of_model)} belong to a Keras model, but model is {model!r}; write them in its mapping, as "
            'in model={"file": "my_model.keras", "input_range": [0, 255]}'
        )
    of_image = [key for key in ("max_side", "side", "panels") if key in options]
    apart = ("model", *of_image, *MODEL_OPTIONS, "on_event")
    data = {key: _plain(value) for key, value in options.items() if value is not None and key not in apart}
    data |= {"model": _plain(model), "outputs": []}
    picture = {key: _plain(options.get(key)) for key in of_image if key == "max_side" or options.get(key) is not None}
    config = resolve(
        YamlDocument({**data, "image": {"source": "picture", **picture}}, "kerasdream.dream()"), Path.cwd()
    )
    return Session(config, on_event=options.get("on_event", lambda event: None))


def as_picture(image: Image, max_side: int | None = None) -> Picture:
    """Return a file, Pillow image or array as a ``Picture``.

    Raises:
        ImageError: the file cannot be read, or the array is not a picture.
    """
    if isinstance(image, (str, os.PathLike)):
        return images.read(image, max_side)
    array = np.asarray(image.convert("RGB") if hasattr(image, "convert") else image)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(f"an array of shape {array.shape} is not a picture; expected (height, width, 3)")
    if array.dtype == np.uint8:
        pixels = array
    elif np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all() and np.abs(array).max() <= 1:
        pixels = array.astype("float32")
    else:
        raise ImageError(f"expected uint8, or finite floats in [-1, 1]; this {array.dtype} array is neither")
    height, width = pixels.shape[:2]
    if max_side and max(height, width) > max_side:
        pixels = images.resize(pixels, images.fit(height, width, max_side)).clip(-1, 1)
    return Picture(pixels, None, "picture", "", ())


def _sized(image: Image, settings: ImageSection) -> Picture:
    """Return a picture at the size at which it is dreamed; it notes if it was shrunk without being asked to."""
    from kerasdream.session.sources import shrinking

    side, limit = settings.side, settings.max_side
    picture = as_picture(image, side or limit)
    if side:
        return images.enlarged(picture, side)
    own = images.size(image) if isinstance(image, (str, os.PathLike)) else np.shape(np.asarray(image))[:2]
    note = shrinking(picture.name, own, limit, keeping=f"side={max(own)} or max_side=None keeps it")
    return replace(picture, notes=(*picture.notes, note)) if note else picture


def _plain(value: Any) -> Any:
    """Return tuples and mappings as lists and dicts; everything else unchanged."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
