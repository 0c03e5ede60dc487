"""Panels: several pictures on one sheet, each dreamed as a picture of its own; only the score sees them together."""

import numpy as np
import pytest

import kerasdream
from kerasdream import GradientStep, images
from kerasdream.builtin.objectives.channel import channel
from kerasdream.builtin.objectives.neuron import neuron
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.dreaming.step import as_network
from kerasdream.errors import ConfigError
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.plan import Plan
from kerasdream.schedules import Progress


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (height, width, 3)).astype("float32")


def at(step, sheet, panels):
    return step.evaluate(sheet, Plan((sheet.shape[:2],), (1,), step.cutting, 0, panels=panels), Progress())


def test_panels_are_numbered_row_by_row():
    panels = Panels(2, 3)
    sheet = np.arange(4 * 6).reshape(4, 6)
    assert panels.number == 6
    assert panels.of((4, 6)) == (2, 2)
    assert panels.sheet((2, 2)) == (4, 6)
    assert [sheet[window][0, 0] for window in panels.windows((4, 6))] == [0, 2, 4, 12, 14, 16]
    np.testing.assert_array_equal(panels.filled(sheet[:2, :2]), np.tile(sheet[:2, :2], (2, 3)))
    assert SINGLE.windows((4, 6)) == [(slice(0, 4), slice(0, 6))]


@pytest.mark.parametrize("tile", ["auto", 64])
def test_each_panel_has_the_gradient_of_a_picture_of_its_own(tiny, tile):
    """An objective and a prior, with one tile per panel and with several: panels do not affect one another."""
    sheet, panels = noise(2 * 72, 3 * 60), Panels(2, 3)
    made = GradientStep(tiny, channel(layer="c3", channel=1), [total_variation()], input_range=(-1, 1), tile=tile)
    found = at(made, sheet, panels)
    scores = []
    grid = Plan((sheet.shape[:2],), (1,), made.cutting, 0, panels=panels).grid(0, 0)
    assert (len(grid.tiles) > 1) == (tile == 64)
    for window in panels.windows(sheet.shape[:2]):
        alone, means, *_ = made.engine.gradient(np.ascontiguousarray(sheet[window]), grid, whole=True)
        together = found.gradient[window] * 6
        if tile == "auto":  # the seam correction is that of all panels together
            np.testing.assert_allclose(together, alone, atol=1e-5 * np.abs(alone).max())
        else:
            assert np.corrcoef(together.ravel(), alone.ravel())[0, 1] > 0.95
        scores.append(means)
    np.testing.assert_allclose(list(found.scores.values()), np.mean(scores, axis=0), rtol=1e-5)


def test_neuron_is_evaluated_in_each_panel(tiny):
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


def test_sheet_of_one_photo_has_its_dream_in_every_panel(tiny, chelsea):
    photo = chelsea[:64, :96]
    options = {
        "model": tiny,
        "input_range": (-1, 1),
        "objectives": {"l2": "c3"},
        "octaves": {"count": 2, "steps": 2, "scale": 1.3},
        "ascent": ["normalize", "momentum", {"rate": 0.02}],
    }
    alone = kerasdream.dream(photo, **options)
    sheet = kerasdream.dream(photo, panels=(2, 1), **options)
    assert sheet.image.shape == (128, 96, 3)
    np.testing.assert_allclose(sheet.image[:64], alone.image, atol=2e-3)
    np.testing.assert_allclose(sheet.image[64:], alone.image, atol=2e-3)
    assert np.abs(alone.image - photo).max() > 0.05
    assert sheet.scores == pytest.approx(alone.scores, rel=1e-4)


def channels(count, **keys):
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
        **keys,
    }


def test_grid_of_channels_has_each_in_its_panel(lite0, tmp_path):
    sheet = kerasdream.run(channels(3), folder=tmp_path).image
    assert sheet.shape == (64, 192, 3)
    panels = np.stack([sheet[window] for window in Panels(1, 3).windows((64, 192))])
    extractor = kerasdream.feature_extractor(lite0.model, ["block5_expand_bn"])
    response = np.asarray(extractor(lite0.preprocess(panels))["block5_expand_bn"]).mean((1, 2))[:, 10:13]
    np.testing.assert_array_equal(response.argmax(axis=0), [0, 1, 2])
    np.testing.assert_array_equal(response.argmax(axis=1), [0, 1, 2])
    assert not np.array_equal(panels[0], panels[1])


def test_interrupted_sheet_resumes_to_the_same_pixels(tiny, tmp_path):
    data = channels(2, parametrization="pixels", octaves={"count": 2, "steps": 2, "detail": False})
    data |= {"model": as_network(tiny, (-1, 1)), "objectives": {"l2": "c3"}}
    whole = kerasdream.run(data, folder=tmp_path)
    expected = images.read(whole.paths[0]).stored

    def stop(event):
        if isinstance(event, kerasdream.events.Stepped) and event.progress.run_step == 2:
            raise KeyboardInterrupt

    broken = tmp_path / "broken"
    broken.mkdir()
    assert kerasdream.run(data, folder=broken, on_event=stop).interrupted
    again = kerasdream.run(data, folder=broken, resume=True)
    assert not again.interrupted
    np.testing.assert_array_equal(images.read(again.paths[0]).stored, expected)


ERRORS = {
    "diversity compares panels with one another; set image.panels to 2 or more": {"image": "noise"},
    "frames need a single picture, but image.panels sets": {"frames": {"count": 2}},
    r"expected numbers from 0 to 1, because image.panels is 2": {"priors": [{"norm": {"mask": {"panels": [2]}}}]},
    "image.panels": {"image": {"source": "noise", "panels": [1, 2, 3]}},
}


@pytest.mark.parametrize("words", ERRORS)
def test_what_needs_panels_or_cannot_have_them_is_an_error(words, tmp_path):
    data = {
        "image": {"source": "noise", "panels": [2, 1]},
        "objectives": [{"diversity": {"layer": "block5_expand"}}],
        **ERRORS[words],
    }
    with pytest.raises(ConfigError, match=words):
        resolve(YamlDocument(data, "run.yaml"), tmp_path)


def test_views_of_all_panels_fit_into_memory_together(tiny):
    step = GradientStep(tiny, channel(layer="c3", channel=1), input_range=(-1, 1), tile=200)
    one = Plan(((400, 400),), (1,), step.cutting, 0)
    four = Plan(((800, 800),), (1,), step.cutting, 0, panels=Panels(2, 2))
    assert 4 * four.octaves[0].layout.largest <= 200**2 + 200
    assert four.octaves[0].layout.views > one.octaves[0].layout.views
