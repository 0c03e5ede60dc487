"""Postprocess steps: their maths against NumPy, SciPy and scikit-image; size and alpha of the finished picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
import skimage.color
import skimage.data
import skimage.exposure
import skimage.filters
import skimage.metrics
from PIL import Image
from scipy import stats

import kerasdream
from kerasdream import ConfigError, ImageError, PluginError, images
from kerasdream.builtin.bilateral import BAND
from kerasdream.builtin.postprocess import blend, denoise, grade, keep_colors, match_color, sharpen, upscale
from kerasdream.config.document import parse
from kerasdream.config.resolve import resolve
from kerasdream.images.masks import Mask

RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722


def brightness(picture):
    """Luma, written out."""
    return RED * picture[..., 0] + GREEN * picture[..., 1] + BLUE * picture[..., 2]


@pytest.fixture(scope="module")
def pair(chelsea, coffee):
    """Two photos of the same size, the first in place of a dream: (picture, source)."""
    return chelsea[:200, :300], coffee[100:300, 150:450]


@pytest.mark.parametrize("amount", [1.0, 0.5])
def test_match_color_restores_mean_and_spread(amount):
    random = np.random.default_rng(0)
    source = random.normal([0.1, -0.2, 0.3], [0.05, 0.1, 0.08], (50, 60, 3)).astype("float32")
    dream = random.normal([-0.3, 0.2, 0.0], [0.15, 0.05, 0.1], (50, 60, 3)).astype("float32")
    matched = match_color(amount=amount).apply(dream, source)
    zscores = (dream - dream.mean((0, 1))) / dream.std((0, 1))
    expected = (1 - amount) * dream + amount * (zscores * source.std((0, 1)) + source.mean((0, 1)))
    np.testing.assert_allclose(matched, expected, atol=1e-4)
    assert matched.dtype == np.float32


def test_match_color_by_histogram_maps_ranks(pair):
    picture, source = pair
    matched = match_color(by="histogram").apply(picture, source)
    for i in range(3):
        ranks = (stats.rankdata(picture[..., i]) - 0.5) / picture[..., i].size
        wanted, places = (
            np.sort(source[..., i], axis=None),
            (np.arange(picture[..., i].size) + 0.5) / picture[..., i].size,
        )
        # within a run of equal levels the nearest level is a level away at most
        assert np.abs(np.interp(ranks, places, wanted).ravel() - matched[..., i].ravel()).max() < 2.1 / 127.5
    close = skimage.exposure.match_histograms(picture, source, channel_axis=-1)
    assert np.abs(matched - close).mean() < 0.01
    assert abs(matched.mean() - source.mean()) < 1e-3 < 0.05 < abs(picture.mean() - source.mean())


def test_match_color_by_histogram_is_exact_and_keeps_flat_areas_flat():
    random = np.random.default_rng(0)
    source = random.uniform(-1, 1, (40, 50, 3)).astype("float32")
    dream = random.normal(0, 0.2, (40, 50, 3)).astype("float32")
    matched = match_color(by="histogram").apply(dream, source)
    for i in range(3):
        np.testing.assert_allclose(np.sort(matched[..., i], None), np.sort(source[..., i], None), atol=1e-6)
        assert (np.argsort(matched[..., i], None) == np.argsort(dream[..., i], None)).all()
    dream[:20] = -1
    flat = match_color(by="histogram").apply(dream, source)[:20]
    assert np.ptp(flat, axis=(0, 1)).max() == 0
    np.testing.assert_allclose(flat[0, 0], np.quantile(source, 0.25, axis=(0, 1)), atol=0.01)  # the middle of its half


def test_match_color_to_another_picture(pair, tmp_path):
    picture, source = pair
    other = skimage.data.rocket()[:100, :90]
    Image.fromarray(other).save(tmp_path / "other.png")
    matched = match_color(to=tmp_path / "other.png", by="histogram").apply(picture, source)
    np.testing.assert_allclose(matched.mean((0, 1)), other.mean((0, 1)) / 127.5 - 1, atol=2e-3)
    with pytest.raises(ImageError, match=r"lost\.png: there is no such file"):
        match_color(to=tmp_path / "lost.png")


def test_keep_colors_combines_luma_of_the_dream_and_chroma_of_the_source(pair):
    picture, source = pair
    kept = keep_colors().apply(picture, source)
    np.testing.assert_allclose(brightness(kept), brightness(picture), atol=1e-5)  # everywhere, in or out of range
    chroma = [(channel - brightness(p)) for p in (kept, source) for channel in (p[..., 2], p[..., 0])]  # ~ Cb, Cr
    full = np.abs(brightness(picture)[..., None] + source - brightness(source)[..., None]).max(-1) <= 1
    assert 0.5 < full.mean() < 1
    np.testing.assert_allclose(chroma[0][full], chroma[2][full], atol=1e-5)
    np.testing.assert_allclose(chroma[1][full], chroma[3][full], atol=1e-5)
    # where the colour was out of range, its direction, the hue, is kept
    hues = [np.arctan2(chroma[i + 1][~full], chroma[i][~full]) for i in (0, 2)]
    coloured = np.hypot(chroma[0], chroma[1])[~full] > 0.02
    assert coloured.any()
    np.testing.assert_allclose(*(hue[coloured] for hue in hues), atol=1e-3)
    assert np.abs(kept[~full]).max(-1) == pytest.approx(1, abs=1e-5)


def test_keep_colors_keeps_cie_lightness_and_hue(pair):
    """CIE lightness of the dream, CIE hue of the source, by scikit-image."""
    picture, source = pair
    kept, dream, photo = (
        skimage.color.rgb2lab((p + 1) / 2) for p in (keep_colors().apply(picture, source), picture, source)
    )
    assert np.abs(kept[..., 0] - dream[..., 0]).mean() < 3
    assert np.abs(kept[..., 0] - photo[..., 0]).mean() > 15
    saturated = np.hypot(photo[..., 1], photo[..., 2]) > 20
    hues = (np.arctan2(p[..., 2], p[..., 1])[saturated] for p in (kept, photo))
    assert np.abs(np.subtract(*hues)).mean() < 0.1


def test_keep_colors_mixes_by_amount(pair):
    picture, source = (0.3 * p for p in pair)  # nothing is out of range
    apply = [keep_colors(amount=amount).apply(picture, source) for amount in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(apply[0], picture, atol=1e-6)
    np.testing.assert_allclose(apply[1], (apply[0] + apply[2]) / 2, atol=1e-6)


def test_blend_mixes_by_amount(pair):
    picture, source = pair
    np.testing.assert_allclose(blend(amount=0.3).apply(picture, source), 0.3 * picture + 0.7 * source, atol=1e-6)
    np.testing.assert_array_equal(blend(amount=0.0).apply(picture, source), source)


def test_blend_follows_a_mask(pair, tmp_path):
    picture, source = pair
    drawn = np.zeros((200, 300), np.uint8)
    drawn[:, 120:] = 255
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    hard = blend(amount=1.0, mask=Mask(tmp_path / "mask.png")).apply(picture, source)
    np.testing.assert_array_equal(hard[:, :120], source[:, :120])
    np.testing.assert_allclose(hard[:, 120:], picture[:, 120:], atol=1e-6)
    soft = blend(amount=0.8, mask=Mask(tmp_path / "mask.png", 0.06)).apply(picture, source)
    share = 0.8 * stats.norm.cdf(np.arange(300) - 119.5, scale=6.0)[None, :, None]
    np.testing.assert_allclose(soft, source + share * (picture - source), atol=3e-3)


def test_blend_follows_the_attribution(run):
    """The photo where the objectives hardly pulled, the dream where they pulled most."""
    mixed = run({"blend": {"amount": 1, "mask": "attribution"}}, {"blend": {"amount": 0.5}})
    dream, source = run(), skimage.data.chelsea()[:64, :80].astype("float32") / 127.5 - 1
    share = images.opacity(mixed.attribution)[..., None]
    np.testing.assert_allclose(mixed.image, source + 0.5 * share * (dream.image - source), atol=1e-5)
    assert mixed.manifest["recipe"]["postprocess"][0] == {"blend": {"amount": 1.0, "mask": "attribution"}}
    assert dream.attribution is None
    assert 0 < share.mean() < 1


def test_a_mask_is_resized_and_its_transparent_parts_are_black(pair, tmp_path):
    picture, source = pair
    drawn = np.full((20, 30, 4), 255, np.uint8)
    drawn[:10, :, 3] = 0
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    made = blend(amount=1.0, mask=Mask(tmp_path / "mask.png")).apply(picture, source)
    np.testing.assert_allclose(made[:80], source[:80], atol=1e-6)
    np.testing.assert_allclose(made[120:], picture[120:], atol=1e-6)


def test_sharpen_equals_scikit_images_unsharp_mask(chelsea):
    grey = np.repeat(brightness(chelsea)[..., None], 3, axis=-1).astype("float32")
    made = sharpen(amount=0.5, radius=1.5).apply(grey, grey)
    expected = skimage.filters.unsharp_mask(grey[..., 0], radius=1.5, amount=0.5, preserve_range=True).clip(-1, 1)
    np.testing.assert_allclose(made[10:-10, 10:-10, 0], expected[10:-10, 10:-10], atol=1e-5)


def test_sharpen_makes_no_colour_fringes_and_ignores_grain(chelsea):
    picture = 0.5 * chelsea
    change = sharpen(amount=1.0).apply(picture, picture) - picture
    assert np.ptp(change, axis=-1).max() < 1e-6
    assert np.abs(change).mean() > 0.01
    grain = np.random.default_rng(0).normal(0, 1 / 127.5, (60, 80, 1)).repeat(3, -1).astype("float32")
    np.testing.assert_array_equal(sharpen(threshold=6.0).apply(grain, grain), grain)
    edge = np.where(np.arange(80) < 40, -0.5, 0.5).astype("float32")[None, :, None] + grain
    assert np.abs(sharpen(threshold=6.0).apply(edge, edge) - edge)[:, 38:42].mean() > 0.05


def test_denoise_is_the_bilateral_filter(chelsea):
    """Pixel by pixel as in the paper, with mirrored edges; more rows than are processed at once."""
    picture = chelsea[50 : 50 + BAND + 6, 100:112]
    made = denoise(tone=0.4, radius=1.5).apply(picture, picture)
    mirrored = np.pad(picture.astype(float), ((3, 3), (3, 3), (0, 0)), mode="symmetric")
    offsets = np.arange(-3, 4)
    square = offsets[:, None] ** 2 + offsets**2
    near = np.exp(-square / (2 * 1.5**2)) * (square <= 9)
    expected = np.empty(picture.shape)
    for y, x in np.ndindex(picture.shape[:2]):
        around = mirrored[y : y + 7, x : x + 7]
        weights = near * np.exp(-((around - picture[y, x]) ** 2).sum(-1) / (2 * 0.4**2))
        expected[y, x] = np.tensordot(weights, around, 2) / weights.sum()
    np.testing.assert_allclose(made, expected, atol=1e-5)
    assert np.abs(made - picture).mean() > 0.01
    half = denoise(tone=0.4, radius=1.5, amount=0.5).apply(picture, picture)
    np.testing.assert_allclose(half, (picture + made) / 2, atol=1e-6)


def test_denoise_removes_grain_and_keeps_edges(chelsea):
    grain = np.random.default_rng(0).normal(0, 0.1, chelsea.shape).astype("float32")
    noisy = (chelsea + grain).clip(-1, 1)
    made = denoise().apply(noisy, noisy)

    def decibels(p):
        return skimage.metrics.peak_signal_noise_ratio(chelsea, p, data_range=2)

    assert decibels(made) > decibels(noisy) + 4
    edge = np.where(np.arange(80) < 40, -0.5, 0.5)[None, :, None] + grain[:60, :80] / 2
    edge = edge.astype("float32")
    columns = denoise().apply(edge, edge).mean((0, 2))
    assert columns[40] - columns[39] > 0.97


def test_grade_by_default_changes_nothing(chelsea):
    np.testing.assert_allclose(grade().apply(chelsea, chelsea), chelsea, atol=1e-6)
    np.testing.assert_allclose(grade(exposure=1e-9).apply(chelsea, chelsea), chelsea, atol=1e-5)  # light and back


def test_exposure_multiplies_light(chelsea):
    """Measured with scikit-image's conversion from sRGB to linear XYZ."""
    for stops in (-1.0, 0.5):
        made = grade(exposure=stops).apply(chelsea, chelsea)
        before, after = (skimage.color.rgb2xyz((p.astype(float) + 1) / 2) for p in (chelsea, made))
        shown = np.abs(made).max(-1) < 0.999
        assert shown.mean() > 0.9
        np.testing.assert_allclose(after[shown], 2**stops * before[shown], rtol=1e-3, atol=1e-4)


