"""Factories without a return annotation: the hook gives the kind, and the part is checked when it is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from kerasdream.components import Energy, Objective, Postprocess, Projection
from kerasdream.errors import ConfigError, PluginError
from kerasdream.plugins.registry import Registry
from kerasdream.plugins.returns import ContractError, as_part
from kerasdream.plugins.signature import check_signature, model_of
from kerasdream.plugins.spec import PartSpec


def registered(kind, factory):
    registry = Registry()
    registry.add(kind, "mine", factory)
    (registration,) = registry
    check_signature(registration)
    return registration


def spec(kind, factory, **values):
    model = model_of(registered(kind, factory))
    read = model.model_validate_json(json.dumps(values))
    given = {name: getattr(read, name) for name in model.model_fields}
    path = (kind, 0, factory.__name__)
    return PartSpec(kind, factory.__name__, factory, "mine", given, {}, path, place="run.yaml:7:5")


def test_a_partial_is_a_factory_with_its_values_as_defaults():
    """Bound by name or by place; its name is the function's unless it is given one."""

    def blurred(strength: float, *, layer: str, power: float) -> Objective:
        """Blurs."""
        return strength, layer, power

    registration = registered("objectives", partial(blurred, 0.5, power=3.0))
    assert (registration.name, registration.help) == ("blurred", "Blurs.")
    assert registration.where.startswith(__file__)
    model = model_of(registration)
    assert [*model.model_fields] == ["layer", "power", "weight", "mask"]
    assert model(layer="c1").power == 3
    assert registration.factory(layer="c1", power=3.0) == (0.5, "c1", 3)
    with pytest.raises(PluginError, match="'strength' must be keyword-only"):
        registered("objectives", partial(blurred, power=3.0))


def loud(*, power: float = 2.0):
    """Amplifies."""
    return Objective("conv1", lambda activations: activations["conv1"][..., 0] ** power)


def either(*, energy: bool):
    """An energy or a projection."""
    return Energy(lambda picture: picture[..., 0], radius=0) if energy else Projection(lambda picture: picture)


def test_unannotated_objective_has_weight_and_mask():
    assert {"power", "weight", "mask"} == set(model_of(registered("objectives", loud)).model_fields)
    assert isinstance(spec("objectives", loud, weight=3.0).make(), Objective)


def test_unannotated_objective_that_returns_something_else():
    def broken():
        return Projection(lambda picture: picture)

    with pytest.raises(PluginError, match=r"the objective 'broken' .* returned a Projection; expected Objective"):
        spec("objectives", broken).make()


def test_unannotated_prior_may_be_an_energy_with_weight():
    assert isinstance(spec("priors", either, energy=True, weight=2.0, mask="mask.png").make(), Energy)


def test_unannotated_prior_that_is_a_projection_takes_no_weight_mask_or_scale():
    assert isinstance(spec("priors", either, energy=False).make(), Projection)
    assert isinstance(spec("priors", either, energy=False, weight=1.0, mask=None).make(), Projection)
    for given in ({"weight": 2.0}, {"mask": "mask.png"}, {"scale": "absolute"}, {"weight": {"from": 1, "to": 2}}):
        with pytest.raises(
            ConfigError, match=r"run\.yaml:7:5: priors\.0\.either: a projection has no weight, mask or scale"
        ):
            spec("priors", either, energy=False, **given).make()


class Brighter:
    """A callable object, as good as a function."""

    def __call__(self, picture, source):
        return (picture + source) / 2


def scaled(factor, picture):
    return factor * picture


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda picture: picture / 2, 0.25),
        (lambda picture, source: picture - source, 0.5 - -0.5),
        (lambda picture, source=None: picture - source, 0.5 - -0.5),
        (lambda picture, *, source: picture - source, 0.5 - -0.5),
        (lambda picture, amount=0.5: amount * picture, 0.25),
        (lambda *pictures: pictures[0], 0.5),
        (partial(scaled, 0.5), 0.25),
        (partial(np.clip, a_min=0, a_max=0.1), 0.1),
        (Brighter(), 0.0),
        (np.negative, -0.5),
    ],
)
def test_postprocess_from_a_plain_function(function, expected):
    def step():
        """A step."""
        return function

    picture, source = np.full((4, 5, 3), 0.5, "float32"), np.full((4, 5, 3), -0.5, "float32")
    made = spec("postprocess", step).make()
    assert isinstance(made, Postprocess)
    np.testing.assert_allclose(made.apply(picture, source), np.full_like(picture, expected))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda: None, r"returned a function of \(\); expected one of \(picture\) or \(picture, source\)"),
        (lambda a, b, c: a, r"returned a function of \(a, b, c\)"),
        (lambda picture, *, amount: picture, r"returned a function of \(picture, \*, amount\)"),
        (Postprocess, r"returned a type; expected a function of \(picture\) or \(picture, source\), or Postprocess"),
        (None, r"returned nothing; expected a function of \(picture\) or \(picture, source\), or Postprocess"),
    ],
)
def test_postprocess_that_is_no_function_of_pictures(returned, message):
    def step():
        """A step."""
        return returned

    with pytest.raises(PluginError, match=message):
        spec("postprocess", step).make()


def test_plain_functions_are_postprocess_steps_only():
    with pytest.raises(ContractError, match="returned a function; expected Energy or Projection"):
        as_part("priors", lambda picture: picture)


def test_plain_function_is_guarded():
    def flat():
        """A wrong shape."""
        return lambda picture: picture[..., 0]

    with pytest.raises(PluginError, match=r"returned shape \(4, 5\); expected the shape of the picture, \(4, 5, 3\)"):
        spec("postprocess", flat).make().apply(*[np.zeros((4, 5, 3), "float32")] * 2)


def test_annotation_of_a_postprocess_factory_may_be_a_callable():
    def fine() -> Callable[[np.ndarray], np.ndarray]:
        return lambda picture: picture

    def wrong() -> int:
        return 1

    registered("postprocess", fine)
    with pytest.raises(PluginError, match="is annotated to return int; expected Postprocess"):
        registered("postprocess", wrong)
