"""Rebuild the calls of a network on new inputs: copies of its layers, on pictures of other sizes, channels last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerasdream.components import LOGITS, Tokens
from kerasdream.errors import OneSizeError
from kerasdream.models import layout
from kerasdream.models.cloning import copy_of, is_called
from kerasdream.models.door import Door
from kerasdream.models.geometry import AxisGeometry, after, scaled
from kerasdream.models.graph import Call
from kerasdream.models.tokens import as_map

if TYPE_CHECKING:
    import keras

TRIED = 192
"""Side of the pictures on which a layer of unknown kind shows its stride."""

OURS = "kerasdream."
"""How the names of added layers begin, so that no name of the user's is taken."""


@dataclass(frozen=True)
class Blueprint:
    """What is rebuilt, and how.

    Attributes:
        name: of the network.
        calls: all calls that the selected layers depend on, in order.
        taps: selected layer -> its value.
        logits: the call that ``LOGITS`` is, if that is selected: made linear.
        folds: BatchNormalization -> the convolution that absorbs it.
        policy: Keras's dtype policy of the copies.
        side: height and width of all pictures; None: any.
        tokens: how tokens lie in the picture, if that does not follow from the layers.
        fixed: side of the only pictures that its input, or this arrangement of tokens, is for; None: it takes any.
    """

    name: str
    door: Door
    calls: Sequence[Call]
    taps: Mapping[str, int]
    logits: Call | None = None
    folds: Mapping[Any, Any] = field(default_factory=dict)
    policy: str = "float32"
    side: int | None = None
    tokens: Tokens | None = None
    fixed: int | None = None

    @property
    def own(self) -> int | None:
        """The one size of pictures that the network was built for, if it must take any."""
        return self.fixed if self.side is None else None


