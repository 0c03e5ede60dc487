"""The parts a dream is made of: what the factories of plugins and built-ins return.

Each is a small frozen value around pure functions. Tensors are channels-last; pictures are RGB float32 in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import MinLen
from pydantic import BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    import keras

    from kerasdream.events import Event

Tensor = Any
"""A tensor of the Keras backend in use."""


def _layer_for(value: Any, info: ValidationInfo) -> Any:
    """Return the layer for the run's network, ``info.context["network"]``, from a mapping with several."""
    if not isinstance(value, dict) or not value:
        return value
    network = (info.context or {}).get("network")
    if network is None:  # reported as an error of its own
        return next(iter(value.values()))
    if network not in value:
        raise PydanticCustomError("layer", f"a layer for {network} as well as for {', '.join(map(str, value))}")
    return value[network]


LAYER = BeforeValidator(_layer_for, json_schema_input_type=str | Annotated[dict[str, str], MinLen(1)])
"""Marks a parameter as a layer's name; from a mapping with one for each of several networks, picks the right one."""

LayerName = Annotated[str, LAYER]
"""Annotation of a parameter that names a layer of the network; the name is checked before anything is computed.

In a run file it may also be a mapping, ``{efficientnet_lite0: block5_expand, inception_v3: mixed3}``; the factory
receives the name for the run's network.
"""

LOGITS = "logits"
"""Stands for the network's classifier, linear, ``(n, classes)``, whatever its layer is called and ends in."""


SIDE = 224
"""Side of the pictures that most networks were trained on."""


@dataclass(frozen=True)
class Network:
    """A network to dream with.

    Attributes:
        name: what it is called in the YAML; the key of its shipped layer table, if there is one.
        model: the Keras model, functional or sequential, with one image input.
        preprocess: ``keras.ops`` function from a picture, ``(n, height, width, 3)`` float32 RGB in [-1, 1], to the
            model's input.
        aliases: canonical layer name -> name in ``model``, where Keras numbered its layers on from an earlier network.
        size: the side in pixels of the square pictures it was trained on; None: that of ``model``'s input, or 224 where
            it is free.
    """

    name: str
    model: keras.Model
    preprocess: Callable[[Any], Any]
    aliases: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None

    @property
    def side(self) -> int:
        """The side of the pictures it is best at."""
        return self.size or self.model.inputs[0].shape[1] or SIDE


def from_range(low: float, high: float) -> Callable[[Any], Any]:
    """Returns the linear map from [-1, 1] to ``[low, high]``, the range of pixel values the model was trained on."""
    scale, shift = (high - low) / 2, (high + low) / 2

    def preprocess(picture: Any) -> Any:
        return picture * scale + shift

    return preprocess


@dataclass(frozen=True)
class Term:
    """One summand of an objective: ``weight`` times the mean of ``fn``'s density over the picture.

    Its fields are the arguments of ``Objective``.
    """

    layers: tuple[str, ...]
    fn: Callable[..., Tensor]
    weight: Any = 1.0
    reference: Path | Literal["source"] | None = None
    at: tuple[Any, Any] | None = None
    compares: bool = False


