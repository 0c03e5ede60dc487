"""The functions most Python users need: ``dream`` a picture, ``run`` a run file. Both use a ``Session``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from kerasdream import images
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import load, resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.config.sections import DEFAULT_PARTS, NOISE
from kerasdream.config.sections import Image as ImageSection
from kerasdream.errors import ConfigError, did_you_mean
from kerasdream.events import Event, Result
from kerasdream.images import Picture
from kerasdream.images.given import Image, as_picture, as_range, size_of

if TYPE_CHECKING:
    import keras
    from typing_extensions import Unpack

    from kerasdream.components import Network, Tokens
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
        TypeError: an argument is of the wrong type.
    """
    files = [Path(file) for file in _names("plugins", plugins)]
    overrides = _names("overrides", overrides)
    if isinstance(config, (str, os.PathLike)):
        return load(Path(config), overrides, plugins=files, trust=trust)
    if not isinstance(config, Mapping):
        raise TypeError(
            f"the config is of type {type(config).__name__}; expected the path of a run file, or the same as a mapping"
        )
    document = YamlDocument(dict(config), "config")
    return resolve(document, Path.cwd(), overrides, plugins=files, trust="anywhere" if trust else "folder")


def build_network(config: RunConfig) -> Network:
    """Build the network of a config, without TensorFlow's start-up messages.

    Raises:
        ModelError: the network cannot be built or its weights cannot be loaded.
    """
    from kerasdream.engine.loading import usual_keras

    if not isinstance(config, RunConfig):
        raise TypeError(f"the config is of type {type(config).__name__}; expected the result of load_config")
    with usual_keras():
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
    progress: bool | None = None,
    on_event: Callable[[Event], None] | None = None,
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
        progress: whether to show a progress bar; None: in a notebook and on a terminal.
        on_event: called with every event (``kerasdream.events``).

    Raises:
        KerasdreamError: the message says what to do. ``ConfigError`` if the run has several pictures.
    """
    from kerasdream.models import network_name
    from kerasdream.session.progress import progress_bar
    from kerasdream.session.session import Session

    if not isinstance(config, RunConfig):
        config = load_config(config, plugins=plugins, trust=trust)
    folder = None if folder is None else Path(folder)
    session = Session(config, folder=folder, overwrite=overwrite, resume=resume)
    pictures = session.sources()
    if len(pictures) > 1:
        raise ConfigError(
            f"this run has {len(pictures)} pictures; call kerasdream.run for each, or use the command line"
        )
    targets = session.targets(pictures[0])
    picture = session.picture(pictures[0])
    with progress_bar(progress, f"loading {network_name(config.model)}") as show:
        session.on_event = _both(show, on_event)
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
    value_range: tuple[float, float] | None
    input_range: tuple[float, float] | None
    preprocess: Callable[[Any], Any] | None
    inputs: Mapping[str, Any] | None
    channels: Sequence[int] | None
    head: str | None
    tokens: Tokens | Mapping[str, Any] | None
    attribution: bool
    trust: bool
    on_event: Callable[[Event], None] | None


MODEL_OPTIONS = ("input_range", "preprocess", "inputs", "channels", "head", "tokens")
"""The options that describe a Keras model."""


def dream(image: Image, *, progress: bool | None = None, **options: Unpack[DreamOptions]) -> Result:
    """Dream one picture and return it; nothing is written.

    Every option except ``value_range``, ``attribution``, ``trust``, ``on_event`` and those for a Keras model is the key
    of the same name in a run file: names and plain data, ``{"l2": {"layer": "block11_expand"}}``, or the objects
    themselves, ``Objective(...)``. An option that is omitted or None is the preset's, or the default of a run file; an
    empty list means no parts.

    Args:
        image: a file, a Pillow image, or an array ``(height, width, 3)``: uint8, or float in [-1, 1]; or ``"noise"``.
            A float array without negative values may be in [0, 1] as well: see ``value_range``.
        progress: whether to show a progress bar; None: in a notebook and on a terminal.
        value_range: for an array: its values for black and white, ``(0, 1)`` for example; they may not lie outside.
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
        attribution: whether the result has an ``attribution``; the picture stays the same.
        trust: whether code that a model file holds (Lambda layers), or that lies outside the current folder, may run.
        on_event: called with every event (``kerasdream.events``); of several frames, the last is returned.

    Raises:
        KerasdreamError: the message says what to do.

    >>> result = kerasdream.dream("photo.jpg", objectives={"l2": "block11_expand"})
    >>> result.save("dream.png")
    """
    from kerasdream.models import network_name
    from kerasdream.session.progress import progress_bar
    from kerasdream.session.sources import sheet

    session = session_for(**options)
    if isinstance(image, str) and image == NOISE and options.get("value_range") is None:
        picture = session.picture(NOISE)
    else:
        picture = sheet(_sized(image, session.config.image, options.get("value_range")), session.config.panels)
    with progress_bar(progress, f"loading {network_name(session.config.model)}") as show:
        session.on_event = _both(show, session.on_event)
        return session.dream(picture)


def session_for(called: str = "kerasdream.dream", /, **options: Unpack[DreamOptions]) -> Session:
    """Return the ``Session`` behind ``dream``. For several pictures, the network is built and traced once.

    Args:
        called: what the user called, for error messages.
        options: those of ``dream``.

    Raises:
        TypeError: an option is unknown.
    """
    from kerasdream.session.session import Session

    for name in options:
        if name not in DreamOptions.__annotations__:
            near = did_you_mean(name, DreamOptions.__annotations__)
            raise TypeError(f"{called}() got an unexpected keyword argument {name!r}; {near}")
    model = options.get("model", DEFAULT_PARTS["model"])
    of_model: dict[str, Any] = {
        name: value for name, value in options.items() if name in MODEL_OPTIONS and value is not None
    }
    if not isinstance(model, (str, Mapping)):
        model = _network(model, of_model)
    elif of_model:
        raise ConfigError(
            f"{' and '.join(of_model)}: only for a Keras model, but model is {model!r}; write them in its mapping, as "
            'in model={"file": "my_model.keras", "input_range": [0, 255]}'
        )
    of_image = [key for key in ("max_side", "side", "panels") if key in options]
    apart = ("model", *of_image, *MODEL_OPTIONS, "value_range", "attribution", "trust", "on_event")
    data = {key: _plain(value) for key, value in options.items() if value is not None and key not in apart}
    data |= {"model": _plain(model), "outputs": []}
    picture = {key: _plain(options.get(key)) for key in of_image if key == "max_side" or options.get(key) is not None}
    document = YamlDocument({**data, "image": {"source": "picture", **picture}}, f"{called}()")
    config = resolve(document, Path.cwd(), trust="anywhere" if options.get("trust") else "folder")
    return Session(config, on_event=_both(options.get("on_event")), attributed=bool(options.get("attribution")))


def _names(what: str, value: Any) -> list[Any]:
    """Return one or several strings or paths as a list.

    Raises:
        TypeError: it is something else.
    """
    values = (
        [value] if isinstance(value, (str, os.PathLike)) else list(value) if isinstance(value, Iterable) else [None]
    )
    if not all(isinstance(each, (str, os.PathLike)) for each in values):
        raise TypeError(f"{what}={value!r}: expected a list of {what}")
    return values


def _network(model: Any, options: Mapping[str, Any]) -> Network:
    """Return a Keras model or ``Network`` as a ``Network``.

    Raises:
        ModelError: neither range nor preprocessing is given.
        TypeError: it is no model, or an option about it is of the wrong type.
    """
    from kerasdream.dreaming.step import as_network
    from kerasdream.models.backend import check_model

    check_model(model, "the name of a network, a mapping, a Keras model or a kerasdream.Network")
    if "preprocess" in options and not callable(options["preprocess"]):
        raise TypeError(f"preprocess is of type {type(options['preprocess']).__name__}; expected a function")
    if "input_range" in options:
        options = {**options, "input_range": as_range("input_range", options["input_range"])}
    return as_network(model, **options)


def _both(*receivers: Callable[[Event], None] | None) -> Callable[[Event], None]:
    """Return a function that sends an event to every receiver; None is none.

    Raises:
        TypeError: one is not a function.
    """
    present = [receive for receive in receivers if receive is not None]
    for receive in present:
        if not callable(receive):
            raise TypeError(f"on_event is of type {type(receive).__name__}; expected a function that takes an event")

    def send(event: Event) -> None:
        for receive in present:
            receive(event)

    return send


def _sized(image: Image, settings: ImageSection, value_range: tuple[float, float] | None) -> Picture:
    """Return a picture at the size at which it is dreamed; it notes if it was shrunk without being asked to."""
    from kerasdream.session.sources import shrinking

    side, limit = settings.side, settings.max_side
    picture = as_picture(image, side or limit, value_range)
    if side:
        return images.enlarged(picture, side)
    own = size_of(image)
    note = shrinking(picture.name, own, limit, keeping=f"side={max(own)} or max_side=None keeps it")
    return replace(picture, notes=(*picture.notes, note)) if note else picture


def _plain(value: Any) -> Any:
    """Return tuples and mappings as lists and dicts; everything else unchanged."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
