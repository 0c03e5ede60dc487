"""Presets are valid and run, are merged as documented, and reproduce the published algorithms."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from keras.initializers import Constant, HeUniform
from scipy.ndimage import gaussian_filter

import kerasdream
from kerasdream import Objective, from_range, images
from kerasdream.config import presets
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.recorded import Recorded
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError
from kerasdream.events import Stepped
from kerasdream.session.session import Session

NETWORKS = ("efficientnet_lite0", "inception_v3")
FROM_PHOTOS = {"google-2015", "google-2015-guided", "zoom", "tf-tutorial", "keras-io", "photoreal", "photoreal-class"}
"""Presets that need a picture in the run file."""

SMALL = ["octaves.steps=1", "image.size=[64, 80]"]
OVERRIDES = {"zoom": ["frames.count=2"], "maco": ["crops.count=4"]}


def resolved(text, overrides=()):
    return resolve(parse(text, "f.yaml"), Path("."), overrides)


def errors(text, overrides=()):
    with pytest.raises(ConfigError) as caught:
        resolved(text, overrides)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", presets.names())
def test_every_preset_is_valid(name, network, schema):
    config = resolved(f"preset: {name}\nimage: photo.jpg\nmodel: {network}")
    assert config.model.name == network
    assert list(schema.iter_errors(yaml.safe_load(presets.text(name)) | {"preset": name})) == []
    again = resolve(YamlDocument(json.loads(json.dumps(config.data)), "its recipe"), Path("."))
    assert "preset" not in config.data
    assert again.data == config.data


@pytest.mark.parametrize("name", presets.names())
def test_comments_of_presets_give_the_source_and_the_differences(name):
    comment = [line for line in presets.text(name).splitlines() if line.startswith("#")]
    assert len(presets.summary(name)) > 20
    assert comment[1] == "#"
    assert comment[2].startswith("# Kept")
    assert "apped" in "".join(comment)


@pytest.fixture(scope="module")
def small():
    """A small network with the embedded one's name and classes, and the layers that presets name."""
    picture = x = keras.Input((None, None, 3))
    for number in (5, 7, 8, 9, 10, 11):
        strides = 2 if number in (5, 9) else 1
        start = {"kernel_initializer": HeUniform(seed=number), "bias_initializer": Constant(0.1)}  # no channel is dead
        x = keras.layers.Conv2D(104, 3, strides, "same", activation="relu", name=f"block{number}_expand", **start)(x)
    classes = keras.layers.Dense(1000, kernel_initializer=HeUniform(seed=0))(keras.layers.GlobalAveragePooling2D()(x))
    return kerasdream.Network("efficientnet_lite0", keras.Model(picture, classes), from_range(-1, 1), size=64)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", presets.names())
def test_every_preset_runs(name, tmp_path, chelsea, small):
    images.save(tmp_path / "photo.png", chelsea[100:164, 100:180], format="png")
    images.save(tmp_path / "guide.jpg", chelsea[40:104, 200:280], format="jpeg")
    data = {"preset": name, "model": small, "outputs": [{"png": {"path": "dream.png"}}]}
    data |= {"image": "photo.png"} if name in FROM_PHOTOS else {}
    overrides = [
        *SMALL,
        *(["frames.count=2"] if name == "zoom" else []),
        *(["crops.count=4"] if name == "maco" else []),
    ]
    result = kerasdream.run(resolve(YamlDocument(data, "f.yaml"), tmp_path, overrides))
    assert result.image.shape == (64, 80, 3)
    assert np.isfinite(result.image).all()
    assert result.image.std() > 0.01
    assert result.scores


RUN = """\
preset: deepdraw
image: {size: [64, 96]}
seed: 3
ascent:
  - rate: 0.1
octaves: {scale: 1.3, steps: 5, count: 4}
"""


def test_sections_are_merged_and_everything_else_is_replaced():
    config, preset = resolved(RUN), resolved("preset: deepdraw")
    assert config.image == preset.image.model_copy(update={"size": (64, 96)})
    assert (config.octaves.scale, config.octaves.steps, config.octaves.detail) == (1.3, 5, False)
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


def test_a_schedule_in_a_section_is_replaced_as_a_whole():
    config = resolved("preset: maco\ncrops: {side: {from: 0.4, to: 0.2, over: run}}")
    assert (config.crops.side.start, config.crops.side.end, config.crops.side.over) == (0.4, 0.2, "run")
    assert config.crops.count == 32
    assert resolved("preset: maco\ncrops: {side: {keys: {0: 0.4}}}").crops.side.keys == {0: 0.4}


