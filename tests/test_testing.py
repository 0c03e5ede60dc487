"""The checks for plugin authors: every built-in part passes them, and each detects its errors."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module

import keras
import numpy as np
import pytest

from kerasdream import (
    Energy,
    LayerName,
    Network,
    Objective,
    Output,
    Parametrization,
    PluginError,
    Postprocess,
    Projection,
    Rule,
    Transform,
    from_range,
    ops,
    testing,
)
from kerasdream.builtin import transforms
from kerasdream.plugins.manager import discover
from kerasdream.plugins.signature import model_of

BUILT_IN = discover(installed=False).registry

PARAMETERS = {
    "l2": {"layer": "conv2"},
    "mean": {"layer": "conv2"},
    "channel": {"layer": "conv2", "channel": 3},
    "direction": {"layer": "conv2", "direction": [1, -1, 0.5, 0, 2, 0, -0.5, 1]},
    "cosine": {"layer": "conv2", "direction": {"1": 1.5, "6": -1}, "power": 2.0},
    "neuron": {"layer": "conv2", "channel": 3, "x": 0.3, "y": 0.8},
    "class": {"index": 2, "score": "log_probability"},
    "guide": {"image": str(testing.PHOTO), "layer": "conv2"},
    "caricature": {"layer": "conv2", "power": 1.0},
    "hold": {"layer": "conv2", "amount": 1.0},
    "style": {"image": str(testing.PHOTO), "layer": ["conv1", "conv3"]},
    "difference": {"layer": "conv2"},
    "layer_difference": {"layer": "conv3", "minus": "conv1"},
    "diversity": {"layer": "conv2"},
    "alignment": {"layer": "conv2"},
    "interpolate": {"layer": "conv2", "channel": 3, "to_layer": "conv3", "to_channel": 1},
    "total_variation": {"weight": 2.0},
    "gaussian_blur": {"sigma": 1.5},
    "mask": {"path": str(testing.PHOTO)},
    "match_color": {"by": "histogram", "amount": 0.5},
    "blend": {"amount": 0.5},
    "grade": {"exposure": 0.5, "temperature": 0.3, "contrast": 0.4, "curve": [[0.5, 0.6]], "saturation": 1.2},
    "upscale": {"factor": 1.5},
}
PICTURES_ONLY = "laplacian_normalize", "smooth", "shadows", "mask"
CHECKS = {
    "objectives": testing.check_objective,
    "priors": testing.check_prior,
    "parametrizations": testing.check_parametrization,
    "transforms": testing.check_transform,
    "ascent": testing.check_rule,
    "postprocess": testing.check_postprocess,
}


def classifier():
    """The tiny network with a head of four classes on top."""
    model = testing.tiny_network().model
    classes = keras.layers.Dense(4, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(seed=4))
    end = classes(keras.layers.GlobalAveragePooling2D()(model.output))
    return Network("tiny", keras.Model(model.input, end), from_range(-1, 1))


FIRST = {kind: next(part for part in BUILT_IN if part.kind == kind) for kind in CHECKS}
CHECKED = [
    pytest.param(part, id=part.name, marks=[] if part is FIRST[part.kind] else pytest.mark.no_cover)
    for part in BUILT_IN
    if part.kind in CHECKS
]


@pytest.mark.parametrize("part", CHECKED)
def test_every_built_in_part_passes(part):
    more = {"pictures_only": True} if part.kind == "ascent" and part.name in PICTURES_ONLY else {}
    more |= {"network": classifier()} if part.name == "class" else {}
    more |= {"tolerance": 0.25} if part.name == "maco" else {}  # it replaces the photo's magnitudes
    CHECKS[part.kind](part.factory, PARAMETERS.get(part.name, {}), **more)


def test_every_built_in_part_has_help_for_every_parameter():
    for part in BUILT_IN:
        assert part.summary.endswith("."), part
        for name, field in model_of(part).model_fields.items():
            assert field.description, f"{part.kind}/{part.name}: {name}"


@pytest.mark.parametrize("part", BUILT_IN.of("outputs"), ids=lambda part: part.name)
def test_every_built_in_output_passes(part, tmp_path):
    assert len(testing.check_output(part.factory, folder=tmp_path)) == 1


def test_a_network_passes():
    testing.check_model(BUILT_IN.get("models", "mobilenet_v2").factory, {"weights": None}, layer="block_3_expand")


def test_a_plugin_passes_as_file_and_as_module(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    assert testing.check_plugin(folder / "my_objective.py") == ["objectives/contrast"]
    assert testing.check_plugin(import_module("my_objective")) == ["objectives/contrast"]


def test_pytest_fixtures(photo, tiny_network):
    assert photo.shape == (120, 160, 3)
    assert photo.dtype == np.float32
    assert -1 <= photo.min() < -0.5 < 0.5 < photo.max() <= 1
    assert photo.std() > 0.2  # a photo, not a flat colour
    assert [layer.name for layer in tiny_network.model.layers][1:] == ["conv1", "conv2", "conv3"]


# Errors that each check detects


def objective(density, **defaults):
    """A factory whose objective is ``density`` of the layer's activations."""

    def bad(*, layer: LayerName) -> Objective:
        """Bad.

        Args:
            layer: the layer.
        """
        return Objective(layer, lambda activations: density(activations[layer]))

    return bad


