"""The planner: the printed plan is the plan of the run, with and without a shipped layer table."""

from __future__ import annotations

import json

import pytest

from kerasdream import ConfigError
from kerasdream.cli.plan import BUILT, describe
from kerasdream.config.resolve import load
from kerasdream.models import tables
from kerasdream.plan.tile_size import USUAL_BYTES, largest_side
from kerasdream.session.planner import facts_from_table, plan_run
from kerasdream.session.session import Session
from kerasdream.session.sources import shape_of

NOISE = "image: {source: noise, size: [300, 420]}\noctaves: {count: 2, steps: 3}\n"

RUN = """\
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives: {l2: c2}
octaves: {count: 1, steps: 1}
"""

NETWORK = """\
import keras
from kerasdream import Network, hookimpl


def small() -> Network:
    \"\"\"A network of a plugin.\"\"\"
    picture = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(4, 7, strides=4, padding="valid", name="conv")(picture)
    return Network("small_network", keras.Model(picture, layer), lambda x: x, size=96)


@hookimpl
def register_models(register):
    register(small)
"""

TABLE = {
    "defaults": "",
    "small_tiles": "tiles: {size: 128}\n",
    "own_halo": "tiles: {size: 160, halo: 12}\n",
    "exact": "tiles: {size: 400, halo: exact}\ntransforms: []\npriors: []\n",
    "margins": "transforms: [{rotate: {degrees: 5}}, {jitter: {pixels: 8}}]\npriors: [{bilateral: {}}]\n",
    "two_layers": "objectives: [{l2: block5_expand}, {l2: block11_expand}]\ntiles: {size: 128}\n",
    "everywhere": "objectives: [{class: goldfish}]\nviews: tiles\n",
    "crops": "objectives: [{class: goldfish}]\n",
    "crops_of_a_size": "views: crops\ncrops: {size: 100, count: 3}\n",
    "panels": "image: {source: noise, size: [200, 160], panels: [2, 2]}\ntiles: {size: 200}\n",
    "frames": "frames: {count: 4}\n",
    "wrapped": "transforms: [{jitter: {pixels: 16, wrap: true}}]\n",
}


def configured(folder, text, overrides=()):
    keys = {line.partition(":")[0] for line in text.splitlines()}
    lines = [line for line in NOISE.splitlines() if line.partition(":")[0] not in keys]
    (folder / "run.yaml").write_text("\n".join([*lines, text]))
    return load(folder / "run.yaml", overrides)


@pytest.mark.parametrize("name", TABLE)
def test_plan_from_the_table_is_the_plan_of_the_run(tmp_path, name):
    config = configured(tmp_path, TABLE[name])
    facts, shape = facts_from_table(config), shape_of(config, "noise")
    assert facts is not None
    assert plan_run(config, facts, shape) == Session(config).plan(shape)


def test_order_of_layers_does_not_matter_in_shipped_tables():
    """All layers of a network with the same stride suit the same sizes, whichever of them is selected."""
    for file in tables.FOLDER.glob("*.json"):
        residues = {(row.lattice.stride, row.lattice.residue) for row in tables.layers(file.stem)}
        assert len(residues) == len({stride for stride, _ in residues}), file.stem


def test_step_is_cut_as_planned(tmp_path):
    session = Session(configured(tmp_path, TABLE["small_tiles"]))
    assert session.step.cutting == session.plan((300, 420)).cutting
    assert session.step.engine.score.extractor is session.seen[1]


def assert_printed_as_run(config, row):
    plan = Session(config).plan(shape_of(config, row["source"]))
    expected = [(octave.shape[::-1], octave.steps, octave.layout.views) for octave in plan.octaves]
    assert [(tuple(octave["size"]), octave["steps"], octave["tiles"]) for octave in row["octaves"]] == expected


@pytest.fixture
def run_file(folder):
    (folder / "run.yaml").write_text(RUN)
    return folder / "run.yaml"


@pytest.mark.parametrize("tiles", ["auto", "{size: 40}", "{size: 64, halo: exact}"])
def test_network_from_a_file_is_built_to_plan(run_file, here, tiles):
    settings = [f"tiles={tiles}"] if tiles != "auto" else []
    settings += ["transforms=[]"] if "exact" in tiles else []
    options = [word for setting in settings for word in ("-s", setting)]
    code, out, _ = here("plan", run_file, *options)
    assert code == 0
    assert out.splitlines()[-1] == f"  note: {BUILT}"
    (row,) = json.loads(here("plan", run_file, "--json", *options)[1])
    assert row["notes"] == [BUILT]
    config = load(run_file, settings)
    assert facts_from_table(config) is None
    assert_printed_as_run(config, row)