def test_temperature_shifts_red_against_blue(chelsea):
    grey = np.full((4, 4, 3), 0.1, "float32")
    warm, cold = (grade(temperature=t).apply(grey, grey) for t in (1.0, -1.0))
    for made, sign in ((warm, 1), (cold, -1)):
        light = ((made[0, 0].astype(float) + 1) / 2 + 0.055) ** 2.4
        assert np.log2(light[0] / light[2]) == pytest.approx(sign, abs=1e-3)
        y = skimage.color.rgb2xyz((np.stack([made, grey]).astype(float) + 1) / 2)[:, 0, 0, 1]
        assert y[0] == pytest.approx(y[1], rel=1e-3)


def test_contrast_and_saturation(chelsea):
    more, less = (grade(contrast=c).apply(chelsea, chelsea) for c in (0.6, -0.6))
    assert more.std() > 1.03 * chelsea.std() > chelsea.std() > 1.03 * less.std()
    ramp = np.linspace(-1, 1, 200, dtype="float32")[:, None, None].repeat(3, -1)
    for contrast in (-1.0, 1.0):
        made = grade(contrast=contrast).apply(ramp, ramp)[:, 0, 0]
        assert (np.diff(made) >= 0).all()
        np.testing.assert_allclose(made[[0, -1]], [-1, 1])
    black_and_white = grade(saturation=0.0).apply(chelsea, chelsea)
    np.testing.assert_allclose(black_and_white, brightness(chelsea)[..., None].repeat(3, -1), atol=1e-6)
    vivid = grade(saturation=2.0).apply(0.3 * chelsea, chelsea)
    np.testing.assert_allclose(brightness(vivid), 0.3 * brightness(chelsea), atol=1e-5)
    np.testing.assert_allclose(vivid - 0.3 * black_and_white, 0.6 * (chelsea - black_and_white), atol=1e-5)


