"""Tokens of vision transformers are seen as maps, and such networks look at crops."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasdream
from kerasdream import GradientStep, ModelError, Network, Objective, Tokens, from_range, ops
from kerasdream.builtin.objectives import OBJECTIVES
from kerasdream.cli.plan import describe
from kerasdream.config.resolve import load
from kerasdream.errors import OneSizeError
from kerasdream.models.extractor import build_extractor
from kerasdream.plan.crops import Windows
from kerasdream.testing import PHOTO

SIDE, GRID = 32, 4


def transformer(extra=1, side=SIDE):
    """A vision transformer with random weights: patches of 8 pixels, tokens in front, two blocks, a head."""
    keras.utils.set_random_seed(0)
    picture = keras.Input((side, side, 3))
    x = layers.Conv2D(12, 8, strides=8, name="patches")(picture)
    x = layers.Reshape((GRID * GRID if side else -1, 12), name="row")(x)
    if extra:
        x = layers.Concatenate(axis=1, name="with_extra")([0.5 + 0 * x[:, :extra], x])
    for number in (1, 2):
        y = layers.LayerNormalization(name=f"norm{number}")(x)
        x = layers.Add(name=f"block{number}")([x, layers.MultiHeadAttention(2, 6, name=f"attention{number}")(y, y)])
    classes = layers.Dense(5, name="head")(layers.GlobalAveragePooling1D(name="pool")(x))
    return keras.Model(picture, classes, name="vit")


def noise(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


@pytest.mark.parametrize("extra", [0, 1, 5])
def test_tokens_are_a_map_of_the_patches(extra):
    model = transformer(extra)
    extractor = build_extractor(model, ["block2", "row"], side=SIDE)
    pictures = noise(2, SIDE, SIDE, 3)
    raw = keras.Model(model.input, model.get_layer("block2").output)(pictures)[:, extra:]
    seen = extractor.model(pictures)
    np.testing.assert_allclose(seen["block2"], np.reshape(raw, (2, GRID, GRID, 12)), atol=1e-5)
    np.testing.assert_allclose(seen["row"], model.get_layer("patches")(pictures), atol=1e-5)
    assert [axis.stride for axis in extractor.geometry["block2"]] == [8, 8]
    assert not extractor.geometry["block2"][0].local


def test_a_grid_is_for_pictures_of_one_size():
    """An arrangement that the user gives holds at the size the network was trained on, even if it takes others."""
    network = Network("vit", transformer(1, side=None), from_range(-1, 1), size=SIDE, tokens=Tokens((GRID, GRID)))
    options = {"model": network, "priors": [], "octaves": SHORT}
    result = kerasdream.dream(PHOTO, objectives={"l2": "block1"}, **options)
    assert result.scores[-1] > result.scores[0]
    with pytest.raises(OneSizeError, match="views: crops"):
        kerasdream.dream(PHOTO, objectives={"l2": "block1"}, views="tiles", **options)


def test_a_network_for_any_size_takes_tiles():
    model = transformer(1, side=None)
    seen = build_extractor(model, ["block1"]).model(noise(1, 40, 24, 3))
    assert seen["block1"].shape == (1, 5, 3, 12)
    result = kerasdream.dream(PHOTO, model=model, input_range=(-1, 1), objectives={"l2": "block1"}, octaves=SHORT)
    assert result.scores[-1] > result.scores[0]


SHORT = {"count": 1, "steps": 3}


@pytest.fixture(scope="module")
def vit():
    return transformer()


@pytest.fixture(scope="module")
def behind():
    """A network with a map behind tokens, and one behind a bottleneck."""
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Reshape((16, 12))(layers.Conv2D(12, 8, strides=8)(picture))
    back = layers.Reshape((4, 4, 12), name="back")(layers.MultiHeadAttention(2, 6)(x, x))
    conv = layers.Conv2D(6, 3, name="conv")(back)
    code = layers.Dense(10, name="code")(layers.Flatten()(conv))
    decoded = layers.Reshape((8, 8, 3), name="decoded")(layers.Dense(192)(code))
    return keras.Model(picture, layers.Conv2D(4, 3, padding="same", name="out")(decoded))


def test_maps_behind_tokens_and_bottlenecks(behind):
    strides = {"back": 8, "conv": 8, "decoded": 4, "out": 4}
    geometry = build_extractor(behind, list(strides), side=SIDE).geometry
    assert {layer: [axis.stride for axis in geometry[layer]] for layer in strides} == {
        layer: [stride, stride] for layer, stride in strides.items()
    }
    for layer in ("conv", "out"):
        result = kerasdream.dream(PHOTO, model=behind, input_range=(-1, 1), objectives={"l2": layer}, octaves=SHORT)
        assert result.scores[-1] > result.scores[0]


def test_one_size_means_crops_and_says_so(tmp_path, vit):
    vit.save(tmp_path / "vit.keras")
    (tmp_path / "run.yaml").write_text(
        f"image: {PHOTO}\nmodel: {{file: vit.keras, input_range: [-1, 1]}}\nobjectives: {{l2: block2}}\n"
        "octaves: {count: 2, steps: 2}\n"
    )
    (row,) = describe(load(tmp_path / "run.yaml"))
    assert any("crops of 32×32 pixels" in note for note in row["notes"])
    last = row["octaves"][-1]
    assert last["crops"] > 20
    assert last["computed"] > 1  # the whole picture, in each step
    with pytest.raises(OneSizeError, match=r"from pictures of 32×32 pixels only.*views: crops"):
        kerasdream.run(load(tmp_path / "run.yaml", ["views=tiles"]), folder=tmp_path)
    assert kerasdream.run(tmp_path / "run.yaml", folder=tmp_path).paths[0].is_file()


def test_shapes_that_only_fit_the_own_size_are_one_sentence():
    """Where the layers do not show it: positions added to a map by a layer of the user's."""

    @keras.saving.register_keras_serializable()
    class Positions(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(1, 4, 4, 6))

        def call(self, x):
            return x + self.table

        def compute_output_shape(self, shape):
            return shape

    picture = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(picture, Positions(name="positions")(layers.Conv2D(6, 8, strides=8)(picture)))
    own = Objective("positions", lambda seen: ops.mean(seen["positions"] ** 2, axis=-1))
    with pytest.raises(ModelError, match="views: crops"):
        kerasdream.dream(PHOTO, model=model, input_range=(-1, 1), objectives=own, octaves=SHORT, views="tiles")
    kerasdream.dream(PHOTO, model=model, input_range=(-1, 1), objectives=own, octaves=SHORT, views="crops")


