"""The objectives: each formula against independent NumPy, ten steps uphill on the embedded network raise it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tensorflow as tf

from kerasdream import GradientStep, Network, feature_extractor, images
from kerasdream.builtin.objectives.alignment import alignment
from kerasdream.builtin.objectives.caricature import caricature
from kerasdream.builtin.objectives.channel import channel
from kerasdream.builtin.objectives.class_ import class_
from kerasdream.builtin.objectives.cosine import cosine
from kerasdream.builtin.objectives.difference import difference
from kerasdream.builtin.objectives.direction import direction
from kerasdream.builtin.objectives.diversity import diversity
from kerasdream.builtin.objectives.guide import guide
from kerasdream.builtin.objectives.interpolate import interpolate
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.layer_difference import layer_difference
from kerasdream.builtin.objectives.neuron import neuron
from kerasdream.builtin.objectives.style import gram, style
from kerasdream.components import LOGITS, from_range
from kerasdream.config.document import Document, parse
from kerasdream.config.run_config import resolve
from kerasdream.config.schema import json_schema
from kerasdream.errors import ConfigError, ModelError
from kerasdream.models import imagenet
from kerasdream.plugins.manager import discover as load_plugins
from kerasdream.schedules import Progress

RANDOM = np.random.default_rng(3)
A = RANDOM.normal(size=(2, 5, 6, 8)).astype("float32")
S = RANDOM.normal(size=(2, 5, 6, 8)).astype("float32")
G = RANDOM.normal(size=(1, 4, 7, 8)).astype("float32")
V = RANDOM.normal(size=8).astype("float32")


def value(objective, activations=A, reference=None, layer="x"):
    """What an objective of one term makes of activations, and the gradient with respect to them."""
    (term,) = objective.terms
    tensor = tf.convert_to_tensor(activations)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        result = term.fn({layer: tensor}, *([] if reference is None else [{layer: tf.convert_to_tensor(reference)}]))
    return result.numpy(), tape.gradient(result, tensor).numpy()


def cosines(a, b):
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


# Channels


def test_channel_takes_one_or_several():
    np.testing.assert_allclose(value(channel(layer="x", channel=3))[0], A[..., 3], rtol=1e-6)
    np.testing.assert_allclose(value(channel(layer="x", channel=[1, 6]))[0], (A[..., 1] + A[..., 6]) / 2, rtol=1e-5)


@pytest.mark.parametrize("which", ["strongest", "weakest"])
def test_channel_picks_by_strength_in_each_picture(which):
    scores, slope = value(channel(layer="x", channel=which, count=3))
    means = A.mean((1, 2))
    for picture in (0, 1):
        order = np.argsort(means[picture])
        picked = order[-3:] if which == "strongest" else order[:3]
        assert scores[picture] == pytest.approx(means[picture][picked].mean(), rel=1e-5)
        expected = np.zeros(8)
        expected[picked] = 1 / (3 * 5 * 6)
        np.testing.assert_allclose(slope[picture], np.broadcast_to(expected, (5, 6, 8)), rtol=1e-5)
    assert set(np.argsort(means[0])[-3:]) != set(np.argsort(means[1])[-3:])  # or the test would say little


def test_the_weakest_channel_is_one_that_responds():
    rectified = np.maximum(A, 0)
    rectified[..., [0, 5]] = 0
    scores, slope = value(channel(layer="x", channel="weakest"), rectified)
    np.testing.assert_allclose(scores, np.delete(rectified.mean((1, 2)), [0, 5], axis=1).min(1), rtol=1e-5)
    assert slope.any()


def test_channel_at_random_is_one_draw_of_the_seed():
    scores = [value(channel(layer="x", channel="random", count=2, seed=seed))[0] for seed in (0, 0, 1)]
    pairs = {(i, j): (A[..., i] + A[..., j]) / 2 for i in range(8) for j in range(i)}
    assert any(np.allclose(scores[0], mean, rtol=1e-5) for mean in pairs.values())
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])


@pytest.mark.parametrize("which", ["strongest", "random"])
def test_more_channels_than_there_are_cannot_be_picked(which):
    with pytest.raises(ModelError, match=r"'x' has 8 channels; 9 cannot be picked"):
        value(channel(layer="x", channel=which, count=9))
    with pytest.raises(ModelError, match=r"'x' has 8 channels; expected 0 to 7, not 8"):
        value(channel(layer="x", channel=[0, 8]))


def test_neuron_is_a_channel_at_a_place():
    objective = neuron(layer="x", channel=2, x=0.25, y=0.75)
    assert objective.terms[0].at == (0.75, 0.25)
    np.testing.assert_allclose(value(objective)[0], A[..., 2])


# Directions


def test_direction_is_the_dot_product():
    scores, slope = value(direction(layer="x", direction=V.tolist()))
    np.testing.assert_allclose(scores, A @ V, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(slope, np.broadcast_to(V, A.shape))
    assert direction(layer="x", direction=V).terms[0].at is None
    assert direction(layer="x", direction=V, x=0.2).terms[0].at == (0.5, 0.2)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_cosine_counts_the_angle(power):
    scores, slope = value(cosine(layer="x", direction=V, power=power))
    np.testing.assert_allclose(scores, (A @ V) * np.maximum(cosines(A, V), 0.1) ** power, rtol=1e-4, atol=1e-5)
    assert slope.any(-1).all()


def test_cosine_of_nothing_has_a_slope():
    scores, slope = value(cosine(layer="x", direction=V), 0 * A)
    assert not scores.any()
    np.testing.assert_allclose(slope, np.broadcast_to(0.01 * V, A.shape), rtol=1e-5)


def test_a_direction_may_name_its_channels_alone():
    scores, _ = value(direction(layer="x", direction={3: 2.0, 6: -1.0}))
    np.testing.assert_allclose(scores, 2 * A[..., 3] - A[..., 6], rtol=1e-4, atol=1e-5)
    with pytest.raises(ModelError, match="'x' has 8 channels; expected 0 to 7, not 8"):
        value(direction(layer="x", direction={8: 1.0}))


def test_a_direction_comes_from_a_file_too(tmp_path):
    np.save(tmp_path / "v.npy", V)
    np.testing.assert_allclose(
        value(direction(layer="x", direction=tmp_path / "v.npy"))[0], A @ V, rtol=1e-4, atol=1e-5
    )


def test_a_direction_that_is_none_is_refused(tmp_path):
    (tmp_path / "text.npy").write_text("1 2 3")
    np.save(tmp_path / "table.npy", np.ones((2, 3)))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    for file, words in {
        "none.npy": "none.npy does not exist",
        "text.npy": "text.npy is not an array file",
        "objects.npy": "objects.npy is not an array file",
        "table.npy": r"shape \(2, 3\); expected \(channels,\)",
    }.items():
        with pytest.raises(ConfigError, match=words):
            direction(layer="x", direction=tmp_path / file)
    for numbers in ([0.0, 0.0], [1.0, np.nan]):
        with pytest.raises(ConfigError, match="finite numbers that are not all zero"):
            cosine(layer="x", direction=numbers)
    with pytest.raises(ModelError, match="'x' has 8 channels; the direction has 3 numbers"):
        value(direction(layer="x", direction=[1.0, 2.0, 3.0]))


# Other pictures


def test_guide_pulls_each_place_to_the_vector_it_resembles_most():
    scores, slope = value(guide(image="guide.png", layer="x"), A, G)
    vectors = G.reshape(-1, 8)
    best = vectors[(A.reshape(-1, 8) @ vectors.T).argmax(1)].reshape(A.shape)
    np.testing.assert_allclose(scores, (A * best).mean(-1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(slope, best / 8, rtol=1e-5)
    assert len(np.unique(best.reshape(-1, 8), axis=0)) > 5


@pytest.mark.parametrize("power", [0.0, 1.0, 3.0])
def test_caricature_exaggerates_the_source(power):
    expected = (A * S).mean(-1) * np.maximum(cosines(A, S), 0.1) ** power
    np.testing.assert_allclose(value(caricature(layer="x", power=power), A, S)[0], expected, rtol=1e-4, atol=1e-5)


def test_caricature_starts_as_l2_does():
    """At the photo itself, with power 0, the layer's gradient is its activation."""
    _, slope = value(caricature(layer="x", power=0.0), A, A)
    np.testing.assert_allclose(slope, A / 8, rtol=1e-5)


