"""Presets: they are valid and run, are merged as the page says, and reproduce what was published."""

import json
from pathlib import Path

import jsonschema
import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from scipy.ndimage import gaussian_filter

import kerasdream
from kerasdream import Objective, images
from kerasdream.config import presets
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import load, resolve
from kerasdream.config.schema import json_schema
from kerasdream.errors import ConfigError
from kerasdream.events import Stepped
from kerasdream.plugins.manager import discover as load_plugins
from kerasdream.session.session import Session

NETWORKS = ("efficientnet_lite0", "inception_v3")
FROM_PHOTOS = {"google-2015", "google-2015-guided", "zoom", "tf-tutorial", "keras-io"}
"""Presets that a run file has to name a picture for."""


SMALL = ["octaves.steps=2", "image.size=[64, 80]"]


def resolved(text, overrides=()):
    return resolve(parse(text, "f.yaml"), Path("."), overrides)


def faults(text, overrides=()):
    with pytest.raises(ConfigError) as caught:
        resolved(text, overrides)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", presets.names())
def test_every_preset_is_valid(name, network):
    config = resolved(f"preset: {name}\nimage: photo.jpg\nmodel: {network}")
    assert config.model.name == network
    schema = jsonschema.Draft202012Validator(json_schema(load_plugins().registry))
    assert list(schema.iter_errors(yaml.safe_load(presets.text(name)) | {"preset": name})) == []
    again = resolve(YamlDocument(json.loads(json.dumps(config.data)), "its recipe"), Path("."))
    assert "preset" not in config.data
    assert again.data == config.data


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_says_where_it_is_from_and_what_is_changed(name):
    comment = [line for line in presets.text(name).splitlines() if line.startswith("#")]
    assert len(presets.summary(name)) > 20
    assert comment[1] == "#"
    assert comment[2].startswith("# Kept")
    assert "apped" in "".join(comment)


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_runs(name, tmp_path, chelsea):
    images.save(tmp_path / "photo.png", chelsea[100:164, 100:180], format="png")
    images.save(tmp_path / "guide.jpg", chelsea[40:104, 200:280], format="jpeg")
    source = "image: photo.png\n" if name in FROM_PHOTOS else ""
    (tmp_path / "run.yaml").write_text(f"preset: {name}\n{source}outputs:\n  - png: {{path: dream.png}}\n")
    result = kerasdream.run(load(tmp_path / "run.yaml", [*SMALL, *(["frames.count=2"] if name == "zoom" else [])]))
    assert result.image.shape == (64, 80, 3)
    assert np.isfinite(result.image).all()
    assert result.image.std() > 0.01
    assert result.scores


@pytest.mark.proof
@pytest.mark.parametrize("name", ["lucid-channel", "lucid-neuron", "class"])
def test_a_drawing_from_noise_is_finished_as_published(name):
    result = kerasdream.dream("noise", preset=name)
    steps = result.manifest["recipe"]["octaves"]["steps"]
    assert len(result.scores) == (steps if isinstance(steps, int) else sum(steps))
    assert np.mean(result.scores[-10:]) > 2 * result.scores[0]
    assert result.notes == ()


RUN = """\
preset: deepdraw
image: {size: [64, 96]}
seed: 3
ascent:
  - rate: 0.1
octaves: {scale: 1.3, steps: 5, count: 4}
"""


def test_sections_are_merged_and_all_else_is_replaced():
    config, preset = resolved(RUN), resolved("preset: deepdraw")
    assert config.image == preset.image.model_copy(update={"size": (64, 96)})
    assert (config.octaves.scale, config.octaves.each_steps, config.octaves.detail) == (1.3, (5, 5, 5, 5), False)
    assert [entry.name for entry in config.ascent] == ["rate"]
    assert config.priors == preset.priors
    assert (config.seed, preset.seed) == (3, 0)
    whole = resolved("preset: lucid-channel\nparametrization: {fourier: {decay: 2}}\nmodel: {name: inception_v3}")
    assert whole.parametrization.values["decay"] == 2
    assert whole.objectives[0].make().layers == ("mixed4",)
    assert resolved("preset: google-2015\nimage: a.jpg").image.source == "a.jpg"
    assert resolved("preset: deepdraw\nimage: a.jpg").image.size == (323, 323)
    assert (
        resolved("preset: google-2015-guided\nimage: a.jpg").ascent
        == resolved("preset: google-2015\nimage: a.jpg").ascent
    )


def test_a_schedule_in_a_section_is_replaced_whole():
    config = resolved("preset: maco\ncrops: {side: {from: 0.4, to: 0.2, over: run}}")
    assert (config.crops.side.start, config.crops.side.end, config.crops.side.over) == (0.4, 0.2, "run")
    assert config.crops.count == 32
    assert resolved("preset: maco\ncrops: {side: {keys: {0: 0.4}}}").crops.side.keys == {0: 0.4}


