"""The parts of a dream: what the factories of plugins and of the built-ins return.

Each is a small frozen value that wraps pure functions. Tensors are channels-last; pictures are RGB float32 in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from pydantic import ConfigDict

if TYPE_CHECKING:
    import keras

    from kerasdream.events import Event

Tensor = Any
"""A tensor of the Keras backend in use."""


LOGITS = "logits"
"""Placeholder layer name for the classifier's logits, ``(n, classes)``, whatever the network calls that layer."""

SIDE = 224
"""Side in pixels of the pictures most networks were trained on."""


@dataclass(frozen=True)
class Tokens:
    """How the tokens of a vision transformer lie in the picture, where that does not follow from its layers.

    Attributes:
        grid: rows and columns of the patches.
        skip: tokens in front of the patches': a class token, registers. None: all that are left over.
    """

    grid: tuple[Annotated[int, Ge(1)], Annotated[int, Ge(1)]]
    skip: Annotated[int, Ge(0)] | None = None

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Network:
    """A network to dream with.

    Attributes:
        name: its name in the YAML; the key of its shipped layer table, if there is one.
        model: the Keras model, functional or sequential. One of its inputs is a picture, ``(n, height, width,
            channels)`` or, with ``channels_first``, ``(n, channels, height, width)``.
        preprocess: ``keras.ops`` function from a picture, ``(n, height, width, 3)`` float32 RGB in [-1, 1], to the
            model's input.
        aliases: canonical layer name -> name in ``model``, for networks whose automatic layer numbers do not start
            at 1 because Keras built another network before.
        size: side in pixels of the square pictures it was trained on; None for the side of ``model``'s input, or 224
            if that is not fixed.
        inputs: what the inputs other than the picture are held at, by name: a number, an array of the input's shape
            without its batch axis, or a ``.npy`` file with one.
        channels: for a picture of another number of channels than three: those that receive the picture's red, green
            and blue, from 0, or the one that receives its brightness. The others are held at middle grey. None: the
            brightness for one channel, else the first three.
        head: for a model with several outputs: the name of the one with the classes.
        tokens: how the tokens of a vision transformer lie in the picture; None: as follows from its layers.
        notes: what the user should hear about it.
    """

    name: str
    model: keras.Model
    preprocess: Callable[[Any], Any]
    aliases: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    channels: Sequence[int] | None = None
    head: str | None = None
    tokens: Tokens | None = None
    notes: tuple[str, ...] = ()

    @property
    def side(self) -> int:
        """Side in pixels of the pictures it was trained on."""
        return int(self.size or self.taken[0] or SIDE)

    @property
    def taken(self) -> tuple[int | None, int | None]:
        """(height, width) of the only pictures that ``model`` takes; None where it takes any."""
        free = [tensor.shape for tensor in self.model.inputs if tensor.name not in self.inputs]
        shape = next((shape for rank in (4, 3) for shape in free if len(shape) == rank), (None,) * 4)
        height, width = shape[2:] if len(shape) == 4 and has_channels_first(shape, self.model) else shape[1:3]
        return height, width


def has_channels_first(shape: Sequence[int | None], model: Any) -> bool:
    """Whether a model's pictures of this shape, four numbers, are (n, channels, height, width).

    Pictures that are not square do not show it; then the model's layers do.
    """
    _, first, middle, last = shape
    if first == middle or middle == last:
        return middle == last and first != middle
    orders = (getattr(layer, "data_format", None) for layer in model.layers)
    return next(filter(None, orders), "channels_last") == "channels_first"


def from_range(low: float, high: float) -> Callable[[Any], Any]:
    """Return the linear map from [-1, 1] to ``[low, high]``, the range of pixel values the model was trained on."""
    scale, shift = (high - low) / 2, (high + low) / 2

    def preprocess(picture: Any) -> Any:
        return picture * scale + shift

    return preprocess