def test_difference_is_the_mean_square():
    scores, slope = value(difference(layer="x"), A, S)
    np.testing.assert_allclose(scores, ((A - S) ** 2).mean(-1), rtol=1e-5)
    np.testing.assert_allclose(slope, (A - S) / 4, rtol=1e-4, atol=1e-6)


def test_layer_difference_is_half_the_difference_of_mean_squares():
    objective = layer_difference(layer="x", minus="y", amount=3.0)
    assert [(term.layers, term.weight) for term in objective.terms] == [(("x",), 1.0), (("y",), -3.0)]
    for term in objective.terms:
        np.testing.assert_allclose(term.fn({term.layers[0]: A}), (A**2).mean(-1) / 2, rtol=1e-5)


def test_style_is_the_distance_of_gram_matrices():
    def matrix(activations):
        flat = activations.reshape(-1, 8).astype("float64")
        return flat.T @ flat / len(flat)

    scores, _ = value(style(image="style.png", layer="x"), A, G)
    target = matrix(G[0])
    for picture in (0, 1):
        expected = -((matrix(A[picture]) - target) ** 2).mean() / (target**2).mean()
        assert scores[picture] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(gram(A)[1], matrix(A[1]), rtol=1e-4, atol=1e-5)


def test_style_does_not_ask_where_and_is_best_at_itself():
    shuffled = np.random.default_rng(0).permutation(G.reshape(-1, 8)).reshape(1, 7, 4, 8)
    scores, slope = value(style(image="style.png", layer="x"), shuffled, G)
    np.testing.assert_allclose(scores, [0], atol=1e-8)
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_style_is_the_mean_over_its_layers():
    (term,) = style(image="style.png", layer=["x", "y"]).terms
    both = term.fn({"x": A, "y": S}, {"x": G, "y": A[:1]})
    one, other = (
        value(style(image="style.png", layer="x"), A, G)[0],
        value(style(image="s.png", layer="x"), S, A[:1])[0],
    )
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-4)