def test_errors_name_the_file_or_the_preset_and_the_line():
    text = "preset: deepdraw\noctaves: {count: 7}\nobjectives:\n  - l2: {layer: block5_expnd}\n"
    assert [error.partition(": expected")[0].partition(": efficient")[0] for error in errors(text)] == [
        "f.yaml:2:11: octaves.count",
        "f.yaml:4:10: objectives.0.l2.layer",
    ]
    (error,) = errors("preset: google-2015-guided\nimage: a.jpg\nmodel: vgg16")
    line = next(i for i, row in enumerate(presets.text("google-2015-guided").splitlines(), 1) if "guide:" in row)
    assert error.startswith(
        f"preset google-2015-guided:{line}:31: objectives.0.guide.layer: expected a layer for vgg16"
    )
    (error,) = errors("preset: google-2015\nimage: a.jpg\noctaves: {steps: [1, 2]}")
    assert error.startswith("preset google-2015:")
    assert "octaves.count: expected 2, to match steps" in error
    (error,) = errors("preset: google-2015")
    assert error == "f.yaml:1:1: image.source: missing (A photo, a glob, a folder, or noise; or a list of them)"
    (error,) = errors("seed: 1\npreset: gogle-2015\nimage: a.jpg")
    assert error.startswith("f.yaml:2:1: preset: unknown preset 'gogle-2015'; did you mean 'google-2015'")
    (error,) = errors("preset: 3\nimage: a.jpg")
    assert error.startswith("f.yaml:1:1: preset: unknown preset '3'; available: class, deepdraw")
    (error,) = errors("preset: deepdraw", ["octaves.steps=[1, 2]"])
    assert error.startswith("'octaves.steps=[1, 2]': octaves.steps: expected a number for each of the 4")


def test_overrides_take_precedence_over_the_preset():
    config = resolved("image: a.jpg", ["octaves.steps=3", "preset=google-2015", "ascent.1.rate.value=0.5"])
    assert (config.octaves.count, config.octaves.steps) == (4, 3)
    assert config.ascent[1].values["value"] == 0.5
    assert resolved("preset: deepdraw", ["preset=maco"]).parametrization.name == "maco"
    assert resolved("preset: deepdraw", ["objectives.0.class.name=hen"]).objectives[0].values["name"] == "hen"
    (error,) = errors("image: a.jpg", ["preset=x"])
    assert error.startswith("'preset=x': preset: unknown preset 'x'")


@pytest.fixture
def folder(tmp_path, chelsea):
    """A run file that starts from a preset in another folder, which starts from a published one."""
    (tmp_path / "looks").mkdir()
    images.save(tmp_path / "looks" / "guide.jpg", chelsea[40:104, 200:280], format="jpeg")
    images.save(tmp_path / "photo.png", chelsea[100:164, 100:180], format="png")
    look = "preset: google-2015\nobjectives:\n  - guide: {layer: block5_expand, image: guide.jpg}\n"
    (tmp_path / "looks" / "mine.yaml").write_text(f"{look}octaves: {{steps: 3}}\nimage: {{max_side: 64}}\n")
    (tmp_path / "run.yaml").write_text("preset: looks/mine.yaml\nimage: photo.png\noctaves: {count: 2}\n")
    return tmp_path


def test_a_preset_may_be_a_file(folder):
    config = kerasdream.load_config(folder / "run.yaml")
    assert (config.octaves.steps, config.octaves.scale, config.image.max_side) == (3, 1.4, 64)
    (guide,) = config.objectives
    assert guide.values["image"] == (folder / "looks" / "guide.jpg",)  # relative to the file it is in
    assert guide.place == f"{folder}/looks/mine.yaml:3:5"
    assert [entry.name for entry in config.ascent] == ["normalize", "rate"]
    (folder / "own.yaml").write_text("image: photo.png")
    elsewhere = kerasdream.load_config(folder / "own.yaml", [f"preset={folder}/looks/mine.yaml"])
    assert elsewhere.objectives[0].values["image"] == (folder / "looks" / "guide.jpg",)
    larger = kerasdream.load_config(folder / "run.yaml", ["image={source: photo.png, side: 200, max_side: null}"])
    assert larger.image.side == 200
    (folder / "run.yaml").write_text("preset: looks/mine.yaml\nimage: {source: photo.png, side: 200}")
    assert kerasdream.load_config(folder / "run.yaml").image.max_side is None  # takes the place of the preset's limit