def unknown():
    """A transformer whose patches are cut in a way that layers do not tell: two rows of eight, one token in front."""
    picture = keras.Input((SIDE, SIDE, 3))
    patches = layers.AveragePooling2D((16, 4), name="pool")(picture)
    flat = layers.Flatten()(layers.Conv2D(6, 1, name="colours")(patches))
    tokens = layers.Reshape((16, 6), name="tokens")(flat)
    front = layers.Concatenate(axis=1, name="all")([0 * tokens[:, :1], tokens])
    return keras.Model(picture, front)


def arranged(model, tokens):
    return Network("mine", model, lambda picture: picture, tokens=tokens)


def test_the_user_can_say_where_tokens_lie():
    model, pictures = unknown(), noise(1, SIDE, SIDE, 3)
    with pytest.raises(ModelError, match=r"'all' outputs tokens.*tokens: \{grid: \[height, width\], skip"):
        build_extractor(model, ["all"], side=SIDE)
    extractor = build_extractor(arranged(model, Tokens((2, 8))), ["all"], side=SIDE)
    expected = keras.Model(model.input, model.get_layer("colours").output)(pictures)
    np.testing.assert_allclose(extractor.model(pictures)["all"], expected, atol=1e-6)
    assert [axis.stride for axis in extractor.geometry["all"]] == [16, 4]
    counted = build_extractor(arranged(model, Tokens((2, 8), skip=1)), ["all"], side=SIDE).model(pictures)["all"]
    np.testing.assert_array_equal(counted, extractor.model(pictures)["all"])
    options = {"model": model, "input_range": (-1, 1), "tokens": {"grid": (2, 8)}, "priors": []}
    assert kerasdream.dream(PHOTO, objectives={"l2": "all"}, octaves=SHORT, **options).scores[-1] > 0


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (Tokens((4, 4), skip=2), r"17 tokens.*grid: \[4, 4\], skip: 2\}, and 4×4 \+ 2 is 18$"),
        (Tokens((2, 8), skip=0), r"grid: \[2, 8\], skip: 0\}, and 2×8 is 16$"),
        (Tokens((4, 8)), r"grid: \[4, 8\]\}, and 4×8 is 32$"),
    ],
)
def test_an_arrangement_must_account_for_every_token(tokens, words):
    with pytest.raises(ModelError, match=words):
        build_extractor(arranged(unknown(), tokens), ["all"], side=SIDE)


LAYER = {"layer": "block2"}
PARAMETERS = {
    "l2": LAYER,
    "neuron": {**LAYER, "channel": 3, "x": 0.3, "y": 0.6},
    "class": {"index": 2},
    "guide": {**LAYER, "image": PHOTO},
    "difference": LAYER,
    "diversity": LAYER,
}
"""One for each way to look at a map; they see tokens as such, so the others are as on any network."""


@pytest.mark.no_cover
@pytest.mark.parametrize("name", PARAMETERS)
def test_objectives_rise_on_tokens(name, vit, chelsea):
    objective = OBJECTIVES[name](**PARAMETERS[name])
    network = Network("vit", vit, from_range(-1, 1))
    step = GradientStep(network, objective, crops=Windows(SIDE, None))
    panels = (1, 2) if any(term.compares for term in objective.terms) else (1, 1)
    picture = np.ascontiguousarray(np.hstack([chelsea[80:144, 100:180], chelsea[80:144, 20:100]][: panels[1]]))
    source = picture[:, ::-1].copy()

    def score(number=0):
        return step(picture, source=source, panels=panels, step=number)

    before = score()[0]
    for _ in range(4):
        picture = np.clip(picture + 0.02 * (slope := score()[1]) / np.abs(slope).mean(), -1, 1)
    assert score()[0] > before
    assert step.engine.traces <= 1


def test_gradients_of_panels_in_crops_stay_in_their_panel(vit, chelsea):
    picture = np.ascontiguousarray(np.hstack([chelsea[80:144, 100:180], chelsea[80:144, 20:100]]))
    step = GradientStep(
        Network("vit", vit, from_range(-1, 1)), OBJECTIVES["l2"](layer="block1"), crops=Windows(SIDE, None)
    )
    score, slope = step(picture, panels=(1, 2))
    halves = [step(np.ascontiguousarray(half)) for half in np.split(picture, 2, axis=1)]
    assert score == pytest.approx(np.mean([half for half, _ in halves]), rel=1e-5)
    np.testing.assert_allclose(slope[:, :76], halves[0][1][:, :76] / 2, atol=2e-3 * abs(slope).max())