# Batches of pictures


def test_diversity_is_minus_the_mean_cosine_of_gram_matrices():
    batch = RANDOM.normal(size=(3, 5, 6, 8)).astype("float32")
    grams = [np.einsum("hwc,hwd->cd", picture, picture).ravel() for picture in batch]
    likeness = np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a in grams] for b in grams])
    scores, slope = value(diversity(layer="x"), batch)
    np.testing.assert_allclose(scores, -(likeness.sum(1) - 1) / 2, rtol=1e-4)
    assert slope.any()
    np.testing.assert_allclose(value(diversity(layer="x"), np.repeat(A[:1], 3, axis=0))[0], -1, rtol=1e-5)
    np.testing.assert_allclose(value(diversity(layer="x"), A[:1])[0], 0, atol=1e-5)


def test_alignment_pulls_neighbours_together():
    batch = RANDOM.normal(size=(3, 5, 6, 8)).astype("float32")
    gaps = ((batch[1:] - batch[:-1]) ** 2).mean(-1)
    scores, slope = value(alignment(layer="x"), batch)
    np.testing.assert_allclose(scores, [-gaps[0] / 2, -(gaps[0] + gaps[1]) / 2, -gaps[1] / 2], rtol=1e-4)
    moved, _ = value(alignment(layer="x"), batch + slope)
    assert moved.sum() > scores.sum()


def test_interpolate_goes_from_one_channel_to_the_other():
    batch = RANDOM.normal(size=(3, 5, 6, 8)).astype("float32")
    first, last = interpolate(layer="x", channel=2, to_layer="y", to_channel=5).terms
    share = np.array([0, 0.5, 1])[:, None, None]
    np.testing.assert_allclose(first.fn({"x": batch}), (1 - share) * batch[..., 2], rtol=1e-5)
    np.testing.assert_allclose(last.fn({"y": batch}), share * batch[..., 5], rtol=1e-5)


# Classes


def test_class_is_a_logit_or_its_log_probability():
    logits = RANDOM.normal(size=(2, 1000)).astype("float32")
    scores, slope = value(class_(name="Flamingo"), logits, layer=LOGITS)
    np.testing.assert_array_equal(scores, logits[:, 130])
    assert (slope != 0).sum() == 2
    scores, slope = value(class_(index=7, score="log_probability"), logits, layer=LOGITS)
    np.testing.assert_allclose(scores, logits[:, 7] - np.log(np.exp(logits).sum(1)), rtol=1e-4)
    assert (slope[:, 7] > 0).all()
    assert (np.delete(slope, 7, axis=1) < 0).all()


