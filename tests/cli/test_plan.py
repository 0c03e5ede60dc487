"""The command ``plan``."""

from __future__ import annotations

import json
from pathlib import Path

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