class Rebuild:
    """A walk over the calls of a network that repeats them on new inputs.

    Every value with height and width is held as (n, h, w, c). If its channels come first in the user's network, its
    number is in ``first``.

    Attributes:
        copies: (copy, the user's layer, the BatchNormalization to fold into it) of each layer with weights.
        geometry: of each value.
        tapped: geometry of each selected layer.
        uncertain: whether only a trial shows that the model works at the size of the pictures.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.norms = {conv: norm for norm, conv in blueprint.folds.items()}
        self.made: dict[int, Any] = {}
        self.copies: list[tuple[Any, Any, Any]] = []
        self.picture: Any = None
        self.values: dict[int, Any] = {}
        self.geometry: dict[int, tuple[AxisGeometry, AxisGeometry]] = {}
        self.first: set[int] = set()
        self.tapped: dict[str, tuple[AxisGeometry, AxisGeometry]] = {}
        self.logits: Any = None
        self.uncertain = bool(blueprint.door.size)

    def model(self) -> keras.Model:
        """Return the model: preprocessed pictures -> selected layers."""
        import keras

        door, side = self.blueprint.door, self.blueprint.side
        self.picture = picture = keras.Input((side, side, door.brought), name=f"{OURS}picture", dtype="float32")
        self._enter(picture)
        for call in self.blueprint.calls:
            self._repeat(call)
        self.tapped = {layer: self.geometry[value] for layer, value in self.blueprint.taps.items()}
        if self.blueprint.own and any(axis.bound for pair in self.tapped.values() for axis in pair):
            raise OneSizeError.of(self.blueprint.name, self.blueprint.own)
        taps = {layer: self.values[value] for layer, value in self.blueprint.taps.items()}
        taps |= {LOGITS: self.logits} if self.blueprint.logits else {}
        for layer, tensor in taps.items():
            taps[layer], self.tapped[layer] = as_map(layer, tensor, self.tapped[layer], picture, self.blueprint.tokens)
        return keras.Model(picture, taps, name="features")

    def _enter(self, picture: Any) -> None:
        """Make the network's inputs from the picture."""
        import keras

        def function(name: str, of_picture: Callable[[Any], Any]) -> Any:
            return keras.layers.Lambda(of_picture, name=OURS + name, dtype="float32")(picture)

        door = self.blueprint.door
        seen = picture if door.as_it_is else function("seen", door.enter)
        self.values[door.picture] = seen[..., 0] if door.flat else seen
        self.geometry[door.picture] = AxisGeometry(), AxisGeometry()
        if door.first:
            self.first.add(door.picture)
        for number, held in door.held.items():
            self.values[number] = function(f"held_{number}", held.like)
            self.geometry[number] = AxisGeometry(stride=0), AxisGeometry(stride=0)
            self.uncertain = True

    def _repeat(self, call: Call) -> None:
        """Make one call again."""
        given, first = self._given(call)
        permuted = layout.permutes(call.layer)
        if permuted is not None and permuted != first:
            outputs, first, made = given, permuted, None
        elif call.layer in self.blueprint.folds:
            made = self._copy(call, {})
            outputs = [made(given[0])]
        else:
            changes = layout.swapped(call.layer) if first else {}
            made = self._copy(call, changes or {})
            if changes is None:
                given = [layout.to_first(tensor) if len(tensor.shape) == 4 else tensor for tensor in given]
            outputs = _outputs(made, call, given)
            if changes is None:
                outputs = [layout.to_last(tensor) if len(tensor.shape) == 4 else tensor for tensor in outputs]
        self._keep(call, outputs, first)
        self._follow(call, made, given)

    def _given(self, call: Call) -> tuple[list[Any], bool]:
        """Return what a call reads, and whether that has its channels first in the user's network.

        What a layer says about itself counts more than what is known of its input: the user may have transposed that.
        """
        flat = {value for value in call.inputs if len(self.values[value].shape) != 4}
        said = layout.declared(call.layer) if len(flat) < len(call.inputs) else None
        first = bool(self.first & set(call.inputs)) if said is None else said
        turned = {
            value: layout.to_last if first else layout.to_first
            for value in call.inputs
            if value not in flat and (value in self.first) != first
        }
        return [turned.get(value, _same)(self.values[value]) for value in call.inputs], first

    def _copy(self, call: Call, changes: Mapping[str, Any]) -> Any:
        """Return the copy of a layer, the same if it is called several times, and note where its weights come from."""
        import keras

        layer, name = call.layer, call.path.replace("/", ".")
        if id(layer) in self.made:
            return self.made[id(layer)]
        norm = self.norms.get(layer)
        if layer in self.blueprint.folds:
            made = keras.layers.Identity(name=name, dtype=self.blueprint.policy)
        elif not isinstance(layer, keras.Layer):  # an operation: a function without weights
            made = copy(layer)
            made.name, made._inbound_nodes, made._outbound_nodes = name, [], []
            self.uncertain = True
        else:
            linear = call is self.blueprint.logits and hasattr(layer, "activation")
            more = {**({"use_bias": True} if norm else {}), **({"activation": "linear"} if linear else {})}
            made = copy_of(layer, name, self.blueprint.policy, {**changes, **more})
            if is_called(made):
                self.uncertain = True
            elif layer.weights:
                self.copies.append((made, layer, norm))
        self.made[id(layer)] = made
        return made

    def _keep(self, call: Call, outputs: Sequence[Any], first: bool) -> None:
        """Keep what a call made."""
        if call is self.blueprint.logits:
            self.logits = outputs[0]
            others = [value for layer, value in self.blueprint.taps.items() if layer != LOGITS]
            others += [value for other in self.blueprint.calls for value in other.inputs]
            activation = getattr(call.layer, "activation", None)
            if call.outputs[0] in others and activation is not None:
                outputs = [activation(outputs[0])]
        for value, tensor in zip(call.outputs, outputs, strict=True):
            self.values[value] = tensor
            if first and len(tensor.shape) == 4:
                self.first.add(value)

    def _follow(self, call: Call, made: Any, given: Sequence[Any]) -> None:
        """Work out the geometry of what a call made."""
        seen = [self.geometry[value] for value in call.inputs]
        shape, sides = self.values[call.outputs[0]].shape, self.picture.shape[1:3]
        windowed = all(hasattr(call.layer, name) for name in ("kernel_size", "strides", "padding"))
        measured = is_called(made) and len(shape) == 4 and not windowed
        if made is None:
            height, width = seen[0]
        elif measured and any(axis.stride for pair in seen for axis in pair):
            ratios = _ratios(made, call, given, [max(pair[0].stride, 1) for pair in seen])
            height, width = (
                scaled(call.layer, ratio, [pair[axis] for pair in seen]) for axis, ratio in enumerate(ratios)
            )
        else:
            height, width = (
                after(call.layer, [pair[axis] for pair in seen], axis, shape, sides[axis]) for axis in (0, 1)
            )
        self.geometry.update(dict.fromkeys(call.outputs, (height, width)))


def _same(tensor: Any) -> Any:
    return tensor


def _outputs(made: Any, call: Call, given: Sequence[Any]) -> list[Any]:
    import keras

    args, kwargs = call.arguments(given)
    return list(keras.tree.flatten(made(*args, **kwargs)))


def _ratios(made: Any, call: Call, given: Sequence[Any], strides: Sequence[int]) -> list[int]:
    """Return by how much a layer of unknown kind makes height and width smaller, shown by a picture of fixed size."""
    import keras

    def fixed(tensor: Any, stride: int) -> Any:
        shape = [TRIED // stride if size is None else size for size in tensor.shape]
        return keras.KerasTensor((1, *shape[1:]), tensor.dtype)

    tried = [fixed(tensor, stride) for tensor, stride in zip(given, strides, strict=True)]
    args, kwargs = call.arguments(tried)
    shape = keras.tree.flatten(made.compute_output_spec(*args, **kwargs))[0].shape
    before = max((tensor.shape for tensor in tried if len(tensor.shape) == 4), key=lambda size: size[1:], default=shape)
    return [max(1, round(before[axis] / (shape[axis] or before[axis]))) for axis in (1, 2)]