def stubborn(*, layer: LayerName, gain: float = 1.0) -> Objective:
    """Takes no schedule.

    Args:
        layer: the layer.
        gain: the gain.
    """
    factor = 3.0 if isinstance(gain, float) else 1.0
    return Objective(layer, lambda activations: factor * activations[layer][..., 0] ** 2)


def no_docstring(*, layer: LayerName) -> Objective:
    return Objective(layer, lambda activations: activations[layer][..., 0])


def no_help(*, layer: LayerName) -> Objective:
    """Has no help for its parameter."""
    return Objective(layer, lambda activations: activations[layer][..., 0])


def noise():
    return np.random.default_rng().normal(size=(24, 32, 3)).astype("float32")


OBJECTIVES = {
    "zero gradient": (objective(lambda a: ops.cast(a[..., 0] > 0, "float32")), "zero everywhere"),
    "NaN": (objective(lambda a: ops.log(-1 - a[..., 0] ** 2)), "not finite"),
    "infinite gradient": (objective(lambda a: ops.sqrt(0 * a[..., 0] ** 2)), "gradient that is not finite"),
    "other pictures": (objective(lambda a: a[..., 0] * ops.mean(a)), "in a batch with other pictures"),
    "a whole batch as one": (objective(lambda a: ops.mean(a)), r"expected \(n, h, w\) or \(n,\)"),
    "whole numbers": (objective(lambda a: ops.cast(a[..., 0] * 100, "int32")), "returned int32; expected float32"),
    "does not rise": (objective(lambda a: ops.stop_gradient(-3 * a[..., 0] ** 2) + a[..., 0] ** 2), "does not rise"),
    "a sum, not a mean": (
        objective(lambda a: ops.sum(a**2, axis=(1, 2, 3))[:, None, None] + 0 * a[..., 0]),
        "in tiles",
    ),
    "no schedule": (stubborn, "where 'gain' is a schedule that stays at 1"),
    "no docstring": (no_docstring, "has no docstring"),
    "no help": (no_help, "has no help for 'layer'"),
}


@pytest.mark.parametrize("error", OBJECTIVES)
def test_check_objective_detects(error):
    factory, message = OBJECTIVES[error]
    with pytest.raises((AssertionError, PluginError), match=message):
        testing.check_objective(factory, {"layer": "conv2"})


def part(made):
    """A factory of the finished part."""

    def bad():
        """Bad."""
        return made

    bad.__annotations__["return"] = type(made)
    return bad


def in_place(array):
    array += 1
    return array


def test_noise_of_each_view_passes():
    testing.check_transform(transforms.noise, {"each": "view"})


