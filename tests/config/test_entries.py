"""Entries: sums of objectives are expanded into their summands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kerasdream import GradientStep, Network
from kerasdream.builtin.objectives import channel, l2
from kerasdream.components import from_range
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError
from kerasdream.schedules import Progress


def objectives_of(text):
    return resolve(parse("image: noise\nobjectives:\n" + text, "run.yaml"), Path(".")).objectives


def test_a_sum_is_expanded_with_its_weight():
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


def test_weights_of_sums_and_summands_multiply_also_as_schedules():
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


def test_summands_inherit_the_mask_of_their_sum():
    plain, inner = objectives_of("""
  - sum:
      of: [{l2: block3_expand}, {sum: {of: [{l2: block5_expand}], weight: 2}}]
      mask: {path: masks/left.png, feather: 0.1}
""")
    for entry in (plain, inner):
        assert (entry.mask.path, entry.mask.feather) == (Path("masks/left.png"), 0.1)
        assert entry.recipe["l2"]["mask"] == {"path": "left.png", "feather": 0.1, "invert": False}
    assert [plain.weight, inner.weight] == [1, 2]


def test_sums_equal_the_algebra_of_objectives(tiny):
    """(2a + 3b)(x) = 2a(x) + 3b(x), gradients too, nested, from Python and a run file; a and b stay as they are."""
    network = Network("tiny", tiny, from_range(-1, 1))
    picture = np.random.default_rng(3).uniform(-1, 1, (40, 56, 3)).astype("float32")
    a, b = l2(layer="c2"), channel(layer="c3", channel=1)
    inner = {"sum": {"of": {"channel": {"layer": "c3", "channel": 1}}, "weight": 1.5}}
    written = [{"sum": {"of": [{"l2": {"layer": "c2"}}, inner], "weight": 2}}]
    entries = resolve(YamlDocument({"image": "noise", "model": network, "objectives": written}, "run.yaml"), Path("."))
    (score_a, slope_a), (score_b, slope_b) = (GradientStep(network, one)(picture) for one in (a, b))
    for total in (2 * (a + 1.5 * b), -(-2 * a - 3 * b), entries.objectives):
        score, slope = GradientStep(network, total)(picture)
        assert score == pytest.approx(2 * score_a + 3 * score_b, rel=1e-5)
        np.testing.assert_allclose(slope, 2 * slope_a + 3 * slope_b, atol=1e-5 * np.abs(slope).max())
    assert [term.weight for term in (*a.terms, *b.terms)] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  - sum: []", "3:5: objectives.0.sum: expected at least one objective"),
        ("  - sum: {of: [], weight: 1}", "objectives.0.sum.of: expected at least one objective"),
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
            "objectives.0.sum.of.0.l2: has a schedule of weights, and so has the sum around it",
        ),
        (
            "  - sum: {of: [{l2: {layer: stem, mask: a.png}}], mask: b.png}",
            "objectives.0.sum.of.0.l2: has a mask, and so has the sum around it; remove one of them",
        ),
    ],
)
def test_errors_in_sums_have_line_and_path(text, words):
    with pytest.raises(ConfigError) as error:
        objectives_of(text)
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_the_json_schema_includes_sums(schema):
    def fits(entry):
        return schema.is_valid({"image": "noise", "objectives": [entry]})

    summand = {"l2": {"layer": "stem", "weight": 2}}
    assert fits({"sum": [summand]})
    assert fits({"sum": {"of": [summand, {"sum": [summand]}], "weight": {"from": 1, "to": 2}}})
    assert not fits({"sum": []})
    assert not fits({"sum": {"weight": 1}})
    assert not fits({"sum": {"of": [summand], "wieght": 1}})
    assert not fits({"sum": [{"l2": {"layer": 5}}]})


PAINTINGS = [
    ("a.png", ["a.png"], "a.png"),
    (["b.png", "a.png"], ["b.png", "a.png"], ["b.png", "a.png"]),
    ("*.png", ["a.png", "b.png"], ["a.png", "b.png"]),
    (["sub", "a.*", "a.png"], ["sub", "a.png"], ["sub", "a.png"]),
    ("sub/**/*.png", ["sub/deep/c.png"], "c.png"),
    ("later.png", ["later.png"], "later.png"),
]


@pytest.mark.parametrize(("given", "found", "recorded"), PAINTINGS)
def test_pictures_are_a_file_a_folder_a_pattern_or_a_list(given, found, recorded, tmp_path):
    (tmp_path / "[runs]" / "sub" / "deep").mkdir(parents=True)
    folder = tmp_path / "[runs]"  # the folder's own name is no pattern
    for name in ("a.png", "b.png", "sub/deep/c.png"):
        (folder / name).write_bytes(b"")
    objective = {"style": {"image": given, "layer": "stem"}}
    (entry,) = resolve(YamlDocument({"image": "noise", "objectives": objective}, "run"), folder).objectives
    assert entry.values["image"] == tuple(folder / name for name in found)
    assert list(entry.files) == [folder / name for name in found]
    assert entry.recipe["style"]["image"] == recorded


def test_a_pattern_without_matches_and_an_empty_list_of_pictures_are_errors(tmp_path):
    objectives = '\n  - style: {layer: stem, image: "none/*.jpg"}\n  - guide: {layer: stem, image: []}\n'
    with pytest.raises(ConfigError) as error:
        resolve(parse(f"image: noise\nobjectives:{objectives}", "run.yaml"), tmp_path)
    pattern, empty = str(error.value).splitlines()
    assert pattern == (
        "run.yaml:3:26: objectives.0.style.image: no file matches none/*.jpg; expected a picture, a folder, a pattern "
        "or a list"
    )
    assert empty.startswith("run.yaml:4:26: objectives.1.guide.image: expected")


def test_pictures_that_a_recipe_could_not_tell_apart_are_an_error(tmp_path):
    data = {"image": "noise", "objectives": {"style": {"image": ["a/1.jpg", "b/1.jpg", "a/1.jpg"], "layer": "stem"}}}
    with pytest.raises(ConfigError, match=r"objectives\.0\.style\.image: 2 pictures are called 1\.jpg; rename them"):
        resolve(YamlDocument(data, "run"), tmp_path)


def test_files_in_a_mapping_are_relative_to_the_run_file_and_base_names_in_the_recipe(tmp_path):
    model = {"file": "a.keras", "input_range": [0, 1], "inputs": {"meta": "sub/meta.npy", "age": 30, "sex": [0, 1]}}
    data = {"image": "noise", "model": model, "objectives": {"l2": "c1"}, "outputs": []}
    config = resolve(YamlDocument(data, "run"), tmp_path)
    assert config.model.values["inputs"] == {"meta": tmp_path / "sub/meta.npy", "age": 30.0, "sex": [0.0, 1.0]}
    assert config.data["model"]["inputs"] == {"meta": "meta.npy", "age": 30.0, "sex": [0.0, 1.0]}
    assert list(config.model.files) == [tmp_path / "a.keras", tmp_path / "sub/meta.npy"]