def test_errors_of_a_preset_file_have_its_name_and_line(folder, schema):
    look, again = folder / "looks" / "mine.yaml", "a preset cannot start from itself (mine.yaml -> run.yaml -> mine"
    for text, expected in {
        "octaves: {steps: x}": f"{look}:1:11: octaves.steps: expected a whole number or 'auto', not x",
        "octaves: [": f"{look}:2:1: invalid YAML",
        "3": f"{folder}/run.yaml:1:1: preset: looks/mine.yaml is not a run file; expected a mapping",
        "preset: ../run.yaml": f"{folder}/looks/../run.yaml:1:1: preset: {again}.yaml)",
    }.items():
        look.write_text(text + "\n")
        with pytest.raises(ConfigError) as caught:
            kerasdream.load_config(folder / "run.yaml")
        assert str(caught.value).splitlines()[0].startswith(expected)
    (error,) = errors("preset: mien.yaml\nimage: a.jpg")
    assert error.startswith("f.yaml:1:1: preset: there is no such file mien.yaml; ")
    (error,) = errors("preset: deepdraw\npresets: 1")
    assert "unknown key" in error
    assert list(schema.iter_errors({"preset": "mine.yaml"})) == []


def test_plugins_of_a_preset_are_trusted_like_those_of_the_run_file(folder):
    (folder / "looks" / "noop.py").write_text(
        "from kerasdream import hookimpl\n@hookimpl\ndef register_priors(register): pass\n"
    )
    look = folder / "looks" / "mine.yaml"
    look.write_text("plugins: [noop.py]\nimage: photo.png\n")
    assert kerasdream.load_config(folder / "run.yaml").plugin_files == (folder / "looks" / "noop.py",)
    (folder / "deep").mkdir()
    (folder / "deep" / "run.yaml").write_text("preset: ../looks/mine.yaml\nimage: photo.png\n")
    with pytest.raises(ConfigError, match="is outside the run file's folder"):
        kerasdream.load_config(folder / "deep" / "run.yaml")


def test_a_recipe_starts_from_no_file(folder):
    with pytest.raises(ConfigError, match=r"run.yaml is a file, which a recipe does not start from"):
        resolve(
            YamlDocument({"preset": "run.yaml", "image": "a.jpg"}, "recipe"),
            folder,
            recorded=Recorded(folder / "a.png"),
        )


def test_null_is_no_preset(chelsea, tiny):
    assert resolved("preset: null\nimage: a.jpg").data == resolved("image: a.jpg").data
    assert resolved("preset: deepdraw\nimage: a.jpg", ["preset=null"]).priors[0].name == "total_variation"


def test_presets_command_lists_and_prints_presets(here):
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