def test_class_of_another_network_goes_by_index():
    logits = np.ones((2, 10), "float32")
    np.testing.assert_array_equal(value(class_(index=9), logits, layer=LOGITS)[0], [1, 1])
    with pytest.raises(ModelError, match=r"has 10 classes, .* from 0 to 9, instead of 'flamingo'"):
        value(class_(name="flamingo"), logits, layer=LOGITS)
    with pytest.raises(ModelError, match="has 10 classes; expected an index from 0 to 9, not 10"):
        value(class_(index=10), logits, layer=LOGITS)


def test_class_takes_a_name_or_an_index():
    for parameters in ({}, {"name": "flamingo", "index": 130}):
        with pytest.raises(ConfigError, match="either the name of a class or its index"):
            class_(**parameters)


def test_what_an_objective_says_of_its_parameters_stands_at_its_line_beside_other_faults():
    text = """\
image: photo.jpg
objectives:
  - direction: {layer: block5_expand, direction: nowhere.npy}
  - class: {score: logit}
  - l2: {layer: blok5_expand}
"""
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "f.yaml"), Path("."))
    file, index, layer = str(caught.value).splitlines()
    assert file.startswith("f.yaml:3:5: objectives.0.direction: the direction nowhere.npy does not exist")
    assert index.startswith("f.yaml:4:5: objectives.1.class: the objective 'class' takes either the name of a")
    assert layer.startswith("f.yaml:5:10: objectives.2.l2.layer: ")


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("channel: {layer: block1_expand, channel: [7, 5000]}", "has 96 channels; expected 0 to 95, not 5000"),
        ("direction: {layer: block1_expand, direction: [1, 2]}", "has 96 channels; the direction has 2 numbers"),
        ("class: {index: 1000}", "the network has 1000 classes; expected an index from 0 to 999"),
    ],
)
def test_what_the_network_does_not_have_is_told_with_the_line(lite0, chelsea, objective, words):
    config = resolve(parse(f"image: noise\nobjectives:\n  - {objective}\n", "f.yaml"), Path("."))
    (entry,) = config.objectives
    crops = config.crops_for(lite0.side)
    with pytest.raises(ModelError, match=rf"^f\.yaml:3:5: objectives\.0\.{entry.name}: .*{words}"):
        GradientStep(lite0, [entry], crops=crops)(chelsea[:224, :224])


def test_the_names_are_those_of_imagenet():
    names = imagenet.classes()
    assert len(names) == imagenet.COUNT
    known = {0: "tench", 130: "flamingo", 207: "golden retriever", 285: "Egyptian cat", 340: "zebra"}
    known |= {482: "cassette player", 701: "parachute", 967: "espresso", 999: "toilet tissue"}
    assert {index: names[index][0] for index in known} == known
    assert all(name for each in names for name in each)


def test_a_class_is_called_by_any_of_its_names_in_any_case():
    for name, index in {
        "FLAMINGO": 130,
        "egyptian_cat": 285,
        "toilet paper": 999,
        "tank suit": 639,
        "missile": 657,  # the usual name of this one, another name of 744
    }.items():
        assert imagenet.index_of(name) == index
    for name, words in {
        "crane": "index of one of the classes with this name (134: crane; 517: crane)",
        "maillot": "(638: maillot; 639: maillot, tank suit)",
        "panther": "286: cougar",
        "flamigno": "did you mean 'flamingo'",
        "xyzzy": "kerasdream classes lists them",
    }.items():
        with pytest.raises(ConfigError) as fault:
            imagenet.index_of(name)
        assert words in str(fault.value)


def test_the_name_of_a_class_is_checked_where_it_stands(tmp_path):
    document = Document({"image": "noise", "objectives": [{"class": "flamigno"}, {"class": "crane"}]}, "run.yaml")
    with pytest.raises(ConfigError) as fault:
        resolve(document, tmp_path)
    first, second = str(fault.value).splitlines()
    assert "objectives.0.class.name: expected a class of ImageNet (did you mean 'flamingo'" in first
    assert first.endswith(", not flamigno")
    assert "objectives.1.class.name: expected the index of one of the classes with this name (134: crane; 517" in second