BAD = [
    (
        testing.check_prior,
        Energy(lambda p: -ops.mean(ops.roll(p, 3, axis=1) ** 2, axis=-1), 1),
        "has influence 3 pixels away",
    ),
    (testing.check_prior, Projection(in_place), "changes its picture argument"),
    (testing.check_prior, Projection(lambda p: 2 * p), r"expected numbers in \[-1, 1\]"),
    (testing.check_prior, Projection(lambda p: p.astype("float64")), "returned float64"),
    (
        testing.check_transform,
        Transform(lambda v, seed: v + np.random.normal()),
        "different results for the same seed",
    ),
    (
        testing.check_transform,
        Transform(lambda v, seed: v + ops.cast(ops.arange(ops.shape(v)[0]), "float32")[:, None, None, None]),
        "treats two equal views differently",
    ),
    (testing.check_transform, Transform(lambda v, seed: ops.round(v)), "zero everywhere"),
    (testing.check_transform, Transform(margin=0.5), "margin 0.5; expected a whole number of pixels"),
    (testing.check_rule, Rule(lambda g, m, s: (in_place(g), m)), "changes its argument arrays"),
    (testing.check_rule, Rule(lambda g, m, s: (np.asarray(g, "float64"), m)), "returned float64"),
    (testing.check_rule, Rule(lambda g, m, s: (g + np.random.normal(), m)), "float64|different results"),
    (testing.check_rule, Rule(lambda g, m, s: (g / np.abs(g).max(), m)), "not finite"),
    (testing.check_rule, Rule(lambda g, m, s: (g, {1, 2})), "remembers a set, which cannot be saved"),
    (testing.check_parametrization, Parametrization(lambda p, seed: 0 * p), "does not reproduce the photo"),
    (testing.check_parametrization, Parametrization(lambda p, seed: p.astype("float64")), "state of float64"),
    (testing.check_postprocess, Postprocess(lambda p, source: in_place(p)), "changes its picture argument"),
    (testing.check_postprocess, Postprocess(lambda p, source: in_place(source) * 0 + p), "changes its source argument"),
    (testing.check_postprocess, Postprocess(lambda p, source: p / abs(p).max()), "not finite"),
    (testing.check_postprocess, Postprocess(lambda p, source: p + 1), r"reaches \S+; expected"),
]


def test_check_rule_detects_a_rule_without_schedules():
    def bad(*, factor: float = 1.0) -> Rule:
        """Bad.

        Args:
            factor: the factor.
        """
        return Rule(lambda g, m, s: (g * (factor if isinstance(factor, float) else 3.0), m))

    with pytest.raises(AssertionError, match="another step where 'factor' is a schedule"):
        testing.check_rule(bad)


def test_check_rule_detects_a_rule_that_accepts_other_states():
    with pytest.raises(AssertionError, match="accepts a state that is not a picture"):
        testing.check_rule(part(Rule(lambda g, m, s: (g, m))), pictures_only=True)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("check", "made", "message"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_other_checks_detect(check, made, message):
    with pytest.raises((AssertionError, PluginError), match=message):
        check(part(made))


@contextmanager
def early(path):
    def receive(event):
        path.write_text("early")

    yield receive


@contextmanager
def never(path):
    yield lambda event: None


@contextmanager
def careless(path):
    part = path.with_suffix(".part")
    part.write_text("x")
    yield lambda event: None
    part.rename(path)


@pytest.mark.parametrize(
    ("opening", "message"),
    [(early, "before the run is finished"), (never, "written no file"), (careless, "behind when the run fails")],
)
def test_check_output_detects(opening, message, tmp_path):
    def bad(*, path: str = "{stem}.txt") -> Output:
        """Bad.

        Args:
            path: the file.
        """
        return Output(path, opening)

    with pytest.raises(AssertionError, match=message):
        testing.check_output(bad, folder=tmp_path)


def test_check_model_detects_an_input_range_that_hides_the_picture():
    def bad() -> Network:
        """Bad."""
        picture = keras.Input((None, None, 3))
        model = keras.Model(picture, keras.layers.Conv2D(2, 3, name="c")(picture))
        return Network("bad", model, from_range(0.5, 0.5))

    with pytest.raises(AssertionError, match="gives black and white the same input"):
        testing.check_model(bad, {}, layer="c")


def test_check_plugin_reports_what_the_command_line_shows(tmp_path):
    (tmp_path / "plug.py").write_text("import no_such_module")
    with pytest.raises(AssertionError, match=r"plug\.py:1: ModuleNotFoundError"):
        testing.check_plugin(tmp_path / "plug.py")
