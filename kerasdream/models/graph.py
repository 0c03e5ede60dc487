"""Read the graph of a Keras model: its layers' names, and which layer reads from which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kerasdream.errors import ModelError

if TYPE_CHECKING:
    import keras


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


def check_input(model: Any) -> None:
    """Raise ModelError unless a functional model takes one image."""
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4 or model.inputs[0].shape[-1] != 3:
        shapes = ", ".join(str(tuple(i.shape)) for i in model.inputs)
        raise ModelError(f"the model {model.name!r} takes {shapes}; expected one image, (None, height, width, 3)")


def classifier(model: Any) -> str:
    """Return the name of the layer that outputs a functional model's logits, before any softmax or sigmoid.

    Raises:
        ModelError: the model does not end in classes.
    """
    name, _, _ = next(sources(model.get_config()["output_layers"]))
    layer = model.get_layer(name)
    if type(layer).__name__ in ("Softmax", "Activation"):
        layer = layer.input._keras_history.operation
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(output.shape)) for output in model.outputs)
        raise ModelError(
            f"the model {model.name!r} ends in {shapes}, which are not classes; expected (None, classes); a "
            "network of keras.applications needs top: true"
        )
    return layer.name


def is_graph(layer: Any) -> bool:
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


def sources(node: Any) -> Iterator[tuple[str, int, int]]:
    """Yield (layer name, number of its call, output index) of everything a serialized node or list of outputs reads."""
    if isinstance(node, dict):
        config = node.get("config")
        history = config.get("keras_history") if isinstance(config, dict) else None
        yield from sources(history if history else list(node.values()))
    elif isinstance(node, (list, tuple)):
        if len(node) == 3 and isinstance(node[0], str) and isinstance(node[1], int):
            yield node[0], node[1], node[2]
        else:
            for value in node:
                yield from sources(value)