def test_classes_are_listed_and_searched(here):
    code, out, err = here("classes")
    assert (code, len(out.splitlines()), err) == (0, 1000, "")
    code, out, err = here("classes", "Flaming")
    assert (code, out, err) == (0, "130  flamingo\n", "")
    code, out, err = here("classes", "crane")
    assert [line[:3] for line in out.splitlines()] == ["134", "517"]
    code, out, err = here("classes", "flamigno")
    assert (code, out) == (1, "")
    assert "did you mean 'flamingo'" in err


# Sums


def objectives_of(text):
    return resolve(parse("image: noise\nobjectives:\n" + text, "run.yaml"), Path(".")).objectives


def test_a_sum_stands_for_its_summands_with_its_weight():
    entries = objectives_of("""
  - sum:
      of:
        - l2: {layer: block3_expand, weight: 3}
        - sum:
            of: [{mean: block5_expand}, {channel: {layer: block5_expand, channel: 2, weight: -1}}]
            weight: 0.5
        - sum: [{l2: block8_expand}]
      weight: 2
  - l2: block11_expand
""")
    assert [(entry.name, entry.values["layer"], entry.weight) for entry in entries] == [
        ("l2", "block3_expand", 6),
        ("mean", "block5_expand", 1),
        ("channel", "block5_expand", -1),
        ("l2", "block8_expand", 2),
        ("l2", "block11_expand", 1),
    ]
    assert entries[1].path == ("objectives", 0, "sum", "of", 1, "sum", "of", 0, "mean")


def test_a_sum_scales_the_schedules_within_and_a_schedule_scales_the_numbers_within():
    ramped, keyed, each = objectives_of("""
  - sum:
      of:
        - l2: {layer: block3_expand, weight: {from: 1, to: 3}}
        - l2: {layer: block3_expand, weight: {keys: {0: 1, 4: 2}}}
        - l2: {layer: block3_expand, weight: {each: [7, 7, 7, 7, {from: 1, to: 3}]}}
      weight: 2
""")
    first, last = Progress(step=0, steps=5), Progress(step=4, steps=5)
    assert [entry.values_at(now)["weight"] for entry in (ramped, keyed, each) for now in (first, last)] == [
        2,
        6,
        2,
        4,
        2,
        6,
    ]
    (scaled,) = objectives_of("  - sum: {of: {l2: {layer: block3_expand, weight: 3}}, weight: {from: 1, to: 2}}")
    assert [scaled.values_at(now)["weight"] for now in (first, last)] == [3, 6]
    (again,) = objectives_of("  - " + json.dumps(scaled.recipe))
    assert again.weight == scaled.weight  # the recipe says what was run


def test_a_sum_gives_its_mask_to_its_summands():
    plain, inner = objectives_of("""
  - sum:
      of: [{l2: block3_expand}, {sum: {of: [{l2: block5_expand}], weight: 2}}]
      mask: {path: masks/left.png, feather: 0.1}
""")
    for entry in (plain, inner):
        assert (entry.mask.path, entry.mask.feather) == (Path("masks/left.png"), 0.1)
        assert entry.recipe["l2"]["mask"] == {"path": "left.png", "feather": 0.1, "invert": False}
    assert [plain.weight, inner.weight] == [1, 2]


