"""The command ``plan``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / "configs"


def test_plan_shows_octaves_steps_and_tiles(here):
    code, out, err = here("plan", CONFIGS / "from_noise.yaml", "-s", "octaves.count=2", "-s", "image.size=[96, 160]")
    assert (code, err) == (0, "")
    first, *octaves = out.splitlines()
    assert first == "noise: efficientnet_lite0, block11_expand"
    assert [line.partition(" a step")[0] for line in octaves[:2]] == [
        "  octave 1: 114×69, 30 steps, 1 tile",
        "  octave 2: 160×96, 30 steps, 1 tile",
    ]
    code, out, _ = here("plan", CONFIGS / "from_noise.yaml", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["octaves"][-1]["size"] == [768, 512]
    assert sum(octave["steps"] for octave in row["octaves"]) == 180


@pytest.mark.parametrize(
    ("model", "layer", "name"),
    [
        ("{file: mine.keras, input_range: [-1, 1]}", "c2", "mine, c2"),
        (
            "{ensemble: [efficientnet_lite0, efficientnet_lite1]}",
            "efficientnet_lite1/stem",
            "efficientnet_lite0+efficie",
        ),
    ],
)
def test_plan_names_the_network(here, tmp_path, tiny, model, layer, name):
    tiny.save(tmp_path / "mine.keras")
    (tmp_path / "run.yaml").write_text(f"image: noise\nmodel: {model}\nobjectives: [{{l2: {layer}}}]\n")
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    assert out.startswith(f"noise: {name}")


def test_plan_shows_panels(here, tmp_path):
    (tmp_path / "run.yaml").write_text("image: {source: noise, size: [96, 128], panels: [2, 2]}\noctaves: {count: 1}\n")
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    assert "octave 1: 256×192" in out
    assert "2 × 2 panels of 128×96, which the network sees at once" in out


def test_plan_shows_frames(here, tmp_path):
    (tmp_path / "run.yaml").write_text("image: noise\nframes: {count: 100, rotate: 0.5, shift: [0, 0.01]}\n")
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    *_, frames, note = out.splitlines()
    assert frames == "  100 frames, each the dream of the one before: zoom 1.05, rotate 0.5°, shift 0, 0.01"
    assert note.startswith("  note: only the last frame is written")
    (row,) = json.loads(here("plan", "--json", tmp_path / "run.yaml")[1])
    assert row["frames"]["count"] == 100


def test_plan_shows_crops_and_the_finished_size(here, tmp_path):
    (tmp_path / "run.yaml").write_text(
        "image: {source: noise, size: [320, 400]}\nobjectives: [{class: goldfish}]\ncrops: {count: 2}\n"
        "octaves: {count: 1, steps: 1}\npostprocess: [{upscale: 2}]\n"
    )
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    assert out.splitlines()[1:] == [
        "  octave 1: 400×320, 1 step, 2 crops a step, 0.78 of its area computed",
        "  finished: 800×640",
    ]
