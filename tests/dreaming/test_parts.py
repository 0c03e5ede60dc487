"""Guides, masks and the source: read once, at the right size, in the right place."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from kerasdream import Energy, GradientStep, Objective, Projection, Transform, images, ops
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.dreaming.parts import Parts, extractor_for, placed
from kerasdream.dreaming.step import as_network
from kerasdream.errors import ConfigError, ImageError
from kerasdream.images.masks import Mask
from kerasdream.plan.crops import Windows
from kerasdream.plan.cutting import Border
from kerasdream.plan.panels import Panels
from kerasdream.plugins.spec import PartSpec
from kerasdream.session.session import Session

LAYER = "c3"


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (height, width, 3)).astype("float32")


def whole(model, objective, **options):
    return GradientStep(model, objective, input_range=(-1, 1), tile=512, halo=0, **options)


@pytest.fixture
def half(tmp_path):
    """A mask: the right half of the picture."""
    mask = np.zeros((40, 60), "uint8")
    mask[:, 30:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


def test_guide_is_seen_whole(tiny, tmp_path):
    guide = np.random.default_rng(5).integers(0, 256, (40, 56, 3)).astype("uint8")
    Image.fromarray(guide).save(tmp_path / "guide.png")
    seen = []

    def best(activations, guide_activations):
        seen.append(guide_activations[LAYER])
        vectors = ops.reshape(guide_activations[LAYER], (-1, guide_activations[LAYER].shape[-1]))
        return ops.max(activations[LAYER] @ ops.transpose(vectors), axis=-1)

    objective = Objective(LAYER, best, reference=tmp_path / "guide.png")
    whole(tiny, objective)(noise(64, 96))
    features = keras.Model(tiny.input, tiny.get_layer(LAYER).output)
    np.testing.assert_allclose(seen[-1], features(guide[None] / np.float32(127.5) - 1), atol=1e-5)
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        GradientStep(tiny, Objective(LAYER, best, reference=tmp_path / "nowhere.png"), input_range=(-1, 1))


def test_of_several_guides_a_function_sees_each_whole(tiny, tmp_path):
    """A folder stands for its pictures; the summary of all of them is computed once."""
    random = np.random.default_rng(5)
    (tmp_path / "more").mkdir()
    shapes = {"a.png": (40, 56), "more/b.png": (24, 32), "more/c.png": (32, 24)}
    for name, shape in shapes.items():
        Image.fromarray(random.integers(0, 256, (*shape, 3)).astype("uint8")).save(tmp_path / name)
    seen, counts = [], []

    def density(activations, guides):
        seen.append([one[LAYER].shape[1:3] for one in guides])
        return activations[LAYER][..., 0]

    def summary(pictures):
        counts.append([one[LAYER].shape[1:3] for one in pictures])
        return 3.0

    several = (tmp_path / "a.png", tmp_path / "more")
    plain = Objective(LAYER, density, reference=several)
    summed = Objective(LAYER, lambda a, found: found * a[LAYER][..., 0], reference=several, summary=summary)
    step = whole(tiny, plain + summed)
    score, _ = step(noise(64, 96))
    step(noise(64, 96), step=1)
    expected = [(10, 14), (6, 8), (8, 6)]
    assert seen[-1] == expected
    assert counts == [expected]
    assert score == pytest.approx(4 * whole(tiny, Objective(LAYER, lambda a: a[LAYER][..., 0]))(noise(64, 96))[0], 1e-4)


def test_a_single_guide_is_not_a_folder(tiny, tmp_path):
    objective = Objective(LAYER, lambda a, b: a[LAYER][..., 0], reference=tmp_path)
    with pytest.raises(ImageError, match="is a folder; expected a picture"):
        whole(tiny, objective)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="has no pictures"):
        whole(tiny, Objective(LAYER, lambda a, b: a[LAYER][..., 0], reference=[tmp_path / "empty"]))


@pytest.mark.parametrize("size", [None, 48])
def test_guide_with_crops(size, tmp_path):
    """Also where the network takes pictures of one size only: the guide is then brought to it."""
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 56, 3)).astype("uint8")).save(tmp_path / "guide.png")
    keras.utils.set_random_seed(1)
    picture = keras.Input((size, size, 3))
    features = keras.layers.Conv2D(8, 3, strides=2, activation="relu", name=LAYER)(picture)
    seen = []

    def best(activations, guide_activations):
        seen.append(guide_activations[LAYER].shape)
        return ops.mean(activations[LAYER] * ops.mean(guide_activations[LAYER], axis=(1, 2), keepdims=True), axis=-1)

    objective = Objective(LAYER, best, reference=tmp_path / "guide.png")
    step = GradientStep(keras.Model(picture, features), objective, input_range=(-1, 1), crops=Windows(48))
    score, gradient = step(noise(60, 70))
    assert score > 0
    assert gradient.any()
    assert seen[-1] == ((1, 23, 23, 8) if size else (1, 19, 27, 8))


def test_source_and_masks_are_read_once(tiny, half, monkeypatch):

    near = PartSpec.of(
        "objectives", Objective(LAYER, lambda a, b: ops.mean(a[LAYER] * b[LAYER], -1), reference="source")
    )
    near = replace(near, values={"mask": Mask(half)})
    reads, at = [], Mask.resized
    monkeypatch.setattr(Mask, "resized", lambda mask, shape: reads.append(shape) or at(mask, shape))
    step, source = whole(tiny, [near]), noise(96, 128, 1)
    scores = [step(noise(96, 128), source=source)[0] for _ in range(3)]
    assert len(set(scores)) == len(reads) == 1
    assert step(noise(96, 128), source=noise(96, 128, 2))[0] != scores[0]


def test_mask_says_where_an_objective_counts(tiny, half, tmp_path):
    picture = noise(96, 128)
    Image.fromarray(((picture + 1) * 127.5).round().astype("uint8")).save(tmp_path / "photo.png")

    def step_for(objectives):
        config = resolve(
            YamlDocument({"image": "photo.png", "model": as_network(tiny, (-1, 1)),
                                        "objectives": objectives}, "test"), tmp_path)  # fmt: skip
        return [
            GradientStep(tiny, config.objectives, input_range=(-1, 1), tile=tile, halo=halo)
            for tile, halo in ((512, 0), (64, 16))
        ]

    masked = [{"l2": {"layer": LAYER, "mask": str(half)}}]
    inverse = [{"l2": {"layer": LAYER, "mask": {"path": str(half), "invert": True}}}]
    features = keras.Model(tiny.input, tiny.get_layer(LAYER).output)
    density = 0.5 * np.mean(features(picture[None]).numpy() ** 2, -1)
    left, right = density[:, :, : density.shape[2] // 2], density[:, :, density.shape[2] // 2 :]
    for step, other, plain in zip(step_for(masked), step_for(inverse), step_for([{"l2": LAYER}]), strict=True):
        (score, gradient), (rest, remaining), (all_, everything) = (one(picture) for one in (step, other, plain))
        if step.cutting.size == 512:  # in tiles the positions lie elsewhere
            assert score == pytest.approx(right.sum() / density.size, rel=2e-2)
            assert rest == pytest.approx(left.sum() / density.size, rel=2e-2)
        assert score + rest == pytest.approx(all_, rel=1e-4)
        np.testing.assert_allclose(gradient + remaining, everything, atol=0.05 * np.abs(everything).max())
        assert not gradient[:, : 64 - 20].any()


def test_labels_masks_and_border(half):
    objective = Objective(("c1", "c3"), lambda a: ops.mean(a["c3"], -1))
    masked = replace(PartSpec.of("objectives", objective), values={"mask": Mask(half)})
    near = Energy(lambda x, source: 0 * x[..., 0], radius=3, reference="source")
    far = Energy(lambda x: 0 * x[..., 0], radius=9)
    shift, crop = Transform(phase=4, wrap=True), Transform(lambda x, seed: x, margin=2, phase=3)
    parts = Parts.from_specs([masked, objective, 2 * objective], [near, far], [shift, crop])
    assert [part.label for part in parts.scored] == [
        "objective c1 c3 (1)", "objective c1 c3 (2)", "objective c1 c3 (3)", "energy (1)", "energy (2)",
    ]  # fmt: skip
    assert [part.label for part in parts.transforms] == ["transform 0 transform", "transform 1 transform"]
    assert [part.mask for part in parts.all] == [0, *[None] * 6]
    assert parts.masks == (Mask(half),)
    assert parts.layers == ["c1", "c3"]
    assert parts.border == Border(margin=2, radius=9, jitter=7, wrap=True)
    assert parts.sourced
    assert not parts.pointed
    assert not Parts.from_specs([objective]).sourced


def test_tests_share_the_rebuilt_embedded_network(lite0):
    """However it is named; each rebuilding would take two seconds."""
    parts = Parts.from_specs([Objective("stem", lambda a: a["stem"][..., 0])])
    config = resolve(YamlDocument({"image": "noise", "objectives": [{"l2": "stem"}]}, "test"), Path("."))
    assert Session(config).seen[1] is extractor_for(lite0, parts)


def test_projections_are_refused():
    with pytest.raises(ConfigError, match="is a projection, which changes the picture after a step"):
        Parts.from_specs([Objective("c3", lambda a: a["c3"][..., 0])], [Projection(lambda x: x)])


def test_masks_of_other_panels_are_read_again(tiny, half):
    """With the same source and size."""
    objective = replace(
        PartSpec.of("objectives", Objective(LAYER, lambda a: a[LAYER][..., 0])), values={"mask": Mask(half)}
    )
    step, picture = whole(tiny, [objective]), noise(96, 128)
    single, sheet = step(picture)[1], step(picture, panels=(1, 2))[1]
    assert not single[:, :40].any()
    assert sheet[:, 40:60].any()
    np.testing.assert_array_equal(step(picture)[1], single)


def test_masks_are_placed_in_the_panels_that_count(tmp_path):
    rows = np.repeat(np.array([[1.0], [-1.0]], "float32"), 40, 1)[..., None] * np.ones(3)
    images.save(tmp_path / "half.png", rows, format="png")
    sheet = placed(Mask(tmp_path / "half.png", panels=(1,)), Panels(1, 2), (40, 80))
    assert sheet[:, :40].max() == 0
    assert sheet[0, 40:].min() == 1
    assert sheet[-1, 40:].max() == 0
    np.testing.assert_array_equal(placed(Mask(panels=(0,)), Panels(2, 1), (4, 3)), [[1] * 3, [1] * 3, [0] * 3, [0] * 3])