def test_a_sum_is_what_the_algebra_says(tiny):
    """(2a + 3b)(x) = 2a(x) + 3b(x), gradients too, nested, from Python and a run file; a and b stay as they are."""
    network = Network("tiny", tiny, from_range(-1, 1))
    picture = RANDOM.uniform(-1, 1, (40, 56, 3)).astype("float32")
    a, b = l2(layer="c2"), channel(layer="c3", channel=1)
    inner = {"sum": {"of": {"channel": {"layer": "c3", "channel": 1}}, "weight": 1.5}}
    written = [{"sum": {"of": [{"l2": {"layer": "c2"}}, inner], "weight": 2}}]
    entries = resolve(Document({"image": "noise", "model": network, "objectives": written}, "run.yaml"), Path("."))
    (score_a, slope_a), (score_b, slope_b) = (GradientStep(network, one)(picture) for one in (a, b))
    for total in (2 * a + 3 * b, 2 * (a + 1.5 * b), -(-2 * a - 3 * b), entries.objectives):
        score, slope = GradientStep(network, total)(picture)
        assert score == pytest.approx(2 * score_a + 3 * score_b, rel=1e-5)
        np.testing.assert_allclose(slope, 2 * slope_a + 3 * slope_b, atol=1e-5 * np.abs(slope).max())
    assert [term.weight for term in (*a.terms, *b.terms)] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  - sum: []", "3:5: objectives.0.sum: expected one objective or more, not none"),
        ("  - sum: {of: [], weight: 1}", "objectives.0.sum.of: expected one objective or more"),
        (
            "  - sum: {of: [{l2: stem}], wieght: 1}",
            "objectives.0.sum.wieght: unknown key 'wieght'; did you mean 'weight'?",
        ),
        ("  - sum: {of: [{l2: stem}], weight: x}", "objectives.0.sum.weight: expected"),
        ("  - sum: [{l3: stem}]", "3:11: objectives.0.sum.0: unknown objective 'l3'"),
        (
            "  - sum: [{sum: [{l2: stemm}]}]",
            "objectives.0.sum.0.sum.0.l2.layer: efficientnet_lite0 has no layer 'stemm'",
        ),
        ("  - sum: 5", "objectives.0.sum: expected a list of objectives, not 5"),
        (
            "  - sum: {of: [{l2: {layer: stem, weight: {from: 1, to: 2}}}], weight: {from: 1, to: 2}}",
            "objectives.0.sum.of.0.l2: has a schedule of weights, and so has the sum it stands in",
        ),
        (
            "  - sum: {of: [{l2: {layer: stem, mask: a.png}}], mask: b.png}",
            "objectives.0.sum.of.0.l2: has a mask, and so has the sum it stands in; expected one of them alone",
        ),
    ],
)
def test_what_is_wrong_in_a_sum_is_told_where_it_stands(text, words):
    with pytest.raises(ConfigError) as fault:
        objectives_of(text)
    assert words in str(fault.value)
    assert len(str(fault.value).splitlines()) == 1


def test_the_json_schema_knows_sums():
    schema = jsonschema.Draft202012Validator(json_schema(load_plugins(installed=False).registry))

    def fits(entry):
        return schema.is_valid({"image": "noise", "objectives": [entry]})

    summand = {"l2": {"layer": "stem", "weight": 2}}
    assert fits({"sum": [summand]})
    assert fits({"sum": {"of": [summand, {"sum": [summand]}], "weight": {"from": 1, "to": 2}}})
    assert not fits({"sum": []})
    assert not fits({"sum": {"weight": 1}})
    assert not fits({"sum": {"of": [summand], "wieght": 1}})
    assert not fits({"sum": [{"l2": {"layer": 5}}]})


# On the embedded network, with its ImageNet weights


CLIMBED = {
    "channel": {"channel": {"layer": "block11_expand", "channel": [7, 40]}},
    "strongest": {"channel": {"layer": "block11_expand", "channel": "strongest", "count": 5}},
    "weakest": {"channel": {"layer": "block11_expand", "channel": "weakest", "count": 5}},
    "random": {"channel": {"layer": "block11_expand", "channel": "random", "count": 5, "seed": 1}},
    "neuron": {"neuron": {"layer": "block11_expand_bn", "channel": 40, "x": 0.3, "y": 0.6}},
    "direction": {"direction": {"layer": "block11_expand", "direction": {40: 1, 7: 0.5, 300: -1}}},
    "a direction at a place": {"direction": {"layer": "block3_expand_bn", "direction": {4: 1, 70: 0.5}, "x": 0.9}},
    "cosine": {"cosine": {"layer": "block11_expand", "direction": {40: 1, 7: 0.5}}},
    "class": {"class": {"name": "flamingo"}},
    "log probability": {"class": {"index": 967, "score": "log_probability"}},
    "guide": {"guide": {"image": "guide.png", "layer": "block8_expand"}},
    "caricature": {"caricature": {"layer": "block8_expand"}},
    "style": {"style": {"image": "guide.png", "layer": ["stem", "block1_expand", "block3_expand", "block5_expand"]}},
    "difference": {"difference": {"layer": "block8_expand"}},
    "near": {"difference": {"layer": "block8_expand", "weight": -1}},
    "layer_difference": {"layer_difference": {"layer": "block11_expand", "minus": "block3_expand", "amount": 0.1}},
    "diversity": {"diversity": {"layer": "block5_expand"}},
    "alignment": {"alignment": {"layer": "block5_expand"}},
    "interpolate": {
        "interpolate": {"layer": "block11_expand", "channel": 7, "to_layer": "block8_expand", "to_channel": 40}
    },
}


