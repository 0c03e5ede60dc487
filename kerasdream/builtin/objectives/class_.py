"""A class of the network: what it calls a flamingo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from annotated_types import Ge

from kerasdream import ops
from kerasdream.components import LOGITS, Objective
from kerasdream.errors import ConfigError, ModelError
from kerasdream.models import imagenet


class ClassMark:
    """Has the name of a class checked where it stands, with all else that may be wrong in a run file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import PydanticCustomError, core_schema

        def check(name: str) -> str:
            if len(imagenet.called(name)) != 1:
                raise PydanticCustomError("class", imagenet.wanted(name))
            return name

        return core_schema.no_info_after_validator_function(check, handler(source))


ClassName = Annotated[str, ClassMark()]
"""Annotation of a parameter that names one class of ImageNet."""


def class_(
    *,
    name: ClassName | None = None,
    index: Annotated[int, Ge(0)] | None = None,
    score: Literal["logit", "log_probability"] = "logit",
) -> Objective:
    """Draws a class: the picture becomes what the network calls by this name.

    The score is the class's logit z, which says how much there is of it, whatever else there may be; or log p(class |
    picture) = z − log Σ exp(z), which also drives the other classes out. With priors log p(picture) beside it, the
    climb ends at the most probable picture of the class, the maximum a posteriori. It is one number for each view: the
    network judges a whole view, which should be large enough to show the whole thing.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks", 2013, arXiv:1312.6034; Øygard,
    auduno/deepdraw, 2015.

    Args:
        name: a name of the class in ImageNet, any synonym, in whatever case (kerasdream classes lists them).
        index: instead of the name, the index of the class, from 0; for every network, and for names that two classes
            share.
        score: logit or log_probability.

    Raises:
        ConfigError: there is neither name nor index, or both; or not one class is called so.
        ModelError: the network does not have the class, or its classes are not those of ImageNet.
    """
    if (name is None) == (index is None):
        raise ConfigError("the objective 'class' takes the name of a class or its index: one of the two")
    wanted = index if name is None else imagenet.index_of(name)

    def value(activations):
        logits = activations[LOGITS]
        there = logits.shape[-1]
        if name is not None and there != imagenet.COUNT:
            raise ModelError(
                f"the network has {there} classes, so they are not the {imagenet.COUNT} of ImageNet that have names; "
                f"give the index of a class, from 0 to {there - 1}, instead of {name!r}"
            )
        if wanted >= there:
            raise ModelError(f"the network has {there} classes; expected an index from 0 to {there - 1}, not {wanted}")
        return (logits if score == "logit" else ops.log_softmax(logits))[:, wanted]

    return Objective(LOGITS, value)
