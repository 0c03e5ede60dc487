"""Several networks that see the same picture, as one: their layers side by side, their classes averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len

from kerasdream.components import LOGITS, Network
from kerasdream.errors import ConfigError

if TYPE_CHECKING:
    from kerasdream.plugins.spec import PartSpec


def ensemble(*, networks: Annotated[list[Any], Len(2, 16)]) -> Network:
    """Several networks that see the same picture, as one; what they agree on is drawn most clearly.

    A layer is named after its network, ``efficientnet_lite1/block15_expand``. An objective with a layer for several
    networks, ``{efficientnet_lite0: block11_expand, efficientnet_lite1: block15_expand}``, is averaged over them, and
    so is ``class``: over the logits, if all networks have the same number of classes.

    Args:
        networks: two to sixteen, each as it would stand under ``model``: a name, ``{name: ...}`` or ``{file: ...}``.

    Raises:
        ConfigError: two networks have the same name, or one takes more than an RGB picture.
        ModelError: a network cannot be built.
    """
    return combined([network.make() if hasattr(network, "make") else network for network in networks])


def combined(members: Sequence[Network]) -> Network:
    """Return several networks as one ``Network``, whose preprocessing is that of each.

    Raises:
        ConfigError: two networks have the same name, or one takes more than an RGB picture.
    """
    import keras

    names = [member.name for member in members]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"the ensemble has two networks called {name}; expected different networks")
    picture = keras.Input((None, None, 3), name="picture")
    outputs = []
    for member in members:
        if len(member.model.inputs) != 1 or member.model.inputs[0].shape[-1] != 3:
            raise ConfigError(f"{member.name} takes more than an RGB picture, so it cannot be part of an ensemble")
        seen = _preprocessing(member)(picture)
        nested = keras.Model(member.model.inputs, member.model.outputs, name=member.name)
        outputs.append(keras.tree.flatten(nested(seen)))
    ends = [output for one in outputs for output in one]
    if all(len(output.shape) == 2 for output in ends) and len({output.shape[-1] for output in ends}) == 1:
        ends = [keras.layers.Average(name=LOGITS)(ends)]
    model = keras.Model(picture, ends, name="ensemble")
    return Network("+".join(names), model, lambda picture: picture, size=max(member.side for member in members))


def parts(model: PartSpec) -> tuple[PartSpec, ...]:
    """Return the networks of a ``model`` entry: those of an ensemble, or the one."""
    return tuple(model.values["networks"]) if model.factory is ensemble else (model,)


def _preprocessing(member: Network) -> Any:
    """Return a member's preprocessing as a layer, which can be part of the graph."""
    import keras

    class Preprocessing(keras.layers.Layer):
        def call(self, picture: Any) -> Any:
            return member.preprocess(picture)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    return Preprocessing(name=f"{member.name}_preprocessing", dtype="float32")
