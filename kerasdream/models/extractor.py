"""Feature extraction: from any Keras model to one whose outputs are the selected layers, with nothing deeper.

The graph is rebuilt call by call on a free ``(None, None, None, channels)`` input, as far as the selected layers need
it (``kerasdream.models.rebuild``). On the way, layers inside nested models become addressable
(``backbone/block3_out``), each layer's geometry is worked out, and a BatchNormalization is folded into the convolution
before it if that changes nothing. The user's model is not changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kerasdream.components import LOGITS, Network
from kerasdream.errors import ModelError, OneSizeError, did_you_mean
from kerasdream.models.backend import check_model
from kerasdream.models.door import door_of
from kerasdream.models.folding import foldable, folded_weights
from kerasdream.models.geometry import AxisGeometry, lattice_of
from kerasdream.models.graph import classifier, graph_of, layer_names
from kerasdream.models.ranges import check_range
from kerasdream.models.rebuild import Blueprint, Rebuild
from kerasdream.models.settings import usual_settings
from kerasdream.plan.cutting import Geometry
from kerasdream.plan.tiling import joint

if TYPE_CHECKING:
    import keras

FOLD_TOLERANCE = 1e-5
"""Largest change, relative to the largest activation, that folding may make to a selected layer."""


@dataclass(frozen=True)
class Extractor:
    """A rebuilt network, cut off at the deepest selected layer.

    Attributes:
        model: preprocessed pictures, ``(n, height, width, channels)``, -> ``{layer: activations}``, channels last.
        geometry: for each selected layer, its (height, width) geometry over the picture.
        folded: how many BatchNormalization layers were folded.
        grey: whether the network sees the picture's brightness only.
        notes: what the user should hear about the network.
    """

    model: keras.Model
    geometry: Mapping[str, tuple[AxisGeometry, AxisGeometry]]
    folded: int
    _copies: Sequence[tuple[Any, Any, Any]]
    grey: bool = False
    notes: tuple[str, ...] = ()

    def refresh(self) -> None:
        """Copy the source model's current weights again, folding as before (the source may be in training).

        Layers that are called, not copied, always have their current weights.
        """
        for target, source, norm in self._copies:
            target.set_weights(folded_weights(source, norm) if norm is not None else source.get_weights())
            if hasattr(target, "finalize_state"):  # Normalization computes with values derived from its weights
                target.finalize_state()


def geometry_of(extractor: Extractor) -> Geometry:
    """Return what a plan must know about the selected layers."""
    pairs = list(extractor.geometry.values())
    local = all(axis.local for pair in pairs for axis in pair)
    return Geometry(
        lattice=joint([lattice_of(pair) for pair in pairs]),
        field=max(axis.field for pair in pairs for axis in pair) if local else None,
    )


def feature_extractor(model: keras.Model, layers: Sequence[str]) -> keras.Model:
    """Build a Keras model that maps a batch of inputs to ``{layer name: activations}``, cut off at the deepest layer.

    Args:
        model: a functional or sequential Keras model of which the layers need one image input only. It is not changed:
            the result has copies of its layers and weights and accepts any height and width if the layers do; layers
            that are not Keras's own are called, not copied. In pictures and activations, channels come last.
        layers: names of the layers; ``"backbone/block3_out"`` is a layer inside a nested model. If a layer is called
            several times, the output is that of the first call. Tokens of a vision transformer are a map.

    Raises:
        ModelError: a layer does not exist, or the model cannot be traced.
        TypeError: it is not a Keras model.
    """
    check_model(model)
    try:
        return build_extractor(model, layers, fold=False).model
    except OneSizeError as error:
        return build_extractor(model, layers, fold=False, side=error.side).model


@usual_settings()
def build_extractor(
    model: keras.Model | Network,
    layers: Sequence[str],
    *,
    fold: bool = True,
    precision: Literal["float32", "mixed"] = "float32",
    side: int | None = None,
) -> Extractor:
    """Rebuild a model up to ``layers`` (see ``feature_extractor``). ``LOGITS`` is the classifier, made linear.

    Args:
        model: for a ``Network``, the input is what its ``preprocess`` returns, and its other settings apply.
        fold: whether to fold BatchNormalization; undone if it changes any output by more than ``FOLD_TOLERANCE``.
        precision: ``mixed`` computes in bfloat16, with weights kept in float32.
        side: height and width of all pictures it will see; None: any size.

    Raises:
        OneSizeError: ``side`` is None, and the layers can only follow from pictures of the model's own size.
    """
    network = model if isinstance(model, Network) else Network(model.name, model, lambda picture: picture)
    blueprint = _blueprint(network, layers, plain=network is not model)
    blueprint = replace(blueprint, side=side, policy={"float32": "float32", "mixed": "mixed_bfloat16"}[precision])
    if fold:
        folds = dict(foldable(blueprint.calls, blueprint.taps.values()))
        exact = replace(blueprint, policy="float32")
        folded = _built(replace(exact, folds=folds))
        if not folds or _agree(folded, _built(exact), side):
            return folded if precision == "float32" else _built(replace(blueprint, folds=folds))
    return _built(blueprint)


def _blueprint(network: Network, layers: Sequence[str], *, plain: bool) -> Blueprint:
    """Return what is to be rebuilt.

    Args:
        plain: the pictures are as the network takes them.
    """
    graph = graph_of(network.model)
    actual = {name: network.aliases.get(name, name) for name in layer_names(network.model, network.aliases)}
    logits = classifier(graph, network.head) if LOGITS in layers and LOGITS not in actual else None
    taps = {}
    for layer in layers:
        if layer == LOGITS and logits is not None:
            made = logits.outputs
        elif layer in actual:
            made = graph.made[actual[layer]]
        else:
            raise ModelError(f"the model {network.model.name!r} has no layer {layer!r}; {did_you_mean(layer, actual)}")
        if len(made) != 1:
            raise ModelError(f"the layer {layer!r} has several outputs; select a layer with one output tensor")
        taps[layer] = made[0]
    calls, involved = graph.needed(taps.values())
    door = door_of(network, graph, involved, ", ".join(layers), plain=plain)
    notes = door.notes if plain else (*door.notes, *check_range(network, door, calls))
    fixed = door.size[0] if door.size else network.side if network.tokens else None
    door = replace(door, notes=notes)
    return Blueprint(network.name, door, tuple(calls), taps, logits, tokens=network.tokens, fixed=fixed)


def _built(blueprint: Blueprint) -> Extractor:
    """Rebuild a network, copy its weights and, if that may fail only then, try it.

    Raises:
        ModelError: it cannot be rebuilt, or does not work at the size of the pictures.
    """
    side, door = blueprint.side, blueprint.door
    try:
        walk = Rebuild(blueprint)
        model = walk.model()
        extractor = Extractor(model, walk.tapped, len(blueprint.folds), walk.copies, len(door.shown) == 1, door.notes)
        extractor.refresh()
        if walk.uncertain:
            extractor.model(_noise(extractor, side, door.size))
    except ModelError:
        raise
    except Exception as error:
        if blueprint.own:
            raise OneSizeError.of(blueprint.name, blueprint.own, _first_line(error)) from error
        raise ModelError(
            f"the model {blueprint.name!r} cannot be rebuilt on pictures of {f'{side}×{side}' if side else 'any size'} "
            f"up to {', '.join(blueprint.taps)}: {_first_line(error)}. Select layers before the first Flatten or "
            "Dense, or let the network see crops of the size that it was built for (views: crops)."
        ) from error
    return extractor


def _agree(folded: Extractor, plain: Extractor, side: int | None) -> bool:
    """Whether folding left every selected layer's activations unchanged, on one small picture of noise."""
    picture = _noise(folded, side)
    before, after_ = plain.model(picture), folded.model(picture)
    return all(
        np.abs(np.subtract(before[layer], after_[layer])).max() <= FOLD_TOLERANCE * np.abs(before[layer]).max()
        for layer in before
    )


def _noise(extractor: Extractor, side: int | None, size_before: tuple[int, int] | None = None) -> np.ndarray:
    """Return a small picture of noise, as the model takes it, of another size than it was built for."""
    axes = [axis for pair in extractor.geometry.values() for axis in pair]
    size = max(64, *(2 * axis.smallest for axis in axes))
    size += max(axis.coarsest for axis in axes) if size_before and size in size_before else 0
    size = side or size
    shape = (1, size, size, extractor.model.inputs[0].shape[-1])
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