def test_dream_command_with_a_preset(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("-s", "octaves={scale: 1.5, steps: 1, count: 2}", "-s", "image.size=[48, 64]", "-q")
    assert here("dream", "noise", "--preset", "deepdraw", *small)[0] == 0
    recipe = yaml.safe_load(images.read_recipe(tmp_path / "noise-dream.png"))["recipe"]
    assert recipe["objectives"][0]["class"]["name"] == "goldfish"
    assert recipe["image"]["mean"] == 0.5686
    code, out, err = here("dream", "noise", "--preset", "nothing")
    assert (code, out) == (1, "")
    assert "--preset nothing: preset: unknown preset 'nothing'" in err


def test_dream_command_with_a_file_as_the_preset(here, folder, monkeypatch):
    (folder / "away").mkdir()
    monkeypatch.chdir(folder / "away")
    layer = ("--layer", "block3_expand", "--strength", "2", "--size", "96")
    assert (
        here("dream", "../photo.png", "--preset", "../looks/mine.yaml", "-s", "octaves.steps=1", *layer, "-q")[0] == 0
    )
    recipe = yaml.safe_load(images.read_recipe(folder / "photo-dream.png"))["recipe"]
    assert recipe["objectives"] == [{"guide": {"layer": "block3_expand", "image": "guide.jpg", "weight": 1.0}}]
    assert (recipe["strength"], recipe["image"]["side"], recipe["image"]["max_side"]) == (2.0, 96, None)
    assert images.size(folder / "photo-dream.png") == (77, 96)


def test_dream_function_with_a_preset(tiny, chelsea):
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
    """Compare to 5e-5, except the pixels seen by a unit that rounding, which differs between processors, took past a
    kink. A rate or sigma that was 1 % off would move nearly all pixels by more: the smallest step is 0.024."""
    off = np.abs(taken - expected)
    assert np.quantile(off, 0.9) < 5e-5
    assert off.max() < 2e-2


def published(session, source, layers, objective, step, *, detail, on_end=False):
    """Take each step that a dream took with TensorFlow and NumPy alone: the whole picture at once, rolled as planned.

    Unless ``on_end``, each step starts from the dream's canvas, because rounding lets single units pass the kinks of
    their ReLUs, and two dreams drift apart. For the same reason the network is the session's, its BatchNormalization
    folded, in a graph.

    Returns:
        Pairs of the expected canvas after each step and the dream's.
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
    assert len(set(rolls)) == len(seen) == 6
    assert np.abs(seen[-1] - source).mean() > 0.005
    return zip(expected, seen, strict=True)


def smooth_network():
    """Build a small network with the tutorial's layers, of fixed random weights and, with SiLU, without kinks."""
    keras.utils.set_random_seed(0)
    # So strong a gradient that the 1e-8 that the tutorial adds to its deviation does not count.
    strong = keras.initializers.VarianceScaling(4.0)
    picture = x = keras.Input((None, None, 3))
    options = {"padding": "same", "activation": "silu", "kernel_initializer": strong}
    for number in range(6):
        name = f"mixed{number}" if number in (3, 5) else f"conv{number}"
        x = keras.layers.Conv2D(8, 3, strides=1 + number % 2, name=name, **options)(x)
    return kerasdream.Network("inception_v3", keras.Model(picture, x), lambda picture: picture)


@pytest.mark.no_cover
def test_tf_tutorial_is_the_published_algorithm(chelsea):
    """Six steps in a row, from the photo alone: roll, mixed3 + mixed5, g / std(g), clip, no detail."""
    data = {
        "preset": "tf-tutorial",
        "image": "photo.jpg",
        "model": smooth_network(),
        "tiles": {"size": 512, "halo": 0},
    }
    octaves = "octaves={sizes: [[104, 120], [136, 152]], steps: 3, detail: false}"
    config = resolve(YamlDocument(data, "f.yaml"), Path("."), [octaves])
    layers = [layer for entry in config.objectives for layer in entry.make().layers]
    assert layers == ["mixed3", "mixed5"]
    steps = published(
        Session(config),
        chelsea[:136, :152],
        layers,
        lambda layers: tf.reduce_mean(layers[0]) + tf.reduce_mean(layers[1]),
        lambda g: 0.01 * g / (g.std() + 1e-8),
        detail=False,
        on_end=True,
    )
    for expected, taken in steps:
        np.testing.assert_allclose(taken, expected, rtol=0, atol=5e-5)  # 1 % of a step is 1e-4


@pytest.mark.no_cover
def test_google_2015_is_the_published_algorithm(chelsea, lite0):
    """Six steps of the embedded network with its ImageNet weights: roll, g / mean|g|, clip, carried detail."""
    data = {"preset": "google-2015", "image": "photo.jpg", "model": lite0, "tiles": {"size": 512, "halo": 0}}
    octaves = "octaves={sizes: [[96, 128], [128, 192]], steps: 3}"
    config = resolve(YamlDocument(data, "f.yaml"), Path("."), [octaves])
    (layer,) = config.objectives[0].make().layers
    steps = published(
        Session(config),
        chelsea[:128, :192],
        [layer],
        lambda layers: 0.5 * tf.reduce_mean(tf.square(layers[0])),
        lambda g: (1.5 / 127.5) * g / np.abs(g).mean(),
        detail=True,
    )
    for expected, taken in steps:
        assert_same_step(taken, expected)


@pytest.mark.no_cover
def test_deepdraw_has_the_published_schedule(lite0):
    """Two steps in each octave: a window, its logit, g / mean|g| times the octave's rate, a blur of its sigma."""
    document = YamlDocument({"preset": "deepdraw", "model": lite0}, "f.yaml")
    config = resolve(document, Path("."), ["octaves.steps=[2, 2, 2, 2]"])
    seen = []
    session = Session(
        config, on_event=lambda event: seen.append(event.picture()) if isinstance(event, Stepped) else None
    )
    picture = session.picture("noise")
    session.dream(picture)
    plan = session.plan(picture.pixels.shape[:2])
    logits = session.step.engine.score.extractor.model  # Folded; see `published`.
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
    canvas, moved = picture.pixels, []  # As in `published`, each step starts from the dream's canvas.
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
    assert len(set(moved)) > 5
    assert np.abs(canvas - images.resize(picture.pixels, (323, 323))).mean() > 0.01