def test_faults_are_where_the_fault_is():
    text = "preset: deepdraw\noctaves: {count: 7}\nobjectives:\n  - l2: {layer: block5_expnd}\n"
    assert [fault.partition(": expected")[0].partition(": efficient")[0] for fault in faults(text)] == [
        "f.yaml:2:11: octaves.count",
        "f.yaml:4:10: objectives.0.l2.layer",
    ]
    (fault,) = faults("preset: google-2015-guided\nimage: a.jpg\nmodel: vgg16")
    line = next(i for i, row in enumerate(presets.text("google-2015-guided").splitlines(), 1) if "guide:" in row)
    assert fault.startswith(
        f"preset google-2015-guided:{line}:31: objectives.0.guide.layer: expected a layer for vgg16"
    )
    (fault,) = faults("preset: google-2015\nimage: a.jpg\noctaves: {steps: [1, 2]}")
    assert fault.startswith("preset google-2015:")
    assert "octaves.count: expected 2, to match steps" in fault
    assert faults("preset: google-2015") == ["f.yaml:1:1: image.source: missing (A photo, a glob, a folder, or noise)"]
    (fault,) = faults("seed: 1\npreset: gogle-2015\nimage: a.jpg")
    assert fault.startswith("f.yaml:2:1: preset: unknown preset 'gogle-2015'; did you mean 'google-2015'")
    (fault,) = faults("preset: 3\nimage: a.jpg")
    assert fault.startswith("f.yaml:1:1: preset: unknown preset '3'; available: class, deepdraw")
    (fault,) = faults("preset: deepdraw", ["octaves.steps=[1, 2]"])
    assert fault.startswith("-s octaves.steps=[1, 2]: octaves.steps: expected a number for each of the 4")


def test_overrides_go_over_the_preset():
    config = resolved("image: a.jpg", ["octaves.steps=3", "preset=google-2015", "ascent.1.rate.value=0.5"])
    assert config.octaves.each_steps == (3,) * 4
    assert config.ascent[1].values["value"] == 0.5
    assert resolved("preset: deepdraw", ["preset=maco"]).parametrization.name == "maco"
    assert resolved("preset: deepdraw", ["objectives.0.class.name=hen"]).objectives[0].values["name"] == "hen"
    (fault,) = faults("image: a.jpg", ["preset=x"])
    assert fault.startswith("-s preset=x: preset: unknown preset 'x'")


def test_the_command_line_lists_and_prints_them(here):
    code, out, err = here("presets")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == presets.names()
    assert all(len(line) < 160 for line in out.splitlines())
    code, out, err = here("presets", "deepdraw")
    assert (code, err) == (0, "")
    assert out == presets.text("deepdraw")
    code, out, _ = here("presets", "deepdraw", "--json")
    assert json.loads(out)["text"] == presets.text("deepdraw")
    code, out, _ = here("presets", "--json")
    assert [row["name"] for row in json.loads(out)] == presets.names()
    code, out, err = here("presets", "depdraw")
    assert (code, out) == (1, "")
    assert err.startswith("kerasdream: unknown preset 'depdraw'; did you mean 'deepdraw'")


