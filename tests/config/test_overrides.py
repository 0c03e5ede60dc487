"""Overrides, ``-s key.path=value``."""

import re
from pathlib import Path

import pytest

from kerasdream.config.document import parse
from kerasdream.config.overrides import override
from kerasdream.config.resolve import resolve
from kerasdream.config.sections import DEFAULT_PARTS
from kerasdream.errors import ConfigError, on_command_line
from kerasdream.schedules import Ramp

RAMP = {"from": 2, "to": 1}
RUN = "image: x.jpg\nobjectives:\n  - l2: {layer: block11_expand}\n"


def test_overrides_reach_every_setting():
    overrides = [
        "octaves.steps=5", "objectives.0.l2.layer=block9_expand", "model.weights=null", "seed=7",
        "ascent.2.rate.value={from: 0.1, to: 0.2}", "transforms=[]", "image.source=y.jpg",
    ]  # fmt: skip
    config = resolve(parse(RUN, "f.yaml"), Path("/somewhere"), overrides)
    assert config.octaves.steps == 5
    assert config.objectives[0].values["layer"] == "block9_expand"
    assert config.model.values == {"weights": None}
    assert config.seed == 7
    assert config.ascent[2].values["value"] == Ramp(**{"from": 0.1, "to": 0.2})
    assert config.transforms == ()
    assert config.image.source == str(Path("y.jpg").absolute())
    weights = resolve(parse(RUN, "f.yaml"), Path("/somewhere"), ["model.weights=mine.h5"]).model.values["weights"]
    assert weights == Path("mine.h5").absolute()
    assert DEFAULT_PARTS["transforms"] == [{"jitter": {"pixels": 32}}]  # The defaults are unchanged.


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("octaves.steps=x", "'octaves.steps=x': octaves.steps: expected a whole number or 'auto', not x"),
        ("octaves.stps=1", "unknown key 'stps'; did you mean 'octaves.steps=1'?"),
        ("objectives.3.l2.layer=x", "'objectives.3.l2.layer=x': objectives.3 does not exist, so it cannot be set"),
        ("steps", "'steps': expected KEY=VALUE, as in 'octaves.steps=5'"),
        ("seed=[", "invalid YAML"),
    ],
)
def test_invalid_overrides_are_named_in_errors(override, words):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(RUN, "f.yaml"), Path("/somewhere"), [override])
    assert words in str(caught.value)
    with pytest.raises(ConfigError, match=rf"^-s {re.escape(override)}:"), on_command_line():
        resolve(parse(RUN, "f.yaml"), Path("/somewhere"), [override])


def test_an_override_without_end_is_refused_in_short():
    for text in (".".join("a" * 20_000) + "=1", "seed=" + "9" * 100_000, "x" * 100_000, "seed=" + "[" * 60_000):
        with pytest.raises(ConfigError) as caught:
            resolve(parse(RUN, "f.yaml"), Path(), [text])
        assert re.search(r"at most 50 keys|at most 300 digits|expected KEY=VALUE|nested too deeply", str(caught.value))
        assert len(str(caught.value)) < 1000


def test_lists_can_be_added_to():
    """A list, an entry that stands alone, a default and a key that is not there; each new entry has its place."""
    text = "image: x.jpg\nobjectives: {l2: block5_expand}\n"
    added = ["objectives+={mean: block9_expand}", "priors+=[{decay: 0.1}, clip]", "postprocess+={sharpen: 0.5}"]
    config = resolve(parse(text, "f.yaml"), Path("."), added)
    assert [entry.name for entry in config.objectives] == ["l2", "mean"]
    assert [entry.name for entry in config.priors] == ["total_variation", "decay", "clip"]
    assert [entry.name for entry in config.postprocess] == ["sharpen"]
    assert (config.priors[1].place, config.objectives[0].place) == (repr(added[1]), "f.yaml:2:14")
    default = resolve(parse("image: x.jpg", "f.yaml"), Path("."), ["objectives+={l2: mixed4}", "model=inception_v3"])
    assert [entry.values["layer"] for entry in default.objectives] == ["mixed3", "mixed5", "mixed4"]
    with pytest.raises(ConfigError, match=r"'octaves.scale\+=2': octaves.scale is not a list, so nothing can be added"):
        resolve(parse(f"{RUN}octaves: {{scale: 1.5}}", "f.yaml"), Path("."), ["octaves.scale+=2"])


@pytest.mark.parametrize(
    ("text", "override", "expected"),
    [
        ("objectives: [l2: block5_expand]", "objectives.0.l2.weight=2", {"layer": "block5_expand", "weight": 2}),
        ("objectives: {l2: block5_expand}", "objectives.l2.weight=2", {"layer": "block5_expand", "weight": 2}),
        ("objectives: {l2: block5_expand}", "objectives.0.l2.layer=block6_expand", {"layer": "block6_expand"}),
        ("objectives: [sum: [l2: block5_expand]]", "objectives.0.sum.weight=3", {"weight": 3.0}),
        ("priors: [total_variation: 3]", "priors.0.total_variation.scale=absolute", {"weight": 3, "scale": "absolute"}),
        ("parametrization: {fourier: 0.5}", "parametrization.fourier.decorrelate=false", {"decay": 0.5}),
        ("ascent: [clip: {from: 2, to: 1}]", "ascent.0.clip.by=rms", {"limit": Ramp(**RAMP)}),
        ("ascent: [clip: {from: 2, to: 1}]", "ascent.0.clip.over=run", {"limit": Ramp(**RAMP, over="run")}),
    ],
)
def test_an_override_of_a_shorthand_keeps_its_value(text, override, expected):
    config = resolve(parse(f"image: x.jpg\n{text}", "f.yaml"), Path("."), [override])
    key = text.partition(":")[0]
    found = config.parametrization if key == "parametrization" else getattr(config, key)[0]
    assert expected.items() <= dict(found.values).items()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["octaves=3", "octaves.steps=5"], "octaves is 3, so octaves.steps cannot be set"),
        (["objectives.0.l2.weight=0"], "has the weight 0, as all objectives do"),
    ],
)
def test_what_would_have_no_effect_is_an_error(overrides, words):
    with pytest.raises(ConfigError, match=words):
        resolve(parse(RUN, "f.yaml"), Path("."), overrides)


def test_photos_in_a_list_stay_when_something_else_of_the_image_is_set():
    config = resolve(parse("image: [x.jpg, y.jpg]", "f.yaml"), Path("."), ["image.max_side=100"])
    assert (config.image.sources, config.image.max_side) == (["x.jpg", "y.jpg"], 100)


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        ("[mean: block5_expand]", ("mean", {"layer": "block8_expand", "weight": 1.0})),
        ("{guide: flower.jpg}", ("guide", {"image": (Path("flower.jpg"),), "layer": "block8_expand"})),
        ("[class: goldfish]", ("l2", {"layer": "block8_expand"})),
    ],
)
def test_a_layer_given_as_an_option_keeps_the_kind_of_a_shorthand(objectives, expected):
    config = resolve(parse(f"image: x.jpg\nobjectives: {objectives}", "f.yaml"), Path(), layers=["block8_expand"])
    (entry,) = config.objectives
    assert (entry.name, expected[1].items() <= dict(entry.values).items()) == (expected[0], True)


def test_document_is_unchanged_by_an_override():
    document = parse(RUN, "f.yaml")
    changed = override(document, "objectives.0.l2.layer=block9_expand")
    assert changed.data["objectives"] == [{"l2": {"layer": "block9_expand"}}]
    assert document == parse(RUN, "f.yaml")
