"""Classes drawn from noise under a prior: recognised by the network that drew them, and by one that did not."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "make_classes.py"
spec = spec_from_file_location("make_classes", SCRIPT)
classes = module_from_spec(spec)
spec.loader.exec_module(classes)

pytestmark = pytest.mark.proof

LEAST = {"deepdraw": 15, "class": 18}
"""How many of the 20 classes Lite1, which took no part, puts first at least. Rounding differs between processors and
leads to other drawings: of those by ``deepdraw`` it put 19 first on one, 18 on another and 16 on a third."""

OWN = {"deepdraw": 2, "class": 1}
"""Lite0's last place for any class, disturbed: the black grouse of ``deepdraw`` was second on the third processor."""

WORST = 50
"""Lite1's last place, of 1,000, for any one class. On some processor some class comes out badly: seed 0's unicycle was
16th on one, where the next two seeds' were first. Chance would reach this place for one class in twenty."""


@pytest.fixture(scope="module")
def lite1():
    return classes.efficientnet_lite1()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Draws a class by a preset; a second call returns the same picture."""
    folder = tmp_path_factory.mktemp("drawn")
    return lambda preset, index: classes.draw(preset, index, folder)


def place(network, picture, index):
    """The place of a class among all in the eyes of a network that sees the whole picture; 1 is the first."""
    return classes.rank(classes.probabilities(network, classes.whole(picture, network.side)), index)


@pytest.mark.parametrize("index", classes.CLASSES)
@pytest.mark.parametrize("preset", classes.PRESETS)
def test_a_drawn_class_is_recognised_by_both_networks(preset, index, drawn, lite0, lite1):
    """The drawing network sees views it did not see while it drew: other sizes and crops, under noise."""
    picture = drawn(preset, index)
    own = classes.probabilities(lite0, classes.disturbed(picture, 224, index))
    assert classes.rank(own, index) <= OWN[preset]
    assert place(lite1, picture, index) <= WORST


@pytest.mark.parametrize("preset", classes.PRESETS)
def test_the_other_network_puts_nearly_all_classes_first(preset, drawn, lite1, request):
    if request.config.option.proof_sample:
        pytest.skip("needs the drawings of all classes, so it runs in a whole `make proof` only")
    places = {index: place(lite1, drawn(preset, index), index) for index in classes.CLASSES}
    assert len(places) == 20
    assert sum(place == 1 for place in places.values()) >= LEAST[preset], places
    assert sum(place <= 5 for place in places.values()) >= 19, places


def test_without_the_prior_the_class_is_noise_to_the_other_network(drawn, lite0, lite1, tmp_path):
    flamingo = drawn("deepdraw", classes.FLAMINGO)
    bare = classes.draw("deepdraw", classes.FLAMINGO, tmp_path, "bare", priors=[])
    assert classes.grain(bare) > 15 * classes.grain(flamingo)
    assert place(lite0, bare, classes.FLAMINGO) == 1  # the drawing network itself still sees a flamingo
    assert classes.probabilities(lite1, classes.whole(bare, 240))[classes.FLAMINGO] < 0.2
    assert classes.probabilities(lite1, classes.whole(flamingo, 240))[classes.FLAMINGO] > 0.4


def test_the_other_network_recognises_a_cat_and_a_cup_of_coffee(lite1, chelsea, coffee):
    cat = classes.probabilities(lite1, classes.whole(chelsea[:, 75:375], 240))
    cup = classes.probabilities(lite1, classes.whole(coffee[:, 100:500], 240))
    assert 281 <= cat.argmax() <= 285
    assert cat[281:286].sum() > 0.5
    assert cup.argmax() in (504, 967)


def test_grain_is_the_power_of_the_upper_half_of_the_spectrum():
    noise = np.random.default_rng(0).normal(0, 0.1, (64, 64, 3)).astype("float32")
    rows = np.cos(2 * np.pi * np.arange(64) / 8)[:, None, None] * np.ones((64, 64, 3))
    assert classes.grain(noise) == pytest.approx(0.01, rel=0.05)
    assert classes.grain(rows) < 1e-20
