"""Panels: several pictures at once on one sheet, each a picture of its own to all but the score."""

import numpy as np
import pytest

import kerasdream
from kerasdream import GradientStep, images
from kerasdream.builtin.objectives.channel import channel
from kerasdream.builtin.objectives.neuron import neuron
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.dreaming.parts import placed
from kerasdream.errors import ConfigError
from kerasdream.images.masks import Mask
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.plan import Plan
from kerasdream.schedules import Progress


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (height, width, 3)).astype("float32")


def at(step, sheet, panels):
    return step.evaluate(sheet, Plan((sheet.shape[:2],), (1,), step.cutting, 0, panels=panels), Progress())


def grams(activation):
    flat = activation.reshape(-1, activation.shape[-1])
    gram = flat.T @ flat
    return (gram / np.linalg.norm(gram)).ravel()


def test_panels_lie_row_by_row():
    panels = Panels(2, 3)
    sheet = np.arange(4 * 6).reshape(4, 6)
    assert panels.number == 6
    assert panels.of((4, 6)) == (2, 2)
    assert panels.sheet((2, 2)) == (4, 6)
    assert [sheet[window][0, 0] for window in panels.windows((4, 6))] == [0, 2, 4, 12, 14, 16]
    np.testing.assert_array_equal(panels.filled(sheet[:2, :2]), np.tile(sheet[:2, :2], (2, 3)))
    assert SINGLE.windows((4, 6)) == [(slice(0, 4), slice(0, 6))]


@pytest.mark.parametrize("tile", ["auto", 64])
def test_each_panel_has_the_gradient_that_it_has_alone(tiny, tile):
    """Objective and prior, one tile a panel and several: nothing passes from a panel to the next."""
    sheet, panels = noise(2 * 72, 3 * 60), Panels(2, 3)
    made = GradientStep(tiny, channel(layer="c3", channel=1), [total_variation()], input_range=(-1, 1), tile=tile)
    found = at(made, sheet, panels)
    scores = []
    grid = Plan((sheet.shape[:2],), (1,), made.cutting, 0, panels=panels).grid(0, 0)
    assert (len(grid.tiles) > 1) == (tile == 64)
    for window in panels.windows(sheet.shape[:2]):
        alone, means, _ = made.engine.gradient(np.ascontiguousarray(sheet[window]), grid, whole=True)
        together = found.gradient[window] * 6
        if tile == "auto":  # evening out at the cuts goes by all panels together
            np.testing.assert_allclose(together, alone, atol=1e-5 * np.abs(alone).max())
        else:
            assert np.corrcoef(together.ravel(), alone.ravel())[0, 1] > 0.95
        scores.append(means)
    np.testing.assert_allclose(list(found.scores.values()), np.mean(scores, axis=0), rtol=1e-5)


def test_a_neuron_is_that_of_each_panel(tiny):
    sheet, panels = noise(64, 3 * 64), Panels(1, 3)
    step = GradientStep(tiny, neuron(layer="c3", channel=2, x=0.25, y=0.75), input_range=(-1, 1))
    found = at(step, sheet, panels)
    alone = [at(step, np.ascontiguousarray(sheet[window]), SINGLE) for window in panels.windows((64, 192))]
    assert found.score == pytest.approx(np.mean([one.score for one in alone]), rel=1e-5)
    expected = np.concatenate([one.gradient for one in alone], axis=1) / 3
    np.testing.assert_allclose(found.gradient, expected, atol=1e-5 * np.abs(expected).max())
    rows, columns = np.nonzero(np.abs(found.gradient[:, 64:128]).sum(2))
    assert abs(rows.mean() - 48) < 4
    assert abs(columns.mean() - 16) < 4


def test_rolled_panels_stay_apart():
    from kerasdream.engine.canvas import rolled

    sheet, panels = noise(2 * 20, 2 * 30), Panels(2, 2)
    moved = np.asarray(rolled(sheet, (3, -5), panels))
    for window in panels.windows((40, 60)):
        np.testing.assert_array_equal(moved[window], np.roll(sheet[window], (3, -5), (0, 1)))


def test_a_sheet_of_one_photo_is_its_dream_in_every_panel(lite0, chelsea):
    photo = images.resize(chelsea, (96, 144)).clip(-1, 1)
    options = {
        "model": lite0,
        "objectives": {"l2": "block5_expand"},
        "octaves": {"count": 2, "steps": 2, "scale": 1.3},
        "ascent": ["normalize", "momentum", {"rate": 0.02}],
        "postprocess": [],
    }
    alone = kerasdream.dream(photo, **options)
    sheet = kerasdream.dream(photo, panels=(2, 1), **options)
    assert sheet.image.shape == (192, 144, 3)
    np.testing.assert_allclose(sheet.image[:96], alone.image, atol=2e-3)
    np.testing.assert_allclose(sheet.image[96:], alone.image, atol=2e-3)
    assert np.abs(alone.image - photo).max() > 0.05
    assert sheet.scores == pytest.approx(alone.scores, rel=1e-4)


def channels(count=3, **changes):
    """A grid of channels from noise."""
    objectives = [
        {"channel": {"layer": "block5_expand_bn", "channel": 10 + i, "mask": {"panels": [i]}}} for i in range(count)
    ]
    return {
        "image": {"source": "noise", "size": [64, 64], "panels": count},
        "objectives": objectives,
        "parametrization": "fourier",
        "priors": [],
        "transforms": [{"jitter": 4}],
        "ascent": ["adam", {"rate": 0.05}],
        "octaves": {"count": 1, "steps": 20, "detail": False},
        **changes,
    }


