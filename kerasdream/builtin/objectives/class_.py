"""Draw a class of the network: what it calls a flamingo."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from kerasdream import LOGITS, ConfigError, ModelError, Objective, ops
from kerasdream.models import imagenet


def _known(name: str) -> str:
    """Return the name if exactly one class of ImageNet has it, so that errors point to its line in the run file."""
    if len(imagenet.called(name)) != 1:
        raise PydanticCustomError("class", imagenet.wanted(name))
    return name


ClassName = Annotated[str, AfterValidator(_known)]
"""Annotation of a parameter that names one class of ImageNet."""


def class_(
    *,
    name: ClassName | None = None,
    index: Annotated[int, Ge(0)] | None = None,
    score: Literal["logit", "log_probability"] = "logit",
) -> Objective:
    """Draw a class: the picture becomes what the network calls by this name.

    The score is the class's logit z, which measures how much of the class there is, whatever else the picture shows; or
    log p(class | picture) = z − log Σ exp(z), which also drives the other classes out. Together with priors
    log p(picture), the ascent ends at the most probable picture of the class, the maximum a posteriori. It is one
    number for each view: the network judges a whole view, which should be large enough to show the whole object.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks", 2013, arXiv:1312.6034; Øygard,
    auduno/deepdraw, 2015.

    Args:
        name: a name of the class in ImageNet: any synonym, in upper or lower case (kerasdream classes lists them).
        index: the index of the class, from 0, instead of the name; works with every network, and for names that two
            classes share.
        score: logit or log_probability.

    Raises:
        ConfigError: neither name nor index is given, or both are; or the name does not belong to exactly one class.
        ModelError: the network does not have the class, or its classes are not the classes of ImageNet.
    """
    if (name is None) == (index is None):
        raise ConfigError("the objective 'class' takes either the name of a class or its index")
    wanted = imagenet.index_of(name) if name is not None else index

    def value(activations):
        logits = activations[LOGITS]
        classes = logits.shape[-1]
        if name is not None and classes != imagenet.COUNT:
            raise ModelError(
                f"the network has {classes} classes, so they are not the {imagenet.COUNT} named classes of ImageNet; "
                f"give the index of a class, from 0 to {classes - 1}, instead of {name!r}"
            )
        if wanted >= classes == 1:
            raise ModelError(
                f"the network has one output, for yes or no; expected index: 0, with weight: -1 for no, not {wanted}"
            )
        if wanted >= classes:
            raise ModelError(
                f"the network has {classes} classes; expected an index from 0 to {classes - 1}, not {wanted}"
            )
        return (logits if score == "logit" else ops.log_softmax(logits))[:, wanted]

    return Objective(LOGITS, value)
