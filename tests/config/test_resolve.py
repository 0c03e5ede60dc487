"""Run files: all errors at once with their places, layers for several networks, shorthands, Python objects."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import kerasdream
from kerasdream import LayerName, Objective
from kerasdream.cli.describe import parameter_rows
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import load, resolve
from kerasdream.errors import ConfigError
from kerasdream.plugins.signature import layer_names, model_of

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))

BAD = """\
version: 1
sead: 3
model: {name: efficientnet_lite0, weight: x}
image: {source: photo.jpg, max_side: big, maxside: 3}
objectives:
  - l2: {layer: block11_expnd, weight: abc}
  - l3: {layer: x}
  - channel: {layer: block11_expand, channel: -1}
  - 5
transforms:
  - jitter: {pixels: 1.5}
ascent:
  - normalize: {by: size}
  - rate: {from: 1, to: x}
octaves: {count: 0, steps: .nan, detail: yes}
postprocess:
  - match_color: {amount: 3}
"""


def errors(text, overrides=()):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "f.yaml"), Path("."), overrides)
    return str(caught.value).splitlines()


def test_all_errors_are_reported_at_once_with_their_places():
    expected = [
        ("2:1: sead: unknown key 'sead'", "did you mean 'seed'?"),
        ("3:", "model.weight: unknown key 'weight'", "did you mean 'weights'?"),
        ("4:28: image.max_side:", "not big"),
        ("4:43: image.maxside: unknown key", "did you mean 'max_side'"),
        ("6:32: objectives.0.l2.weight:", "not abc"),
        ("7:5: objectives.1: unknown objective 'l3'", "l2"),
        ("8:38: objectives.2.channel.channel:", "at least 0", "not -1"),
        ("9:5: objectives.3: expected one objective", "not 5"),
        ("11:14: transforms.0.jitter.pixels:", "whole number, not 1.5"),
        ("13:17: ascent.0.normalize.by:", "'mean_abs', 'std', 'rms' or 'max'", "not size"),
        ("14:5: ascent.1.rate.value.to:", "number", "not x"),
        ("15:11: octaves.count:", "at least 1 or 'auto', not 0"),
        ("15:21: octaves.steps:", "not .nan"),
        ("15:34: octaves.detail:", "true or false", "not 'yes'"),
        ("17:19: postprocess.0.match_color.amount:", "at most 1, not 3"),
    ]
    seen = errors(BAD)
    for words in expected:
        assert any(all(word in line for word in words) for line in seen), (words, seen)
    assert len(seen) == len(expected)
    places = [tuple(map(int, line.split(":")[1:3])) for line in seen]
    assert places == sorted(places)


def test_misspelt_layer_is_found_without_the_network():
    (error,) = errors("image: x.jpg\nobjectives:\n  - l2: {layer: block11_expnd}\n")
    assert error.startswith("f.yaml:3:10: objectives.0.l2.layer: efficientnet_lite0 has no layer 'block11_expnd'")
    assert "did you mean 'block11_expand'" in error
    assert "kerasdream layers efficientnet_lite0" in error


BOTH = "{efficientnet_lite0: block5_expand, inception_v3: mixed3}"


@pytest.mark.parametrize(("model", "layer"), [("efficientnet_lite0", "block5_expand"), ("inception_v3", "mixed3")])
def test_layer_by_network(schema, model, layer):
    text = f"image: x.jpg\nmodel: {model}\nobjectives:\n  - l2: {{layer: {BOTH}}}\n"
    config = resolve(parse(text, "f.yaml"), Path("."))
    assert config.objectives[0].make().layers == (layer,)
    assert config.data["objectives"] == [{"l2": {"layer": layer, "weight": 1.0}}]
    assert list(schema.iter_errors(yaml.safe_load(text))) == []
    assert list(schema.iter_errors(yaml.safe_load(text.replace("mixed3", "3"))))


@pytest.mark.parametrize(
    ("model", "layer", "words"),
    [
        ("vgg16", BOTH, "expected a layer for vgg16 as well as for efficientnet_lite0, inception_v3, not {"),
        ("inception_v3", BOTH.replace("mixed3", "mixd3"), "inception_v3 has no layer 'mixd3'; did you mean 'mixed3'"),
        ("inception_v3", BOTH.replace("mixed3", "3"), "expected text, not 3"),
        ("inception_v3", "{}", "expected text, not {}"),
        ("{file: my_net.keras, input_range: [0, 1]}", BOTH, "expected a layer for my_net as well as for"),
    ],
)
def test_invalid_layers_by_network_are_rejected(model, layer, words):
    (error,) = errors(f"image: x.jpg\nmodel: {model}\nobjectives:\n  - l2: {{layer: {layer}}}\n")
    assert error.startswith("f.yaml:4:10: objectives.0.l2.layer: ")
    assert words in error


def test_list_of_layers_by_network():
    from kerasdream.plugins.registry import Registration

    def both(*, layers: list[LayerName] | None = None, note: str = "") -> Objective:
        """Two layers."""

    model = model_of(Registration("objectives", "both", both, "mine"))
    data = json.dumps({"layers": [{"a": "x", "b": "y"}, "z"]})
    assert model.model_validate_json(data, context={"network": "b"}).layers == ["y", "z"]
    assert list(layer_names(both, {"layers": ["y", "z"], "note": "n"})) == [(("layers", 0), "y"), (("layers", 1), "z")]
    assert parameter_rows(Registration("objectives", "both", both, "mine"))[0]["type"] == (
        "list of layer name or {network: layer name} or null"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("- a\n- b", "expected a mapping"),
        ("just words", "expected a mapping"),
        ("seed: 1", "image.source: missing"),
        ("image: x.jpg\nversion: 2", "version: expected 1, the only version this kerasdream can read, not 2"),
        ("image: x.jpg\nseed: -1", "seed: expected at least 0, not -1"),
        ("image: x.jpg\nseed: true", "seed: expected a whole number, not true"),
        ("image: x.jpg\nmodel: gone.keras", "objectives: the model file"),
        ("image: x.jpg\nobjectives: []", "objectives: missing"),
        ("image: x.jpg\nobjectives: {l2:c3}", "unknown objective 'l2:c3'; YAML needs a space after the colon: l2: c3"),
        ("image: x.jpg\noctaves: {steps:3}", "unknown key 'steps:3'; YAML needs a space after the colon: steps: 3"),
        ("image: x.jpg\nmodel: 3", "expected a name"),
        (f"image: {300 * 'x'}.jpg", "image.source: expected a file name of at most 255 bytes, not xxxxx"),
        (f"image: x.jpg\nplugins: [{300 * 'x'}]", "plugins.0: expected a file name of at most 255 bytes"),
        (f"image: x.jpg\nmodel: {300 * 'x'}", "model: unknown model 'xxx"),
        (f"image: x.jpg\nmodel: {300 * 'x'}.keras", "model: expected a file name of at most 255 bytes"),
        (
            "image: x.jpg\nmodel: {file: /dev/zero, input_range: [0, 1]}",
            "expected a regular file: /dev/zero is a device",
        ),
        (f"image: x.jpg\ntiles: {{memory: {'9' * 400}GB}}", "tiles.memory: expected a memory size"),
        ("image: x.jpg\nmodel: {file: a.keras}", "the model file a.keras does not exist"),
        ("image: x.jpg\ntransforms: {jitter: {pixels: 1}, blur: 2}", "expected one transform"),
        ("image: x.jpg\npriors: [{total_variation: {radius: 3}}]", "unknown key 'radius'"),
        ("image: x.jpg\nascent: [{rate: .inf}]", "finite"),
        ("image: x.jpg\noctaves: 3", "expected a mapping of sizes, scale"),
        ("image: x.jpg\nplugins: [../elsewhere.py]", "outside the run file's folder"),
        ("image: x.jpg\nplugins: [missing.py]", "does not exist"),
    ],
)
def test_invalid_run_files_are_rejected(text, words):
    assert any(words in line for line in errors(text)), errors(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image: x.jpg\nnull: 2", "2:1: None: unknown key None"),
        ("image: x.jpg\ntrue: 2", "2:1: True: unknown key True"),
        ("image: x.jpg\noctaves: {null: 2}", "2:11: octaves.None: unknown key None"),
    ],
)
def test_keys_that_are_not_text_are_unknown(text, words):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "run.yaml"), Path())
    assert str(caught.value).startswith(f"run.yaml:{words}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": object()}, "kerasdream.dream(): seed: expected plain data, not object"),
        ({"octaves": {"count": object()}}, "kerasdream.dream(): octaves: expected plain data, not object"),
    ],
)
def test_python_values_that_are_not_plain_are_named_once(options, message):
    with pytest.raises(ConfigError) as caught:
        kerasdream.dream(np.zeros((64, 64, 3)), **options)
    assert str(caught.value) == message


def test_projections_need_pixels():
    text = "image: x.jpg\nparametrization: {fourier: {decay: 0}}\npriors:\n  - total_variation\n  - gaussian_blur: 0.5"
    (line,) = errors(text)
    assert line.startswith("f.yaml:5:5: priors.1.gaussian_blur: changes the pixels after each step")
    assert "which parametrization fourier does not hold; use parametrization: pixels" in line
    resolve(parse(text.replace("{fourier: {decay: 0}}", "pixels"), "f.yaml"), Path("."))
    resolve(parse(text.replace("  - gaussian_blur: 0.5", ""), "f.yaml"), Path("."))


def test_rules_that_read_colours_need_pixels():
    """The state of ``decorrelated`` has the shape of a picture, and other colours."""
    text = "image: x.jpg\nparametrization: decorrelated\nascent: [shadows, smooth, normalize, rate: 0.02]"
    (line,) = errors(text)
    assert line.startswith("f.yaml:3:10: ascent.0.shadows: reads the colours of pixels, which parametrization decorr")
    assert line.endswith("use parametrization: pixels, or leave shadows out")
    resolve(parse(text.replace("decorrelated", "pixels"), "f.yaml"), Path("."))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tiles: {size: auto, halo: auto, batch: auto, memory: auto}", None),
        ("tiles: {size: 512, halo: 0, batch: 4}", None),
        ("tiles: {size: 32, halo: exact, memory: 2GB}", 2 * 2**30),
        ('tiles: {memory: "1.5 GB"}', 1.5 * 2**30),
        ("tiles: {memory: 500MB}", 500 * 2**20),
    ],
)
def test_tiles(schema, setting, value):
    config = resolve(parse(f"image: x.jpg\n{setting}", "f.yaml"), Path("."))
    assert config.tiles.bytes == value
    assert list(schema.iter_errors(config.data)) == []


@pytest.mark.parametrize("precision", ["float32", "mixed"])
@pytest.mark.parametrize("jit", ["auto", "on", "off"])  # strings, not booleans as in YAML 1.1
def test_engine(precision, jit):
    text = f"image: x.jpg\nengine: {{precision: {precision}, jit: {jit}}}"
    engine = resolve(parse(text, "f.yaml"), Path(".")).engine
    assert (engine.precision, engine.jit) == (precision, jit)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("tiles: {memory: 2 GiB}", "tiles.memory: expected a memory size such as 500MB or 2GB or 'auto', not 2 GiB"),
        ("tiles: {memory: 2}", "tiles.memory: expected a memory size such as 500MB or 2GB or 'auto', not 2"),
        ("tiles: {memory: 0.0GB}", "tiles.memory: expected a memory size such as 500MB or 2GB or 'auto', not 0.0GB"),
        ("tiles: {memory: 2gb}", "tiles.memory: expected a memory size such as 500MB or 2GB or 'auto', not 2gb"),
        ("tiles: {memory: about 2GB}", "expected a memory size such as 500MB or 2GB or 'auto', not about 2GB"),
        ("tiles: {memory: -1GB}", "expected a memory size such as 500MB or 2GB or 'auto', not -1GB"),
        ("tiles: {halo: exakt}", "tiles.halo: expected a whole number or 'auto' or 'exact', not exakt"),
        ("tiles: {halo: 1.5}", "tiles.halo: expected a whole number or 'auto' or 'exact', not 1.5"),
        ("tiles: {halo: -1}", "tiles.halo: expected at least 0 or 'auto' or 'exact', not -1"),
        ("tiles: {size: 16}", "tiles.size: expected at least 32 or 'auto', not 16"),
        ("tiles: {size: [512, 512]}", "tiles.size: expected a whole number or 'auto', not [512, 512]"),
        ("tiles: {batch: 0}", "tiles.batch: expected at least 1 or 'auto', not 0"),
        ("tiles: {haloo: 5}", "tiles.haloo: unknown key 'haloo'; did you mean 'halo'?"),
        ("tiles: 512", "tiles: expected a mapping of size, halo, batch, memory, not 512"),
        ("engine: {precision: half}", "engine.precision: expected 'float32' or 'mixed', not half"),
        ("engine: {jit: true}", "engine.jit: expected 'auto', 'on' or 'off', not true"),
        ("engine: {jti: on}", "engine.jti: unknown key 'jti'; did you mean 'jit'?"),
        ("engine: tensorflow", "engine: expected a mapping of precision, jit, not tensorflow"),
    ],
)
def test_invalid_tiles_and_engine_are_rejected(schema, setting, message):
    (error,) = errors(f"image: x.jpg\n{setting}")
    assert error.startswith("f.yaml:2:")
    assert message in error
    assert list(schema.iter_errors({"image": "x.jpg", **yaml.safe_load(setting)}))


def test_shorthands_resolve_to_the_same_recipe():
    long = resolve(
        parse(
            "image: {source: x.jpg}\nmodel: {name: efficientnet_lite0}\n"
            "ascent: [{normalize: {}}, {rate: {value: 0.1}}]\nobjectives: [{l2: {layer: block9_expand}}]",
            "f",
        ),
        Path("."),
    )
    short = resolve(
        parse(
            "image: x.jpg\nmodel: efficientnet_lite0\nascent: [normalize, rate: 0.1]\nobjectives: {l2: block9_expand}",
            "f",
        ),
        Path("."),
    )
    assert long.data == short.data


def test_recipe_resolves_to_itself():
    config = load(CONFIGS[0])
    again = resolve(YamlDocument(json.loads(json.dumps(config.data)), "again"), config.base)
    assert again.data == config.data


def test_parts_may_be_python_objects():
    objective = Objective("block9_expand", lambda activations: activations["block9_expand"][..., 0])
    config = resolve(
        YamlDocument({"image": "x.jpg", "objectives": [objective, {"l2": "block9_expand"}]}, "py"), Path(".")
    )
    assert config.objectives[0].make() is objective
    assert config.objectives[1].make().layers == ("block9_expand",)