def test_the_command_line_dreams_noise_with_a_preset(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("-s", "octaves={scale: 1.5, steps: 1, count: 2}", "-s", "image.size=[48, 64]", "-q")
    assert here("dream", "noise", "--preset", "deepdraw", *small)[0] == 0
    recipe = yaml.safe_load(images.read_recipe(tmp_path / "noise-dream.png"))["recipe"]
    assert recipe["objectives"][0]["class"]["name"] == "goldfish"
    assert recipe["image"]["mean"] == 0.5686
    code, out, err = here("dream", "noise", "--preset", "nothing")
    assert (code, out) == (1, "")
    assert "unknown preset 'nothing'" in err


def test_from_python(tiny, chelsea):
    objective = Objective("c3", lambda activations: activations["c3"][..., 0])
    common = {"model": tiny, "input_range": (-1, 1), "objectives": objective, "octaves": {"steps": 1}}
    result = kerasdream.dream(chelsea[:96, :128], preset="google-2015", **common)
    recipe = result.manifest["recipe"]
    assert recipe["octaves"]["count"] == 4
    assert recipe["transforms"] == [{"jitter": {"pixels": 32, "wrap": True}}]
    assert recipe["priors"] == []
    noise = kerasdream.dream("noise", preset="lucid-channel", **common)
    assert noise.image.shape == (128, 128, 3)
    assert noise.manifest["recipe"]["parametrization"] == {"fourier": {"decay": 1.0, "decorrelate": True}}


def assert_same_step(taken, expected):
    """Equal to 1e-5, but for the few pixels around a unit that rounding took past a kink."""
    off = np.abs(taken - expected)
    assert np.quantile(off, 0.995) < 1e-5
    assert off.max() < 5e-3


def published(session, source, layers, objective, step, *, detail, on_end=False):
    """Takes each step that a dream took by TensorFlow and NumPy alone: the whole picture at once, rolled as planned.

    Unless ``on_end``, each step starts from the dream's canvas, as rounding alone lets single units pass the kinks of
    their ReLUs and two dreams drift apart. For the same reason the network is the session's, its BatchNormalization
    folded, in a graph.

    Returns:
        What every step should have come to, and what it came to.
    """
    seen = []
    session.on_event = lambda event: seen.append(event.picture()) if isinstance(event, Stepped) else None
    session.dream(images.Picture(source, None, "photo", "", ()))
    network, plan = session.network, session.plan(source.shape[:2])
    assert all(octave.layout.views == 1 and octave.layout.area == np.prod(octave.shape) for octave in plan.octaves)
    features = session.step.engine.score.extractor.model

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([2], tf.int32)])
    def slope(image, roll):
        with tf.GradientTape() as tape:
            tape.watch(image)
            activations = features(network.preprocess(tf.roll(image, roll, (0, 1))[None]), training=False)
            score = objective([activations[layer] for layer in layers])
        return tape.gradient(score, image)

    expected, rolls = [], []
    before = expected if on_end else seen
    for number, octave in enumerate(plan.octaves):
        base = images.resize(source, octave.shape)
        for index in range(octave.steps):
            if index:
                canvas = before[len(expected) - 1]
            elif not number:
                canvas = np.clip(base, -1, 1)
            elif detail:
                below = images.resize(source, plan.octaves[number - 1].shape)
                canvas = np.clip(base + images.resize(before[len(expected) - 1] - below, octave.shape), -1, 1)
            else:
                canvas = np.clip(images.resize(before[len(expected) - 1], octave.shape), -1, 1)
            rolls.append(plan.roll(number, index))
            gradient = slope(tf.constant(canvas), tf.constant(rolls[-1])).numpy()
            expected.append(np.clip(canvas + step(gradient), -1, 1))
    assert len(set(rolls)) == len(seen) == 10
    assert np.abs(seen[-1] - source).mean() > 0.01
    return zip(expected, seen, strict=True)


def randomize(model, gain=2.0):
    """Gives a network fixed random weights; with Keras's own, the signal of a random network dies out.

    A gain of 2 keeps the signal's mean square from layer to layer for ReLU (He et al. 2015); SiLU needs more.
    """
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            shape = layer.kernel.shape
            layer.kernel.assign(random.normal(0, np.sqrt(gain / np.prod(shape[:3])), shape).astype("float32"))


@pytest.fixture(scope="module")
def smooth():
    """InceptionV3 with fixed random weights; SiLU for ReLU and means for maxima leave it without kinks."""

    def softened(layer):
        config = layer.get_config()
        if isinstance(layer, keras.layers.Activation):
            config["activation"] = "silu"
        pools = isinstance(layer, keras.layers.MaxPooling2D)
        return (keras.layers.AveragePooling2D if pools else type(layer)).from_config(config)

    inception = keras.applications.InceptionV3(include_top=False, weights=None)
    model = keras.models.clone_model(inception, clone_function=softened)
    randomize(model, 4.0)  # a gradient so strong that the 1e-8 beside its deviation in the tutorial does not count
    return kerasdream.Network("inception_v3", model, lambda picture: picture)


def smoothly(smooth, preset, chelsea, *how, detail):
    """Ten steps on end, from the photo alone, of a preset and of TensorFlow and NumPy; returns the preset's layers."""
    data = {
        "preset": preset,
        "image": "photo.jpg",
        "model": smooth,
        "tiles": {"size": 512, "halo": 0},
    }
    octaves = f"octaves={{sizes: [[203, 235], [267, 299]], steps: 5, detail: {str(detail).lower()}}}"
    config = resolve(YamlDocument(data, "f.yaml"), Path("."), [octaves])
    layers = [layer for entry in config.objectives for layer in entry.make().layers]
    steps = list(published(Session(config), chelsea[:267, :299], layers, *how, detail=detail, on_end=True))
    for expected, taken in steps:
        np.testing.assert_allclose(taken, expected, rtol=0, atol=1e-5)
    return layers


def test_ten_steps_of_tf_tutorial_on_end_are_the_published_ones(smooth, chelsea):
    layers = smoothly(
        smooth,
        "tf-tutorial",
        chelsea,
        lambda layers: tf.reduce_mean(layers[0]) + tf.reduce_mean(layers[1]),
        lambda g: 0.01 * g / (g.std() + 1e-8),
        detail=False,
    )
    assert layers == ["mixed3", "mixed5"]