def test_a_grid_of_channels_has_each_in_its_panel(lite0, tmp_path):
    sheet = kerasdream.run(channels(), folder=tmp_path).image
    assert sheet.shape == (64, 192, 3)
    panels = np.stack([sheet[window] for window in Panels(1, 3).windows((64, 192))])
    extractor = kerasdream.feature_extractor(lite0.model, ["block5_expand_bn"])
    response = np.asarray(extractor(lite0.preprocess(panels))["block5_expand_bn"]).mean((1, 2))[:, 10:13]
    np.testing.assert_array_equal(response.argmax(axis=0), [0, 1, 2])
    np.testing.assert_array_equal(response.argmax(axis=1), [0, 1, 2])
    assert not np.array_equal(panels[0], panels[1])


def test_diversity_makes_panels_differ(lite0, tmp_path):
    def likeness(weight):
        objectives = [{"channel": {"layer": "block9_expand_bn", "channel": 58}}]
        objectives += [{"diversity": {"layer": "block5_expand", "weight": weight}}]
        data = channels(objectives=objectives, image={"source": "noise", "size": [96, 96], "panels": 2})
        sheet = kerasdream.run(data, folder=tmp_path, overwrite=True).image
        extractor = kerasdream.feature_extractor(lite0.model, ["block5_expand"])
        both = np.asarray(extractor(lite0.preprocess(np.stack([sheet[:, :96], sheet[:, 96:]])))["block5_expand"])
        return float(grams(both[0]) @ grams(both[1]))

    assert likeness(20.0) < likeness(0.0) - 0.05


def test_interpolate_goes_from_one_channel_to_another(lite0, tmp_path):
    layer = "block5_expand_bn"
    path = {"interpolate": {"layer": layer, "channel": 10, "to_layer": layer, "to_channel": 11}}
    data = channels(objectives=[path, {"alignment": {"layer": layer, "weight": 0.1}}])
    sheet = kerasdream.run(data, folder=tmp_path).image
    panels = np.stack([sheet[:, i : i + 64] for i in (0, 64, 128)])
    response = np.asarray(kerasdream.feature_extractor(lite0.model, [layer])(lite0.preprocess(panels))[layer])
    first, last = response.mean((1, 2))[:, 10:12].T
    assert first[0] > first[1] > first[2]
    assert last[0] < last[1] < last[2]


def test_an_interrupted_sheet_goes_on_to_the_same_pixels(tmp_path):
    data = channels(2, parametrization="pixels", octaves={"count": 2, "steps": 4, "detail": False})
    whole = kerasdream.run(data, folder=tmp_path)
    expected, steps = images.read(whole.paths[0]).stored, []

    def stop(event):
        steps.append(event)
        if isinstance(event, kerasdream.events.Stepped) and event.progress.run_step == 5:
            raise KeyboardInterrupt

    broken = tmp_path / "broken"
    broken.mkdir()
    assert kerasdream.run(data, folder=broken, on_event=stop).interrupted
    again = kerasdream.run(data, folder=broken, resume=True)
    assert not again.interrupted
    np.testing.assert_array_equal(images.read(again.paths[0]).stored, expected)


def test_masks_are_those_of_a_panel(tmp_path):
    images.save(
        tmp_path / "half.png",
        np.repeat(np.array([[1.0], [-1.0]], "float32"), 40, 1)[..., None] * np.ones(3),
        format="png",
    )
    mask = Mask(tmp_path / "half.png", panels=(1,))
    sheet = placed(mask, Panels(1, 2), (40, 80))
    assert sheet[:, :40].max() == 0
    assert sheet[0, 40:].min() == 1
    assert sheet[-1, 40:].max() == 0
    np.testing.assert_array_equal(
        placed(Mask(panels=(0,)), Panels(2, 1), (4, 3)), np.repeat([1, 0], 2)[:, None] * np.ones(3)
    )
    assert Mask(panels=(0,)).plain == {"feather": 0.0, "invert": False, "panels": [0]}


FAULTS = {
    "diversity compares panels with one another; set image.panels to 2 or more": {"image": "noise"},
    "crops need a single picture, but image.panels sets": {"views": "crops"},
    "frames need a single picture, but image.panels sets": {"frames": {"count": 2}},
    r"expected numbers from 0 to 1, because image.panels is 2": {"priors": [{"norm": {"mask": {"panels": [2]}}}]},
    "image.panels": {"image": {"source": "noise", "panels": [1, 2, 3]}},
}


@pytest.mark.parametrize("told", FAULTS)
def test_what_needs_panels_and_what_cannot_have_them(told, tmp_path):
    data = {
        "image": {"source": "noise", "panels": [2, 1]},
        "objectives": [{"diversity": {"layer": "block5_expand"}}],
        **FAULTS[told],
    }
    with pytest.raises(ConfigError, match=told):
        resolve(YamlDocument(data, "run.yaml"), tmp_path)


def test_the_plan_counts_the_sheet(here, tmp_path):
    (tmp_path / "run.yaml").write_text("image: {source: noise, size: [96, 128], panels: [2, 2]}\noctaves: {count: 1}\n")
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    assert "octave 1: 256×192" in out
    assert "2 × 2 panels of 128×96, which the network sees at once" in out


def test_the_same_grid_cuts_every_panel_into_views_that_fit_together(tiny):
    step = GradientStep(tiny, channel(layer="c3", channel=1), input_range=(-1, 1), tile=200)
    one = Plan(((400, 400),), (1,), step.cutting, 0)
    four = Plan(((800, 800),), (1,), step.cutting, 0, panels=Panels(2, 2))
    assert 4 * four.octaves[0].layout.largest <= 200**2 + 200
    assert four.octaves[0].layout.views > one.octaves[0].layout.views
