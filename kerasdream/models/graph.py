"""Read the graph of a Keras model: its layers' names, and the calls it consists of, those in nested models included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerasdream.errors import ModelEntryError, ModelError, did_you_mean

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Call:
    """One call of a layer or operation. The values that it reads and makes are numbered through the whole graph.

    Attributes:
        path: the layer's name; inside a nested model ``outer/inner``.
        layer: the user's own object.
        inputs, outputs: numbers of values.
    """

    path: str
    layer: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    _node: Any = field(repr=False)

    def arguments(self, values: Iterable[Any]) -> tuple[Any, Any]:
        """Return (positional, keyword) arguments with these values for ``inputs``."""
        import keras

        given = iter(values)
        arguments = self._node.arguments
        filled = keras.tree.map_structure(
            lambda each: next(given) if isinstance(each, keras.KerasTensor) else each,
            (arguments.args, arguments.kwargs),
        )
        return filled[0], filled[1]


@dataclass(frozen=True)
class Graph:
    """A model as a flat list of calls, each after those whose values it reads; nested models are written out.

    Attributes:
        name: the model's.
        inputs: the model's inputs, symbolic tensors; their values have the numbers from 0.
        made: path -> the values that the first call of that layer or nested model makes.
        heads: name -> value of each output.
    """

    name: str
    inputs: tuple[Any, ...]
    calls: tuple[Call, ...]
    made: Mapping[str, tuple[int, ...]]
    heads: Mapping[str, int]

    def needed(self, values: Iterable[int]) -> tuple[list[Call], set[int]]:
        """Return the calls that these values depend on, in order, and all values that are involved."""
        wanted, calls = set(values), []
        for call in reversed(self.calls):
            if wanted & set(call.outputs):
                calls.append(call)
                wanted.update(call.inputs)
        return calls[::-1], wanted

    def maker(self, value: int) -> Call | None:
        """Return the call that makes a value; None for an input."""
        return next((call for call in self.calls if value in call.outputs), None)


def graph_of(model: Any) -> Graph:
    """Return a model's graph.

    Raises:
        ModelError: it has none.
    """
    whole = functional(model)
    calls: list[Call] = []
    made: dict[str, tuple[int, ...]] = {}
    numbers = iter(range(len(whole.inputs), 1_000_000_000))

    def write_out(model: Any, given: Iterable[int], prefix: str) -> list[int]:
        known = {id(tensor): number for tensor, number in zip(model.inputs, given, strict=True)}
        for node in _nodes(model):
            layer, path = node.operation, prefix + node.operation.name
            inputs = tuple(known[id(tensor)] for tensor in node.input_tensors)
            if is_graph(layer):
                outputs = tuple(write_out(functional(layer), inputs, path + "/"))
            else:
                outputs = tuple(next(numbers) for _ in node.outputs)
                calls.append(Call(path, layer, inputs, outputs, node))
            known.update(zip(map(id, node.outputs), outputs, strict=True))
            made.setdefault(path, outputs)
        return [known[id(tensor)] for tensor in model.outputs]

    outputs = write_out(whole, range(len(whole.inputs)), "")
    return Graph(model.name, tuple(whole.inputs), tuple(calls), made, dict(zip(_heads(model), outputs, strict=True)))


def _nodes(model: Any) -> list[Any]:
    """Return the nodes of one graph, each after those that it depends on. Keras keeps them behind its tensors."""
    ends = {id(tensor) for tensor in model.inputs}
    found: dict[int, Any] = {}  # in order, by identity
    entered: set[int] = set()
    stack = list(reversed(model.outputs))
    while stack:
        tensor = stack[-1]
        history = tensor._keras_history
        node = None if id(tensor) in ends else history.operation._inbound_nodes[history.node_index]
        if node is None or id(node) in found:
            stack.pop()
        elif id(node) in entered:
            found[id(node)] = node
            stack.pop()
        else:
            entered.add(id(node))
            stack += reversed(node.input_tensors)
    return list(found.values())


def _heads(model: Any) -> list[str]:
    """Return a name for each output: its key if outputs are a mapping, else the name of its layer."""
    import keras

    if not isinstance(model, keras.Sequential) and isinstance(model.output, dict):
        return sorted(model.output)
    names = [tensor._keras_history.operation.name for tensor in model.outputs]
    return [name if names.count(name) == 1 else f"{name}_{index}" for index, name in enumerate(names)]


def functional(model: Any) -> Any:
    """Return a model, outer or nested, as a functional graph.

    Raises:
        ModelError: it has no graph.
    """
    import keras

    if not is_graph(model) or (isinstance(model, keras.Sequential) and not model.built):
        raise ModelError(
            f"{type(model).__name__} has no graph that can be traced: expected a functional keras.Model or a built "
            "keras.Sequential. Wrap its layers in keras.Model(inputs, outputs)."
        )
    return keras.Model(model.inputs, model.outputs, name=model.name)  # without what a subclass adds


def classifier(graph: Graph, head: str | None = None) -> Call:
    """Return the call that makes a model's logits, before any softmax or sigmoid.

    Args:
        head: the output with the classes; None: the only one of shape (n, classes), or, failing that, (n, 1).

    Raises:
        ModelEntryError: the model does not end in classes, or in several outputs of which none is chosen.
    """
    shapes = {name: tuple(_tensor(graph, value).shape) for name, value in graph.heads.items()}
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    if head is not None and head not in graph.heads:
        raise ModelEntryError(f"the model {graph.name!r} has no head {head!r}; {did_you_mean(head, graph.heads)}")
    able = [name for name, shape in shapes.items() if len(shape) == 2 and head in (None, name)]
    able = [name for name in able if shapes[name][1] != 1] or able  # a single number is hardly a head of classes
    if len(able) > 1:
        raise ModelEntryError(
            f"the model {graph.name!r} has several heads: {listed}; which one has the classes? head: {able[0]} in the "
            f"model entry, or kerasdream.Network(..., head={able[0]!r})"
        )
    call = graph.maker(graph.heads[able[0]]) if able else None
    if call is None:
        raise ModelEntryError(
            f"the model {graph.name!r} ends in {listed}, which are not classes; expected (None, classes); a "
            "network of keras.applications needs top: true"
        )
    if type(call.layer).__name__ in ("Softmax", "Activation"):
        call = graph.maker(call.inputs[0]) or call
    return call


def _tensor(graph: Graph, value: int) -> Any:
    """Return the symbolic tensor of a value, as it is in the user's model."""
    call = graph.maker(value)
    return graph.inputs[value] if call is None else call._node.outputs[call.outputs.index(value)]