@dataclass(frozen=True, init=False)
class Objective:
    """What the ascent makes larger: a function of the activations of some layers.

    Args:
        layers: names of the layers it looks at; a single name will do.
        fn: ``{layer: (n, h, w, channels)}`` -> a density ``(n, h, w)`` at the positions of the first layer, or one
            number per image ``(n,)``. Pure ``keras.ops``. A density adds up exactly over tiles; one number per image is
            averaged over tiles by area.
        reference: a second picture, whose activations of the same layers ``fn`` is given as a second argument, without
            gradient: ``"source"`` is the photo that is dreamed, seen through the same view (the same window, the same
            random transforms, ``(n, h, w, channels)``); a path is a picture of its own, a guide, seen once in whole
            (``(1, h', w', channels)``).
        at: look only at the position nearest to this point, ``(y, x)`` as fractions of the picture's height and width;
            the score is then that position's density, not a mean.
        compares: whether ``fn`` compares the pictures of several panels, ``(panels, h, w, channels)``, row by row: it
            then needs more than one.

    Objectives form an algebra that leaves its operands as they are: ``2 * a + b - c``, ``-a``.

    >>> eyes = Objective("mixed4", lambda activations: activations["mixed4"][..., 42])
    """

    terms: tuple[Term, ...]

    def __init__(
        self,
        layers: str | Sequence[str],
        fn: Callable[..., Tensor],
        *,
        reference: Path | Literal["source"] | None = None,
        at: tuple[Any, Any] | None = None,
        compares: bool = False,
    ) -> None:
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        object.__setattr__(self, "terms", (Term(layers, fn, 1.0, reference, at, compares),))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers it looks at, each once, in order of first mention."""
        return tuple(dict.fromkeys(layer for term in self.terms for layer in term.layers))

    def mapped(self, change: Callable[[Callable], Callable]) -> Objective:
        """Returns the same objective with every term's function changed."""
        return _sum_of(tuple(replace(term, fn=change(term.fn)) for term in self.terms))

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
        radius: how many pixels away a pixel still matters to the density at a position.
        reference: ``"source"``: ``log_p`` is given the photo that is dreamed as a second argument, shaped as the first.
    """

    log_p: Callable[..., Tensor]
    radius: int
    reference: Literal["source"] | None = None


@dataclass(frozen=True)
class Projection:
    """A prior as a constraint: applied to the whole picture after each step.

    Attributes:
        apply: ``(height, width, 3)`` NumPy float32 picture -> the same shape. NumPy, SciPy or OpenCV.
    """

    apply: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parametrization:
    """How the picture is held while it is optimised.

    Attributes:
        init: ``(picture, seed) -> state``, one float32 tensor of any shape; ``picture`` is ``(height, width, 3)``.
        decode: ``(state, height, width) -> picture``, differentiable, pure ``keras.ops``; None where the state is the
            picture itself (which is the only case in which projections can be applied).
    """

    init: Callable[[np.ndarray, int], Tensor]
    decode: Callable[[Tensor, int, int], Tensor] | None = None


@dataclass(frozen=True)
class Transform:
    """A change to every view before the network sees it, drawn anew for each step and shared by all tiles.

    Attributes:
        apply: ``(views (n, h, w, 3), seed) -> views`` of the same shape, differentiable, random by giving ``seed`` to
            functions of ``keras.random``; None where only the phase of the tiling moves.
        margin: how many pixels at the border of a view come out wrong (they are covered by overlap).
        phase: the tiling starts up to this many pixels before the picture's top left corner, uniformly at random.
        wrap: the picture is shifted instead, by up to ``phase`` pixels either way along both axes; what leaves it
            on one side comes in on the other.
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
            ``keras.ops``. The memory is saved with a run that may be resumed: arrays, tensors, numbers and None, in
            lists, tuples and dicts.
        init: ``state -> memory``, called at the start of each octave.
    """

    update: Callable[[Tensor, Any, Tensor], tuple[Tensor, Any]]
    init: Callable[[Tensor], Any] = lambda state: None


@dataclass(frozen=True)
class Postprocess:
    """A step on the finished picture.

    Attributes:
        apply: ``(picture, source) -> picture``: NumPy float32 ``(height, width, 3)`` in [-1, 1]; the source has the
            same shape.
        scale: how many times as wide and high the picture becomes: its shape is then ``enlarged``. The steps that
            follow are given the source enlarged likewise.
    """

    apply: Callable[[np.ndarray, np.ndarray], np.ndarray]
    scale: float = 1

    def enlarged(self, shape: tuple[int, int]) -> tuple[int, int]:
        """The (height, width) of what it returns for a picture of this (height, width)."""
        height, width = shape
        return round(height * self.scale), round(width * self.scale)


@dataclass(frozen=True)
class Output:
    """A file that a run writes.

    Attributes:
        path: where, with ``{stem}`` for the photo's name, ``{seed}`` and ``{frame}``; relative to the run file or
            ``-o``. With ``{frame}`` it is opened anew for each frame of a run, at a file of its own, and told of that
            frame alone; without, it is opened once.
        open: ``path -> context manager`` that gives the function to call with each event of the run. It writes nothing
            under its final name before it is complete.
    """

    path: str
    open: Callable[[Path], AbstractContextManager[Callable[[Event], None]]]
