"""Feature extraction: from any Keras model to one whose outputs are the selected layers, with nothing deeper.

The graph is rebuilt layer by layer on a free ``(None, None, None, 3)`` input, up to the deepest selected layer. On the
way, layers inside nested models become addressable (``backbone/block3_out``), each layer's geometry is worked out, and
a BatchNormalization is folded into the convolution before it if that changes nothing. The user's model is not changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kerasdream.components import LOGITS
from kerasdream.errors import ModelError, OneSizeError, did_you_mean
from kerasdream.models.folding import foldable, folded_weights
from kerasdream.models.geometry import AxisGeometry, after, lattice_of
from kerasdream.models.graph import check_input, classifier, functional, is_graph, layer_names, sources
from kerasdream.models.tokens import as_map
from kerasdream.plan.cutting import Geometry
from kerasdream.plan.tiling import joint

if TYPE_CHECKING:
    import keras

    from kerasdream.components import Tokens

FOLD_TOLERANCE = 1e-5
"""Largest change, relative to the largest activation, that folding may make to a selected layer."""


@dataclass(frozen=True)
class Extractor:
    """A rebuilt network, cut off at the deepest selected layer.

    Attributes:
        model: ``(n, height, width, 3)`` preprocessed input -> ``{layer: activations}``.
        geometry: for each selected layer, its (height, width) geometry over the picture.
        folded: how many BatchNormalization layers were folded.
    """

    model: keras.Model
    geometry: Mapping[str, tuple[AxisGeometry, AxisGeometry]]
    folded: int
    _copies: Sequence[tuple[Any, Any, Any]]

    def refresh(self) -> None:
        """Copy the source model's current weights again, folding as before (the source may be in training)."""
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
        model: a functional or sequential Keras model with one image input, ``(n, height, width, 3)``. It is not
            changed: the result has copies of its layers and weights. It accepts any height and width if the layers do.
        layers: names of the layers; ``"backbone/block3_out"`` is a layer inside a nested model. If a layer is called
            several times, the output is that of the first call. Tokens of a vision transformer are a map.

    Raises:
        ModelError: a layer does not exist, or the model cannot be traced.
    """
    try:
        return build_extractor(model, layers, fold=False).model
    except OneSizeError as error:
        return build_extractor(model, layers, fold=False, side=error.side).model


def build_extractor(
    model: keras.Model,
    layers: Sequence[str],
    *,
    aliases: Mapping[str, str] | None = None,
    fold: bool = True,
    precision: Literal["float32", "mixed"] = "float32",
    side: int | None = None,
    tokens: Tokens | None = None,
) -> Extractor:
    """Rebuild ``model`` up to ``layers`` (see ``feature_extractor``). ``LOGITS`` is the classifier, made linear.

    Args:
        aliases: canonical layer name -> name in this model object, if they differ.
        fold: whether to fold BatchNormalization; undone if it changes any output by more than ``FOLD_TOLERANCE``.
        precision: ``mixed`` computes in bfloat16, with weights kept in float32.
        side: height and width of all pictures it will see; None: any size.
        tokens: how tokens lie in the picture, if that does not follow from the layers.

    Raises:
        OneSizeError: ``side`` is None, and the layers can only follow from pictures of the model's own size.
    """
    model = functional(model)
    check_input(model)
    actual = {name: (aliases or {}).get(name, name) for name in layer_names(model, aliases)}
    if LOGITS in layers and LOGITS not in actual:
        actual[LOGITS] = classifier(model)
    for layer in layers:
        if layer not in actual:
            raise ModelError(f"the model {model.name!r} has no layer {layer!r}; {did_you_mean(layer, actual)}")
    wanted = {actual[layer]: layer for layer in layers}
    policy = {"float32": None, "mixed": "mixed_bfloat16"}[precision]
    rebuild = partial(_rebuild, model, wanted, side=side, tokens=tokens)
    if not fold:
        return rebuild(fold=False, policy=policy)
    folded = rebuild(fold=True)
    if folded.folded and not _agree(folded, rebuild(fold=False), side):
        return rebuild(fold=False, policy=policy)
    return rebuild(fold=True, policy=policy) if policy else folded


class _Reached(Exception):  # noqa: N818 - a way out, not an error
    """All selected layers have been rebuilt; deeper layers are not needed."""


class _Rebuild:
    """A walk over a model's graph that clones its layers and keeps the selected outputs."""

    def __init__(
        self, picture: Any, wanted: Mapping[str, str], fold: Mapping[str, str], policy: str | None = None
    ) -> None:
        self.picture, self.wanted, self.fold, self.policy = picture, wanted, fold, policy
        self.norms = {conv: norm for norm, conv in fold.items()}
        self.clones: dict[str, Any] = {}
        self.copies: list[tuple[Any, Any, Any]] = []
        self.taps: dict[str, Any] = {}
        self.geometry: dict[int, tuple[AxisGeometry, AxisGeometry]] = {id(picture): (AxisGeometry(), AxisGeometry())}
        self.tensors: list[Any] = []  # keeps every tensor alive, because geometry is keyed by identity

    def walk(self, model: keras.Model, tensors: list[Any], prefix: str = "") -> list[Any]:
        """Rebuild one graph on input tensors, nested models inline; return its outputs."""
        import keras

        originals: dict[int, Any] = {}
        calls: dict[str, list[list[Any]]] = {}  # layer -> the outputs of each of its calls
        ends = list(sources(model.get_config()["output_layers"]))

        def clone(layer: Any) -> Any:
            made = self._clone(layer, prefix + layer.name, model)
            originals[id(made)] = layer
            return made

        def call(made: Any, *args: Any, **kwargs: Any) -> Any:
            layer = originals[id(made)]
            path = prefix + layer.name
            given = [t for t in keras.tree.flatten((args, kwargs)) if isinstance(t, keras.KerasTensor)]
            if is_graph(layer):
                outputs = self.walk(functional(layer), given, prefix=path + "/")
                outputs = keras.tree.pack_sequence_as(layer.output, outputs)
            else:
                outputs = made(args[0]) if path in self.fold else made(*args, **kwargs)
                self._follow(layer, given, keras.tree.flatten(outputs))
            if path in self.wanted:
                self.taps.setdefault(self.wanted[path], outputs)
            calls.setdefault(layer.name, []).append(keras.tree.flatten(outputs))
            if self.complete or (prefix and all(len(calls.get(name, ())) > number for name, number, _ in ends)):
                raise _Reached
            return outputs

        try:
            inputs = keras.tree.pack_sequence_as(model.input, tensors)
            keras.models.clone_model(model, inputs, clone_function=clone, call_function=call)
        except _Reached:
            if self.complete:
                raise
        return [calls[name][number][index] for name, number, index in ends]

    @property
    def complete(self) -> bool:
        """Whether every selected layer has been reached."""
        return len(self.taps) == len(self.wanted)

    def _clone(self, layer: Any, path: str, model: Any) -> Any:
        """Clone a layer, once even if it is called several times, and note where its weights come from."""
        import keras

        if is_graph(layer) or not isinstance(layer, keras.layers.Layer):
            return layer
        if path not in self.clones:
            name = path.replace("/", ".")
            if path in self.fold:
                self.clones[path] = keras.layers.Identity(name=name, dtype=self.policy)
                return self.clones[path]
            changed = {"name": name, **({"use_bias": True} if path in self.norms else {})}
            changed |= {"dtype": self.policy} if self.policy else {}
            changed |= (
                {"activation": "linear"} if self.wanted.get(path) == LOGITS and hasattr(layer, "activation") else {}
            )
            made = self.clones[path] = type(layer).from_config({**layer.get_config(), **changed})
            norm = model.get_layer(self.norms[path].rpartition("/")[2]) if path in self.norms else None
            if layer.weights:
                self.copies.append((made, layer, norm))
        return self.clones[path]

    def _follow(self, layer: Any, given: list[Any], outputs: list[Any]) -> None:
        """Work out the geometry of the layer just called."""
        seen = [self.geometry[id(t)] for t in given]
        shape = outputs[0].shape
        height, width = (
            after(layer, [g[axis] for g in seen], axis, shape, self.picture.shape[axis + 1]) for axis in (0, 1)
        )
        for tensor in outputs:
            self.geometry[id(tensor)] = height, width
            self.tensors.append(tensor)