def is_graph(layer: Any) -> bool:
    """Whether a layer is a model whose own layers can be reached."""
    import keras

    return isinstance(layer, keras.Sequential) or (isinstance(layer, keras.Model) and hasattr(layer, "operations"))


def _snake(name: str) -> str:
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def layer_names(model: keras.Model, aliases: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the path of every layer that can be selected, nested ones as ``outer/inner``, in the model's order."""
    canonical = {actual: name for name, actual in (aliases or {}).items()}
    for layer in functional(model).layers:
        if type(layer).__name__ == "InputLayer":
            continue
        name = canonical.get(layer.name, layer.name)
        yield name
        if is_graph(layer):
            yield from (f"{name}/{inner}" for inner in layer_names(layer))


def canonical_names(model: keras.Model) -> dict[str, str]:
    """Map the names a model's layers have in a fresh process to those they have in this one.

    Keras numbers unnamed layers through the process: a second InceptionV3 starts at ``conv2d_94``. Counting from the
    lowest number of each kind in the model gives every copy the names of the first.
    """
    numbered: dict[str, list[tuple[int, str]]] = {}
    for layer in model.layers:
        stem, _, number = layer.name.rpartition("_")
        if number.isdigit() and stem == _snake(type(layer).__name__):
            numbered.setdefault(stem, []).append((int(number), layer.name))
        elif layer.name == _snake(type(layer).__name__):
            numbered.setdefault(layer.name, []).append((0, layer.name))
    names = {layer.name: layer.name for layer in model.layers}
    for stem, members in numbered.items():
        first = min(members)[0]
        for number, name in members:
            names[name] = f"{stem}_{number - first}" if number > first else stem
    return {canonical: name for name, canonical in names.items()}