def test_ten_steps_of_google_2015_on_end_are_the_published_ones(smooth, chelsea):
    layers = smoothly(
        smooth,
        "google-2015",
        chelsea,
        lambda layers: 0.5 * tf.reduce_mean(tf.square(layers[0])),
        lambda g: (1.5 / 127.5) * g / np.abs(g).mean(),
        detail=True,
    )
    assert layers == ["mixed4"]


def test_google_2015_is_the_published_algorithm(chelsea):
    """Ten steps on the embedded network with its real weights: roll, g / mean|g|, clip, carried detail."""
    source = chelsea[:288, :416]
    config = resolved(
        "preset: google-2015\nimage: photo.jpg\ntiles: {size: 512, halo: 0}",
        ["octaves={sizes: [[192, 288], [288, 416]], steps: 5}"],
    )
    (layer,) = config.objectives[0].make().layers
    session = Session(config)
    steps = published(
        session,
        source,
        [layer],
        lambda layers: 0.5 * tf.reduce_mean(tf.square(layers[0])),
        lambda g: (1.5 / 127.5) * g / np.abs(g).mean(),
        detail=True,
    )
    for expected, taken in steps:
        assert_same_step(taken, expected)


def test_tf_tutorial_is_the_published_algorithm(chelsea):
    """Ten steps of InceptionV3 with fixed random weights: roll, mixed3 + mixed5, g / std(g), clip, no detail."""
    config = resolved(
        "preset: tf-tutorial\nimage: photo.jpg\nmodel: {name: inception_v3, weights: null}\n"
        "tiles: {size: 512, halo: 0}",
        ["octaves={sizes: [[203, 235], [267, 299]], steps: 5, detail: false}"],
    )
    session = Session(config)
    randomize(session.network.model)
    source = chelsea[:267, :299]
    steps = published(
        session,
        source,
        ["mixed3", "mixed5"],
        lambda layers: tf.reduce_mean(layers[0]) + tf.reduce_mean(layers[1]),
        lambda g: 0.01 * g / (g.std() + 1e-8),
        detail=False,
    )
    for expected, taken in steps:
        assert_same_step(taken, expected)


def test_deepdraw_has_the_published_schedule(lite0):
    """Ten steps of the four octaves: a window, its logit, g / mean|g| by the octave's step, a blur of its sigma."""
    config = resolved("preset: deepdraw", ["octaves.steps=[3, 3, 2, 2]"])
    seen = []
    session = Session(
        config, on_event=lambda event: seen.append(event.picture()) if isinstance(event, Stepped) else None
    )
    picture = session.noise()
    session.dream(picture)
    plan = session.plan(picture.pixels.shape[:2])
    logits = session.step.engine.score.extractor.model  # folded; see `published`
    goldfish = 1

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3])])
    def slope(window):
        with tf.GradientTape() as tape:
            tape.watch(window)
            score = logits(lite0.preprocess(window[None]), training=False)["logits"][0, goldfish]
        return tape.gradient(score, window)

    schedule = [  # (sigma, levels of 255) from the first step of an octave to its last
        ((2.5, 0.78), (11, 11)), ((0.936, 0.78), (6, 6)), ((0.936, 0.44), (6, 3)), ((0.44, 0.304), (3, 3)),
    ]  # fmt: skip
    canvas, moved = picture.pixels, []  # as in `published`, each step starts from the dream's canvas
    assert plan.sizes == ((224, 224), (269, 269), (323, 323), (323, 323))
    for number, (sigmas, levels) in enumerate(schedule):
        canvas = np.clip(images.resize(canvas, plan.sizes[number]), -1, 1)
        steps = plan.octaves[number].steps
        for index in range(steps):
            (box,) = plan.boxes(number, index, None)
            moved.append((box.top, box.left))
            assert (box.height, box.width) == (224, 224)
            place = slice(box.top, box.top + 224), slice(box.left, box.left + 224)
            gradient = slope(tf.constant(canvas[place])).numpy()
            share = index / (steps - 1)
            sigma, level = ((1 - share) * first + share * last for first, last in (sigmas, levels))
            stepped = np.clip(canvas[place] + level / 127.5 * gradient / np.abs(gradient).mean(), -1, 1)
            canvas[place] = np.clip(gaussian_filter(stepped, (sigma, sigma, 0), mode="reflect"), -1, 1)
            taken = seen[len(moved) - 1]
            assert_same_step(taken, canvas)
            canvas = taken.copy()
    assert len(set(moved)) > 6
    assert np.abs(canvas - images.resize(picture.pixels, (323, 323))).mean() > 0.01