def _rebuild(
    model: keras.Model,
    wanted: Mapping[str, str],
    *,
    fold: bool,
    policy: str | None = None,
    side: int | None = None,
    tokens: Tokens | None = None,
) -> Extractor:
    import keras

    picture = keras.Input((side, side, 3), name="picture")
    own = model.inputs[0].shape[1] if side is None else None  # the one size it takes, if it must take any
    try:
        walk = _Rebuild(picture, wanted, dict(foldable(model, set(wanted))) if fold else {}, policy)
        with contextlib.suppress(_Reached):
            walk.walk(model, [picture])
        for layer, tensor in walk.taps.items():
            if not isinstance(tensor, keras.KerasTensor):
                raise ModelError(f"the layer {layer!r} has several outputs; select a layer with one output tensor")
        geometry = {layer: walk.geometry[id(tensor)] for layer, tensor in walk.taps.items()}
        if own and any(axis.bound for pair in geometry.values() for axis in pair):
            raise OneSizeError.of(model.name, own)
        for layer, tensor in walk.taps.items():
            walk.taps[layer], geometry[layer] = as_map(layer, tensor, geometry[layer], picture, tokens)
        features = keras.Model(picture, walk.taps, name=f"{model.name}_features")
    except ModelError:
        raise
    except Exception as error:
        if own:
            raise OneSizeError.of(model.name, own, _first_line(error)) from error
        raise ModelError(
            f"the model {model.name!r} cannot be rebuilt on pictures of {f'{side}×{side}' if side else 'any size'} "
            f"up to {', '.join(wanted.values())}: {_first_line(error)}. Select layers before the first Flatten or "
            "Dense, or use crops of the network's own input size (views: crops); custom layers need a get_config()."
        ) from error
    extractor = Extractor(
        model=features,
        geometry=geometry,
        folded=len(walk.fold),
        _copies=walk.copies,
    )
    extractor.refresh()
    return extractor


def _agree(folded: Extractor, plain: Extractor, side: int | None = None) -> bool:
    """Whether folding left every selected layer's activations unchanged, on one small picture of noise."""
    size = side or max(64, *(2 * g.smallest for pair in folded.geometry.values() for g in pair))
    picture = np.random.default_rng(0).normal(size=(1, size, size, 3)).astype("float32")
    before, after_ = plain.model(picture), folded.model(picture)
    return all(
        np.abs(np.subtract(before[layer], after_[layer])).max() <= FOLD_TOLERANCE * np.abs(before[layer]).max()
        for layer in before
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