@pytest.mark.parametrize("name", CLIMBED)
def test_ten_steps_raise_it(name, lite0, chelsea, coffee, tmp_path):
    images.save(tmp_path / "guide.png", coffee[100:292, 200:392], format="png")
    panels = (1, 2) if name in ("diversity", "alignment", "interpolate") else (1, 1)
    data = {"image": {"source": "noise", "panels": panels}, "model": lite0, "objectives": [CLIMBED[name]]}
    entries = resolve(Document(data, "run.yaml"), tmp_path).objectives
    step = GradientStep(lite0, entries, tile=224, halo=0)
    photo = chelsea[40:264, 100:324]
    picture = photo + np.random.default_rng(0).normal(0, 0.1, photo.shape).astype("float32")
    scores = []
    for _ in range(10):
        score, gradient = step(picture, source=photo, panels=panels)
        scores.append(score)
        picture = np.clip(picture + 0.01 * gradient / np.sqrt((gradient**2).mean()), -1, 1)
    scores.append(step(picture, source=photo, panels=panels)[0])
    assert scores[-1] - scores[0] > 0.05 * abs(scores[0])
    assert scores[5] > scores[0]


@pytest.mark.parametrize("layer", ["block5_expand", "block8_expand"])
def test_a_guided_dream_is_closer_to_the_guide_than_one_without(layer, lite0, chelsea, coffee, tmp_path):
    """By the cosine of each position's features with the nearest of the guide's, wherever it is in the guide."""
    shown = coffee[100:324, 200:424]
    images.save(tmp_path / "guide.png", shown, format="png")
    extractor = feature_extractor(lite0.model, [layer])

    def features(picture):
        activations = extractor(lite0.preprocess(picture[None]))[layer].numpy()[0]
        rows = activations.reshape(-1, activations.shape[-1])
        return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)

    def dreamed(objective):
        picture, step = chelsea[40:264, 100:324], GradientStep(lite0, objective, tile=224, halo=0)
        for number in range(20):
            _, gradient = step(picture, step=number)
            picture = np.clip(picture + 0.018 * gradient / np.abs(gradient).mean(), -1, 1)
        return (features(picture) @ features(shown).T).max(axis=1).mean()

    guided, unguided = dreamed(guide(image=tmp_path / "guide.png", layer=layer)), dreamed(l2(layer=layer))
    assert guided > unguided + 0.02


def test_a_neuron_changes_its_patch_alone(lite0, chelsea):
    step = GradientStep(lite0, neuron(layer="block3_expand", channel=40, x=0.3, y=0.6), tile=512, halo=0)
    _, gradient = step(chelsea[:256, :256])
    rows, columns = np.nonzero(np.abs(gradient).sum(-1))
    assert abs((rows.min() + rows.max()) / 2 - 0.6 * 256) < 4
    assert abs((columns.min() + columns.max()) / 2 - 0.3 * 256) < 4
    assert np.ptp(rows) < 60


def test_a_class_is_the_network_s_own_number(lite0, coffee):
    """What the objective scores is what the network answers; it is sure that this is an espresso."""
    picture = coffee[88:312, 188:412]
    logits = lite0.model(lite0.preprocess(picture[None])).numpy()[0].astype("float64")
    assert logits.argmax() == imagenet.index_of("espresso")
    score, _ = GradientStep(lite0, class_(name="espresso"), tile=224, halo=0)(picture)
    assert score == pytest.approx(logits[967], abs=1e-3)
    score, _ = GradientStep(lite0, class_(index=967, score="log_probability"), tile=224, halo=0)(picture)
    assert score == pytest.approx(logits[967] - np.log(np.exp(logits).sum()), abs=1e-3)
