"""Objectives: each formula against independent NumPy; the ascent of some on the embedded network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kerasdream import GradientStep, feature_extractor, images
from kerasdream.builtin.objectives import (
    alignment,
    caricature,
    channel,
    class_,
    cosine,
    difference,
    direction,
    diversity,
    guide,
    hold,
    interpolate,
    l2,
    layer_difference,
    mean,
    neuron,
    style,
)
from kerasdream.builtin.objectives.style import gram
from kerasdream.components import LOGITS
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError, ModelError
from kerasdream.models import imagenet

RANDOM = np.random.default_rng(3)
A = RANDOM.normal(size=(2, 5, 6, 8)).astype("float32")
S = RANDOM.normal(size=(2, 5, 6, 8)).astype("float32")
G = RANDOM.normal(size=(1, 4, 7, 8)).astype("float32")
V = RANDOM.normal(size=8).astype("float32")


def value(objective, activations=A, reference=None, layer="x"):
    """The value of an objective of one term, and the gradient with respect to the activations."""
    (term,) = objective.terms
    tensor = tf.convert_to_tensor(activations)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        others = [] if reference is None else [{layer: tf.convert_to_tensor(reference)}]
        result = term.fn({layer: tensor}, *([term.summary(iter(others))] if term.summary else others))
    return result.numpy(), tape.gradient(result, tensor).numpy()


def cosines(a, b):
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


# Channels


def test_l2_and_mean_are_means_over_channels():
    scores, slope = value(l2(layer="x"))
    np.testing.assert_allclose(scores, 0.5 * (A**2).mean(axis=-1), rtol=1e-5)
    np.testing.assert_allclose(slope, A / 8, rtol=1e-5)
    scores, slope = value(mean(layer="x"))
    np.testing.assert_allclose(scores, A.mean(axis=-1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope, np.full_like(A, 1 / 8))


def test_channel_is_the_mean_of_one_or_several():
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


def test_weakest_ignores_channels_that_are_zero():
    rectified = np.maximum(A, 0)
    rectified[..., [0, 5]] = 0
    scores, slope = value(channel(layer="x", channel="weakest"), rectified)
    np.testing.assert_allclose(scores, np.delete(rectified.mean((1, 2)), [0, 5], axis=1).min(1), rtol=1e-5)
    assert slope.any()


def test_random_channels_depend_on_the_seed_alone():
    scores = [value(channel(layer="x", channel="random", count=2, seed=seed))[0] for seed in (0, 0, 1)]
    pairs = {(i, j): (A[..., i] + A[..., j]) / 2 for i in range(8) for j in range(i)}
    assert any(np.allclose(scores[0], mean, rtol=1e-5) for mean in pairs.values())
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])


@pytest.mark.parametrize("which", ["strongest", "random"])
def test_too_many_channels_are_refused(which):
    with pytest.raises(ModelError, match=r"'x' has 8 channels; cannot pick 9 of them"):
        value(channel(layer="x", channel=which, count=9))
    with pytest.raises(ModelError, match=r"'x' has 8 channels; expected 0 to 7, not 8"):
        value(channel(layer="x", channel=[0, 8]))


def test_neuron_is_a_channel_at_a_point():
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
def test_cosine_weights_the_dot_product_by_the_angle(power):
    scores, slope = value(cosine(layer="x", direction=V, power=power))
    np.testing.assert_allclose(scores, (A @ V) * np.maximum(cosines(A, V), 0.1) ** power, rtol=1e-4, atol=1e-5)
    assert slope.any(-1).all()


def test_cosine_has_a_gradient_at_zero():
    scores, slope = value(cosine(layer="x", direction=V), 0 * A)
    assert not scores.any()
    np.testing.assert_allclose(slope, np.broadcast_to(0.01 * V, A.shape), rtol=1e-5)


def test_a_direction_may_list_only_its_nonzero_channels():
    scores, _ = value(direction(layer="x", direction={3: 2.0, 6: -1.0}))
    np.testing.assert_allclose(scores, 2 * A[..., 3] - A[..., 6], rtol=1e-4, atol=1e-5)
    with pytest.raises(ModelError, match="'x' has 8 channels; expected 0 to 7, not 8"):
        value(direction(layer="x", direction={8: 1.0}))


def test_a_direction_is_read_from_a_file(tmp_path):
    np.save(tmp_path / "v.npy", V)
    np.testing.assert_allclose(
        value(direction(layer="x", direction=tmp_path / "v.npy"))[0], A @ V, rtol=1e-4, atol=1e-5
    )


def test_invalid_directions_are_refused(tmp_path):
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


def test_guide_pulls_each_position_to_its_nearest_vector():
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


def test_hold_is_the_mean_distance_at_each_position():
    scores, slope = value(hold(layer="x", amount=2.0), A, S)
    np.testing.assert_allclose(scores, -np.linalg.norm(A - S, axis=-1), rtol=2e-3)
    expected = (S - A) / np.linalg.norm(A - S, axis=-1, keepdims=True)
    np.testing.assert_allclose(slope, expected, rtol=2e-3, atol=1e-5)
    scores, slope = value(hold(layer="x"), S, S)
    assert not scores.any()
    assert not slope.any()


def test_hold_needs_another_objective():
    run = "image: noise\nmodel: efficientnet_lite0\nobjectives:\n  - hold: {layer: block5_expand}\n"
    with pytest.raises(ConfigError, match=r"hold is in proportion to the other objectives, and there are none; add"):
        resolve(parse(run, "run.yaml"), Path())


def test_hold_keeps_the_photo(lite0, chelsea):
    """With amount 1 the layer sees more of the photo than without; with 5 hardly anything is gained."""
    photo = chelsea[60:188, 100:228]
    moved, gained = [], []
    layers = ["block3_expand", "block5_expand"]
    seen = feature_extractor(lite0.model, layers)
    for amount in (0.0, 1.0, 5.0):
        parts = [l2(layer="block5_expand"), hold(layer="block3_expand", amount=amount)]
        step, picture = GradientStep(lite0, parts), photo
        rate = 0.01 / abs(step(photo, source=photo)[1]).mean()
        for number in range(8):
            picture = np.clip(picture + rate * step(picture, step=number, source=photo)[1], -1, 1)
        before, after = (seen(lite0.preprocess(one[None])) for one in (photo, picture))
        (held, climbed), (photos, start) = ([one[layer].numpy() for layer in layers] for one in (after, before))
        moved.append(np.linalg.norm(held - photos, axis=-1).mean())
        gained.append((climbed**2).mean() - (start**2).mean())
    assert moved[2] < moved[1] < 0.85 * moved[0], moved
    assert gained[2] < 0.5 * gained[1] < 0.5 * gained[0], gained


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


def test_style_ignores_positions_and_is_zero_at_itself():
    shuffled = np.random.default_rng(0).permutation(G.reshape(-1, 8)).reshape(1, 7, 4, 8)
    scores, slope = value(style(image="style.png", layer="x"), shuffled, G)
    np.testing.assert_allclose(scores, [0], atol=1e-8)
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_style_is_the_mean_over_its_layers():
    (term,) = style(image="style.png", layer=["x", "y"]).terms
    both = term.fn({"x": A, "y": S}, term.summary(iter([{"x": G, "y": A[:1]}])))
    one, other = (
        value(style(image="style.png", layer="x"), A, G)[0],
        value(style(image="s.png", layer="x"), S, A[:1])[0],
    )
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-4)


def test_style_of_several_pictures_is_the_mean_of_their_gram_matrices():
    other = RANDOM.normal(size=(1, 3, 5, 8)).astype("float32")
    (term,) = style(image=(Path("a.png"), Path("b.png")), layer="x").terms
    scores = term.fn({"x": A}, term.summary(iter([{"x": G}, {"x": other}])))
    target = (gram(G) + gram(other)) / 2
    expected = -np.mean((gram(A) - target) ** 2, axis=(1, 2)) / np.mean(target**2)
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_sorted_style_is_the_distance_of_quantiles():
    """Along each channel; that is the squared Wasserstein distance of one dimension."""
    other = RANDOM.normal(size=(1, 3, 5, 8)).astype("float32")
    (term,) = style(image=(Path("a.png"), Path("b.png")), layer="x", match="sorted").terms
    scores = term.fn({"x": A}, term.summary(iter([{"x": G}, {"x": other}])))

    def at_ranks(values, count):
        values = np.sort(values.reshape(-1, 8), axis=0)
        ranks, own = ((np.arange(n) + 0.5) / n for n in (count, len(values)))
        return np.stack([np.interp(ranks, own, values[:, channel]) for channel in range(8)], axis=1)

    target = (at_ranks(G, 28) + at_ranks(other, 28)) / 2
    scale, target = (target**2).mean(), at_ranks(target, 30)
    for picture in (0, 1):
        expected = -((at_ranks(A[picture], 30) - target) ** 2).mean() / scale
        assert float(scores[picture]) == pytest.approx(expected, rel=1e-3)


def test_sorted_style_ignores_positions_and_pulls_each_to_the_value_of_its_rank():
    shuffled = np.random.default_rng(0).permutation(G.reshape(-1, 8)).reshape(1, 7, 4, 8)
    objective = style(image="style.png", layer="x", match="sorted")
    scores, slope = value(objective, shuffled, G)
    np.testing.assert_allclose(scores, [0], atol=1e-8)
    np.testing.assert_allclose(slope, 0, atol=1e-6)
    scores, slope = value(objective, shuffled + 1, G)
    assert scores < -0.5
    np.testing.assert_allclose(slope, slope.mean(), rtol=1e-3)
    assert (slope < 0).all()


def test_several_guides_are_one_set_of_vectors():
    other = RANDOM.normal(size=(1, 3, 5, 8)).astype("float32")
    (term,) = guide(image=(Path("a.png"), Path("b.png")), layer="x").terms
    both = term.fn({"x": A}, term.summary(iter([{"x": G}, {"x": other}])))
    dots = [(A.reshape(-1, 8) @ one.reshape(-1, 8).T).max(1).reshape(A.shape[:3]) / 8 for one in (G, other)]
    np.testing.assert_allclose(both, np.maximum(*dots), rtol=1e-4, atol=1e-5)
    assert (dots[0] > dots[1]).any()
    assert (dots[1] > dots[0]).any()


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


def test_interpolate_leads_from_one_channel_to_the_other():
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


def test_class_by_index_works_for_any_network():
    logits = np.ones((2, 10), "float32")
    np.testing.assert_array_equal(value(class_(index=9), logits, layer=LOGITS)[0], [1, 1])
    with pytest.raises(ModelError, match=r"has 10 classes, .* from 0 to 9, instead of 'flamingo'"):
        value(class_(name="flamingo"), logits, layer=LOGITS)
    with pytest.raises(ModelError, match="has 10 classes; expected an index from 0 to 9, not 10"):
        value(class_(index=10), logits, layer=LOGITS)
    with pytest.raises(ModelError, match="one output, for yes or no; expected index: 0, with weight: -1 for no, not 1"):
        value(class_(index=1), logits[:, :1], layer=LOGITS)


def test_class_needs_a_name_or_an_index():
    for parameters in ({}, {"name": "flamingo", "index": 130}):
        with pytest.raises(ConfigError, match="either the name of a class or its index"):
            class_(**parameters)


def test_factory_errors_have_line_numbers():
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
def test_missing_channels_and_classes_are_reported_with_the_line(lite0, chelsea, objective, words):
    config = resolve(parse(f"image: noise\nobjectives:\n  - {objective}\n", "f.yaml"), Path("."))
    (entry,) = config.objectives
    crops = config.crops_for(lite0.side)
    with pytest.raises(ModelError, match=rf"^f\.yaml:3:5: objectives\.0\.{entry.name}: .*{words}"):
        GradientStep(lite0, [entry], crops=crops)(chelsea[:224, :224])


def test_class_names_are_checked_with_the_run_file(tmp_path):
    document = YamlDocument({"image": "noise", "objectives": [{"class": "flamigno"}, {"class": "crane"}]}, "run.yaml")
    with pytest.raises(ConfigError) as error:
        resolve(document, tmp_path)
    first, second = str(error.value).splitlines()
    assert "objectives.0.class.name: expected a class of ImageNet (did you mean 'flamingo'" in first
    assert first.endswith(", not flamigno")
    assert "objectives.1.class.name: expected the index of one of the classes with this name (134: crane; 517" in second


# On the embedded network, with its ImageNet weights


CLIMBED = {
    "strongest": {"channel": {"layer": "block5_expand", "channel": "strongest", "count": 5}},
    "a guide": {"style": {"image": "guide.png", "layer": ["stem", "block1_expand", "block3_expand"]}},
    "a distribution": {"style": {"image": "guide.png", "layer": ["stem", "block3_expand"], "match": "sorted"}},
    "panels": {"interpolate": {"layer": "block5_expand", "channel": 7, "to_layer": "block3_expand", "to_channel": 40}},
}
"""With its own picture, with others, with its neighbours; tests/test_testing.py takes a step with every objective."""


@pytest.mark.no_cover
@pytest.mark.parametrize("name", CLIMBED)
def test_six_steps_raise_the_score(name, lite0, chelsea, coffee, tmp_path):
    images.save(tmp_path / "guide.png", coffee[100:228, 200:328], format="png")
    panels = (1, 2) if name == "panels" else (1, 1)
    data = {"image": {"source": "noise", "panels": panels}, "model": lite0, "objectives": [CLIMBED[name]]}
    entries = resolve(YamlDocument(data, "run.yaml"), tmp_path).objectives
    step = GradientStep(lite0, entries, tile=128, halo=0)
    photo = chelsea[80:208, 150:278]
    picture = photo + np.random.default_rng(0).normal(0, 0.1, photo.shape).astype("float32")
    scores = []
    for _ in range(6):
        score, gradient = step(picture, source=photo, panels=panels)
        scores.append(score)
        picture = np.clip(picture + 0.01 * gradient / np.sqrt((gradient**2).mean()), -1, 1)
    scores.append(step(picture, source=photo, panels=panels)[0])
    assert scores[-1] - scores[0] > 0.05 * abs(scores[0])
    assert scores[3] > scores[0]


@pytest.mark.no_cover
def test_a_guided_dream_is_closer_to_the_guide_than_an_unguided_one(lite0, chelsea, coffee, tmp_path):
    """Compare by the cosine between the features at each position and the nearest features of the guide."""
    layer, shown = "block5_expand", coffee[150:278, 250:378]
    images.save(tmp_path / "guide.png", shown, format="png")
    extractor = feature_extractor(lite0.model, [layer])

    def features(picture):
        activations = extractor(lite0.preprocess(picture[None]))[layer].numpy()[0]
        rows = activations.reshape(-1, activations.shape[-1])
        return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)

    def dreamed(objective):
        picture, step = chelsea[80:208, 150:278], GradientStep(lite0, objective, tile=128, halo=0)
        for number in range(10):
            _, gradient = step(picture, step=number)
            picture = np.clip(picture + 0.018 * gradient / np.abs(gradient).mean(), -1, 1)
        return (features(picture) @ features(shown).T).max(axis=1).mean()

    guided, unguided = dreamed(guide(image=tmp_path / "guide.png", layer=layer)), dreamed(l2(layer=layer))
    assert guided > unguided + 0.02


def test_neuron_changes_only_its_receptive_field(lite0, chelsea):
    step = GradientStep(lite0, neuron(layer="block3_expand", channel=40, x=0.3, y=0.6), tile=256, halo=0)
    _, gradient = step(chelsea[:256, :256])
    rows, columns = np.nonzero(np.abs(gradient).sum(-1))
    assert abs((rows.min() + rows.max()) / 2 - 0.6 * 256) < 4
    assert abs((columns.min() + columns.max()) / 2 - 0.3 * 256) < 4
    assert np.ptp(rows) < 60


@pytest.mark.no_cover
def test_class_is_the_logit_of_the_network(lite0, coffee):
    picture = coffee[88:312, 188:412]
    logits = lite0.model(lite0.preprocess(picture[None])).numpy()[0].astype("float64")
    assert logits.argmax() == imagenet.index_of("espresso")
    both = [class_(name="espresso"), 1000 * class_(index=967, score="log_probability")]
    score, _ = GradientStep(lite0, both, tile=224, halo=0)(picture)
    assert score == pytest.approx(logits[967] + 1000 * (logits[967] - np.log(np.exp(logits).sum())), abs=1e-2)