def test_network_of_a_plugin_is_built_to_plan(tmp_path):
    """Its tile size is found under the name of the network, not that of its factory."""
    (tmp_path / "net.py").write_text(NETWORK)
    config = configured(tmp_path, "plugins: [net.py]\nmodel: small\nobjectives: {l2: conv}\ntiles: {size: 128}\n")
    (row,) = describe(config)
    assert row["notes"] == [BUILT]
    assert_printed_as_run(config, row)
    facts = Session(config).facts
    assert (facts.name, facts.side) == ("small_network", 96)
    assert facts.geometry.lattice == (4, 3, 11)


def test_layer_missing_from_the_table_is_learned_without_weights(tmp_path, monkeypatch):
    """Most tables lack the classifier; the network is built with random weights, so nothing is downloaded."""
    monkeypatch.setattr("kerasdream.models.applications._imagenet", None)
    config = configured(tmp_path, "model: mobilenet\nobjectives: [{class: goldfish}]\nviews: tiles\n")
    assert facts_from_table(config) is None
    (row,) = describe(config)
    assert row["notes"] == [BUILT]
    assert row["octaves"][-1]["tiles"] == 1
    crops = configured(tmp_path, "model: mobilenet\nobjectives: [{class: goldfish}]\n")
    (row,) = describe(crops)  # crops are not cut, so strides do not matter
    assert row["notes"] == []


def test_impossible_exact_halo_is_an_error_before_the_run(tmp_path, here):
    config = configured(tmp_path, "objectives: [{class: goldfish}]\nviews: tiles\ntiles: {halo: exact}\n")
    with pytest.raises(ConfigError, match="halo: exact is impossible behind global pooling or attention"):
        next(describe(config))
    config = configured(tmp_path, "transforms: [{rotate: {degrees: 5}}]\ntiles: {halo: exact}\n")
    with pytest.raises(ConfigError, match="halo: exact is impossible with transforms"):
        next(describe(config))


# Rules of this machine


def test_rule_of_a_network_from_a_file_is_found_under_the_name_of_the_file(rules, run_file):
    rules({"tiny": {"size": 40}, "file": {"size": 640}})
    assert Session(load(run_file)).step.cutting.size == 40
    rules({"tiny": {"size": 640}, "file": {"size": 40}})
    assert Session(load(run_file)).step.cutting.size == 640


def test_settings_override_the_rule(rules, run_file):
    rules({"tiny": {"size": 40}})
    assert Session(load(run_file, ["tiles.size=64"])).step.cutting.size == 64
    memory_given = Session(load(run_file, ["tiles.memory=500MB"])).step.cutting.size
    assert memory_given == largest_side(500 * 2**20, USUAL_BYTES)


def test_rule_of_a_named_network_is_used(rules, tmp_path):
    tiles = []
    for size in (192, 640):
        rules({"efficientnet_lite0": {"size": size}})
        config = configured(tmp_path, "image: {source: noise, size: [512, 512]}\noctaves: {count: 1}\n")
        tiles.append(next(describe(config))["octaves"][0]["tiles"])
    assert tiles[0] > 4 * tiles[1]


def test_recipe_has_the_size_of_the_rule(rules, run_file):
    rules({"tiny": {"size": 40}})
    config = load(run_file)
    session = Session(config)
    result = session.dream(session.picture(str(run_file.parent / "photo.png")))
    assert config.tiles.size == "auto"
    assert result.manifest["recipe"]["tiles"]["size"] == 40
    assert result.notes == ()


def test_plan_and_run_note_damaged_rules(rules, run_file, here):
    path = rules("{")
    note = f"{path}, written by kerasdream tune, is damaged"
    code, out, _ = here("plan", run_file)
    assert code == 0
    assert f"  note: {note}" in out
    assert "; until then the default tile sizes are used" in out
    assert "is damaged" not in here("plan", run_file, "-s", "tiles.size=64")[1]
    session = Session(load(run_file))
    result = session.dream(session.picture(str(run_file.parent / "photo.png")))
    assert [text for text in result.notes if text.startswith(note)]


def test_lost_frames_are_noted(tmp_path):
    config = configured(tmp_path, TABLE["frames"])
    (row,) = describe(config)
    assert row["notes"] == ["only the last frame is written: put {frame} into the path of an output, or write a gif"]
    config = configured(tmp_path, TABLE["frames"] + "outputs: [gif]\n")
    assert next(describe(config))["notes"] == []