def test_a_curve_passes_its_points_and_never_falls():
    ramp = np.linspace(-1, 1, 401, dtype="float32")[:, None, None].repeat(3, -1)
    points = [(0.0, 0.05), (0.25, 0.15), (0.5, 0.15), (0.75, 0.9)]
    made = (grade(curve=points).apply(ramp, ramp)[:, 0, 0] + 1) / 2
    for before, after in [*points, (1.0, 1.0)]:
        assert made[round(400 * before)] == pytest.approx(after, abs=1e-5)
    assert (np.diff(made) > -1e-6).all()
    np.testing.assert_allclose(made[100:201], 0.15, atol=1e-5)  # no overshoot between two equal tones


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (
            "[[0.5, 0.6], [0.5, 0.7]]",
            "3:13: postprocess.0.grade.curve: expected points from dark to light, each further",
        ),
        ("[[0.5, 1.6]]", "3:27: postprocess.0.grade.curve.0.1: expected at most 1"),
        ("[0.5]", "3:21: postprocess.0.grade.curve.0: expected"),
    ],
)
def test_invalid_curves_are_errors_with_line_numbers(tmp_path, curve, words):
    text = f"image: photo.jpg\npostprocess:\n  - grade: {{curve: {curve}}}\n"
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "f.yaml"), tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize("factor", [2.0, 1.5])
def test_upscale_is_lanczos(chelsea, factor):
    picture = chelsea[40:100, 60:140] * 0.8
    made = upscale(factor=factor).apply(picture, picture)
    assert made.shape == (round(60 * factor), round(80 * factor), 3)

    def weights(count):
        """Row i: the weight of each pixel in enlarged pixel i."""
        centers = (np.arange(round(count * factor)) + 0.5) / factor - 0.5
        x = centers[:, None] - np.arange(count)
        lanczos = np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)
        return lanczos / lanczos.sum(1, keepdims=True)

    expected = np.einsum("ai,bj,ijc->abc", weights(60), weights(80), picture).clip(-1, 1)
    np.testing.assert_allclose(made, expected, atol=1e-4)