@dataclass(frozen=True)
class Term:
    """One term of an objective: ``weight`` times the mean of ``fn``'s density over the picture.

    The fields are the arguments of ``Objective``.
    """

    layers: tuple[str, ...]
    fn: Callable[..., Tensor]
    weight: Any = 1.0
    reference: Path | tuple[Path, ...] | Literal["source"] | None = None
    at: tuple[Any, Any] | None = None
    compares: bool = False
    relative: bool = False
    summary: Callable[[Iterator[Mapping[str, Tensor]]], Any] | None = None

    @property
    def guides(self) -> tuple[Path, ...]:
        """The pictures, or folders of them, that ``fn`` compares with; not the source."""
        if self.reference is None or self.reference == "source":
            return ()
        return self.reference if isinstance(self.reference, tuple) else (Path(self.reference),)


@dataclass(frozen=True, init=False)
class Objective:
    """What the ascent makes larger: a function of the activations of some layers.

    Args:
        layers: names of the layers it looks at, or a single name.
        fn: ``{layer: (n, h, w, channels)}`` -> a density ``(n, h, w)`` at the positions of the first layer, or one
            number per image ``(n,)``. Pure ``keras.ops``. A density adds up exactly over tiles; one number per image is
            averaged over tiles, weighted by area.
        reference: a second picture. ``fn`` receives its activations of the same layers as a second argument, without
            gradient. ``"source"`` is the source photo, seen through the same view (the same window, the same random
            transforms, ``(n, h, w, channels)``); a path is a separate picture, a guide, seen once as a whole
            (``(1, h', w', channels)``). Of several paths, pictures or folders of them, ``fn`` receives a list with the
            activations of each picture.
        at: look only at the position nearest to this point, ``(y, x)`` as fractions of the picture's height and width;
            the score is then that position's density, not a mean.
        compares: whether ``fn`` compares the pictures of several panels, ``(panels, h, w, channels)``, row by row; such
            an objective needs more than one panel.
        relative: whether the weight is in proportion to the other objectives: with 1, it pulls as hard as they do
            together, as measured at the start of each octave, near the picture of that time.
        summary: what ``fn`` needs of its guides, computed once: receives an iterator over each picture's activations,
            and ``fn`` receives what it returns instead. Its numbers are those at the start of the run.

    Objectives form an algebra and are immutable: ``2 * a + b - c``, ``-a``.

    >>> eyes = Objective("mixed4", lambda activations: activations["mixed4"][..., 42])
    """

    terms: tuple[Term, ...]

    def __init__(
        self,
        layers: str | Sequence[str],
        fn: Callable[..., Tensor],
        *,
        reference: Path | Sequence[Path] | Literal["source"] | None = None,
        at: tuple[Any, Any] | None = None,
        compares: bool = False,
        relative: bool = False,
        summary: Callable[[Iterator[Mapping[str, Tensor]]], Any] | None = None,
    ) -> None:
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        if reference is not None and not isinstance(reference, (str, Path)):
            reference = tuple(Path(path) for path in reference)
        object.__setattr__(self, "terms", (Term(layers, fn, 1.0, reference, at, compares, relative, summary),))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers it looks at, each once, in order of first use."""
        return tuple(dict.fromkeys(layer for term in self.terms for layer in term.layers))

    def mapped(self, change: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> Objective:
        """Return the objective with ``change``, of a name and a function, applied to every ``fn`` and ``summary``."""
        return _sum_of(
            tuple(
                replace(term, fn=change("fn", term.fn), summary=term.summary and change("summary", term.summary))
                for term in self.terms
            )
        )

    def __mul__(self, factor: Any) -> Objective:
        if isinstance(factor, Objective):
            return NotImplemented
        return _sum_of(tuple(replace(term, weight=term.weight * factor) for term in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        return self * -1.0

    def __add__(self, other: Objective) -> Objective:
        return _sum_of(self.terms + other.terms) if isinstance(other, Objective) else NotImplemented

    def __sub__(self, other: Objective) -> Objective:
        return self + -other if isinstance(other, Objective) else NotImplemented


def _sum_of(terms: tuple[Term, ...]) -> Objective:
    total = object.__new__(Objective)
    object.__setattr__(total, "terms", terms)
    return total


@dataclass(frozen=True)
class Energy:
    """A prior as a differentiable term: log p(picture), up to a constant.

    Attributes:
        log_p: ``(n, height, width, 3)`` picture -> a density ``(n, height, width)``, averaged over the picture. Pure
            ``keras.ops``.
        radius: the largest distance in pixels at which a pixel influences the density at a position.
        reference: ``"source"``: ``log_p`` receives the source photo as a second argument, of the same shape.
    """

    log_p: Callable[..., Tensor]
    radius: int
    reference: Literal["source"] | None = None


@dataclass(frozen=True)
class Projection:
    """A prior as a constraint: applied to the whole picture after each step.

    Attributes:
        apply: ``(height, width, 3)`` NumPy float32 picture -> the same shape.
    """

    apply: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parametrization:
    """How the picture is stored while it is optimised.

    Attributes:
        init: ``(picture, seed) -> state``, one float32 tensor of any shape; ``picture`` is ``(height, width, 3)``.
        decode: ``(state, height, width) -> picture``, differentiable, pure ``keras.ops``; None if the state is the
            picture itself (the only case in which projections can be applied).
    """

    init: Callable[[np.ndarray, int], Tensor]
    decode: Callable[[Tensor, int, int], Tensor] | None = None


@dataclass(frozen=True)
class Transform:
    """A random change of every view before the network sees it, drawn once per step and shared by all tiles.

    Attributes:
        apply: ``(views (n, h, w, 3), seed) -> views`` of the same shape, differentiable. Randomness comes from passing
            ``seed`` to functions of ``keras.random``. None if only the phase of the tiling moves.
        margin: how many pixels at a view's border are invalid afterwards (overlap covers them).
        phase: the tiling starts up to this many pixels before the picture's top left corner, uniformly at random.
        wrap: shift the picture instead, cyclically, by up to ``phase`` pixels in either direction along both axes.
    """

    apply: Callable[[Tensor, Tensor], Tensor] | None = None
    margin: int = 0
    phase: int = 0
    wrap: bool = False


@dataclass(frozen=True)
class Rule:
    """One link of the chain that turns a gradient into a step uphill (after optax's gradient transformations).

    Attributes:
        update: ``(gradient, memory, state) -> (gradient, memory)``; arrays have the shape of the state. Pure
            ``keras.ops``. The memory is saved in checkpoints: arrays, tensors, numbers and None, in lists, tuples and
            dicts.
        init: ``state -> memory``, called at the start of each octave.
        pixels: whether it takes the state for the picture's colours; the run's parametrization must then be ``pixels``.
    """

    update: Callable[[Tensor, Any, Tensor], tuple[Tensor, Any]]
    init: Callable[[Tensor], Any] = lambda state: None
    pixels: bool = False


@dataclass(frozen=True)
class Postprocess:
    """A step on the finished picture.

    Attributes:
        apply: ``(picture, source) -> picture``: NumPy float32 ``(height, width, 3)`` in [-1, 1]; the source has the
            same shape.
        scale: the factor by which it enlarges the picture's width and height; the new shape is ``enlarged``. Later
            steps receive the source enlarged by the same factor.
        attributed: whether ``apply`` takes ``Result.attribution`` too, at the picture's size, as a third argument.
    """

    apply: Callable[..., np.ndarray]
    scale: float = 1
    attributed: bool = False

    def enlarged(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) of the result for a picture of this (height, width)."""
        height, width = shape
        return round(height * self.scale), round(width * self.scale)


@dataclass(frozen=True)
class Output:
    """A file that a run writes.

    Attributes:
        path: the file, with the placeholders ``{stem}`` (the photo's name), ``{seed}`` and ``{frame}``; relative to the
            run file or ``-o``. With ``{frame}`` the output is opened once per frame, with a separate file, and receives
            only that frame's events; otherwise it is opened once.
        open: ``path -> context manager`` that yields a function to be called with each event of the run. Nothing may
            appear under the final name before the file is complete.
        attributed: whether it needs ``Result.attribution``.
    """

    path: str
    open: Callable[[Path], AbstractContextManager[Callable[[Event], None]]]
    attributed: bool = False
