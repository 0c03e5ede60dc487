"""An override of a key that does not exist names the key to type, which then works."""

import re
import shlex
from pathlib import Path

import pytest

from kerasdream.config.document import parse
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError

RUN = """\
image: x.jpg
objectives:
  - sum: [{l2: block5_expand}, {mean: {layer: block9_expand}}]
"""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rate=0.05", "-s ascent.2.rate.value=0.05"),
        ("steps=50", "-s octaves.steps=50"),
        ("step=50", "-s octaves.steps=50"),
        ("octaves.stps=50", "-s octaves.steps=50"),
        (
            "model.layer=block3_expand",
            "-s objectives.0.sum.0.l2.layer=block3_expand or -s objectives.0.sum.1.mean.layer=",
        ),
        ("objectives.l2.layer=block3_expand", "-s objectives.0.sum.0.l2.layer=block3_expand"),
        ("ascent.1.by=std", "-s ascent.1.normalize.by=std"),
        ("size=64", "-s image.size=64 or -s tiles.size=64 or -s crops.size=64"),
        ("rate={from: 0.02, to: 0.01}", "-s 'ascent.2.rate.value={from: 0.02, to: 0.01}'"),
        ("gaussian_blur=0.5", "-s 'priors+={gaussian_blur: 0.5}'"),
    ],
)
def test_near_misses_name_the_key_to_type(typed, meant):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(RUN, "f.yaml"), Path("."), [typed])
    (problem,) = str(caught.value).splitlines()
    assert problem.startswith(f"-s {typed}: ")
    assert f"; did you mean {meant}" in problem
    first = re.split(r" or -s |\\?$", problem.partition("did you mean ")[2])[0].removesuffix("?")
    _, override = shlex.split(first)
    if not override.startswith("image.size"):  # which takes two numbers
        resolve(parse(RUN, "f.yaml"), Path("."), [override])