@pytest.fixture
def run(tmp_path, tiny):
    """Dream a cat with a transparent left half and write it; return the result."""
    tiny.save(tmp_path / "tiny.keras")
    pixels = np.dstack([skimage.data.chelsea()[:64, :80], np.full((64, 80), 255, np.uint8)])
    pixels[:, :40, 3] = 40
    Image.fromarray(pixels).save(tmp_path / "cat.png")

    def call(*postprocess, **keys):
        data = {
            "image": str(tmp_path / "cat.png"),
            "model": {"file": str(tmp_path / "tiny.keras"), "input_range": [-1, 1]},
            "objectives": {"l2": "c3"},
            "octaves": {"count": 1, "steps": 2},
            "postprocess": list(postprocess),
            **keys,
        }
        return kerasdream.run(data, folder=tmp_path, overwrite=True)

    return call


def test_alpha_is_kept(run):
    result = run("match_color", "keep_colors")
    written = images.read(result.paths[0])
    assert written.alpha.shape == (64, 80)
    np.testing.assert_allclose(written.alpha[:, :40], 40 / 255)
    assert (written.alpha[:, 40:] == 1).all()
    np.testing.assert_allclose(written.pixels, result.image, atol=0.5 / 127.5 + 1e-6)


def test_alpha_and_source_are_enlarged_for_later_steps(run):
    """Steps after ``upscale`` receive the source at the new size; ``blend: 0`` shows it."""
    result = run({"upscale": 2}, {"blend": 0})
    assert result.image.shape == (128, 160, 3)
    source = skimage.data.chelsea()[:64, :80]
    planes = [Image.fromarray(source[..., i].astype("float32")) for i in range(3)]
    bicubic = np.stack([plane.resize((160, 128), Image.Resampling.BICUBIC) for plane in planes], axis=-1)
    np.testing.assert_allclose(result.image, (bicubic / 127.5 - 1).clip(-1, 1), atol=1e-5)
    written = images.read(result.paths[0])
    assert written.alpha.shape == (128, 160)
    np.testing.assert_allclose(written.alpha[:, :70], 40 / 255, atol=2e-3)
    assert (written.alpha[:, 90:] == 1).all()


WRONG = """\
from kerasdream import Postprocess, hookimpl


def wrong() -> Postprocess:
    return Postprocess(lambda picture, source: picture.repeat(3, 0).repeat(3, 1), {scale})


@hookimpl
def register_postprocess(register):
    register(wrong)
"""


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("1", r"returned shape \(12, 15, 3\); expected the shape of the picture, \(4, 5, 3\)"),
        ("2", r"returned shape \(12, 15, 3\); expected the shape of the picture enlarged 2 times, \(8, 10, 3\)"),
        ("0.5", "has the scale 0.5; expected a number, 1 or more"),
        ("float('nan')", "has the scale nan; expected"),
        ("'2'", "has the scale '2'; expected"),
    ],
)
def test_a_wrong_scale_is_refused(tmp_path, scale, words):
    (tmp_path / "wrong.py").write_text(WRONG.format(scale=scale))
    config = resolve(parse("image: noise\nplugins: [wrong.py]\npostprocess: [wrong]\n", "f.yaml"), tmp_path)
    picture = np.zeros((4, 5, 3), "float32")
    with pytest.raises(PluginError, match=rf"the postprocess step 'wrong' .* {words}"):
        config.postprocess[0].make().apply(picture, picture)


def test_oversized_results_and_missing_files_are_found_by_plan(here, tmp_path, chelsea):
    images.save(tmp_path / "photo.png", chelsea, format="png")
    for step, words in {
        "upscale: 8": "the finished picture would have 28864×19200 pixels",
        "blend: {amount: 1, mask: lost.png}": "lost.png: there is no such file",
    }.items():
        text = f"image: {{source: photo.png, max_side: null}}\npostprocess:\n  - upscale: 8\n  - {step}\n"
        (tmp_path / "run.yaml").write_text(text)
        code, out, err = here("plan", tmp_path / "run.yaml")
        assert (code, out) == (1, "")
        assert words in err


def test_plan_shows_the_size_of_the_finished_picture(here, tmp_path, chelsea):
    images.save(tmp_path / "photo.png", chelsea, format="png")
    (tmp_path / "run.yaml").write_text("image: photo.png\npostprocess:\n  - upscale: 1.5\n  - sharpen\n")
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    assert out.splitlines()[-1] == "  finished: 676×450"
    (row,) = json.loads(here("plan", "--json", tmp_path / "run.yaml")[1])
    assert row["finished"] == [676, 450]
