"""Ascent rules: several steps of each against its formula in NumPy and SciPy, or against Keras."""

import keras
import numpy as np
import pytest
from scipy.ndimage import convolve1d, gaussian_filter

import kerasdream
from kerasdream import images
from kerasdream.builtin.ascent import (
    adam,
    clip,
    laplacian_normalize,
    mask,
    momentum,
    nadam,
    normalize,
    rate,
    shadows,
    sign,
    smooth,
)
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, ImageError
from kerasdream.testing.material import PHOTO

SHAPES = [(12, 17, 3), (7,), (2, 3, 5, 4)]
"""A picture, and other shapes that the state of a parametrization may have."""


def gradients(shape, count=6, size=1e-9):
    """Gradients as small as those of a mean over a picture; the same pixels are strong in all of them."""
    random = np.random.default_rng(0)
    spread = size * random.uniform(0.1, 10, shape)
    return [(spread * random.normal(0.5, 1, shape)).astype("float32") for _ in range(count)]


def steps_of(rule, given):
    state = np.zeros_like(given[0])
    memory, steps = rule.init(state), []
    for gradient in given:
        step, memory = rule.update(gradient, memory, state)
        steps.append(np.asarray(step))
    return steps


@pytest.mark.parametrize(
    ("by", "measure"),
    [
        ("mean_abs", lambda g: np.abs(g).mean()),
        ("std", np.std),
        ("rms", lambda g: np.sqrt((g**2).mean())),
        ("max", lambda g: np.abs(g).max()),
    ],
)
def test_normalize(by, measure):
    gradient = np.random.default_rng(0).normal(1e-8, 1e-7, (30, 40, 3)).astype("float32")
    scaled, memory = normalize(by=by).update(gradient, None, gradient)
    np.testing.assert_allclose(scaled, gradient / measure(gradient), rtol=1e-5)
    assert memory is None
    assert not np.isnan(normalize(by=by).update(0 * gradient, None, gradient)[0]).any()


def test_rate():
    np.testing.assert_allclose(rate(value=0.5).update(np.ones(3, "float32"), None, None)[0], 0.5)


def test_shadows_take_the_colour_out_of_steps_in_the_dark():
    random = np.random.default_rng(0)
    picture, gradient = (random.uniform(-1, 1, (30, 40, 3)).astype("float32") for _ in range(2))
    luma = (picture @ [0.2126, 0.7152, 0.0722] + 1) / 2
    step, memory = shadows(below=0.6).update(gradient, None, picture)
    dark, bright = luma < 0.3, luma > 0.6
    assert min(dark.sum(), bright.sum()) > 100
    np.testing.assert_allclose(step[dark], gradient[dark].mean(-1, keepdims=True).repeat(3, -1), atol=1e-6)
    np.testing.assert_allclose(step[bright], gradient[bright], atol=1e-6)
    between = np.abs(luma - 0.45) < 0.005  # half of each
    halves = (gradient + gradient.mean(-1, keepdims=True)) / 2
    np.testing.assert_allclose(step[between], halves[between], atol=0.03)
    assert memory is None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_equals_keras(shape, nesterov):
    given = gradients(shape, size=1.0)
    optimizer = keras.optimizers.SGD(1.0, momentum=0.8, nesterov=nesterov)
    variable = keras.Variable(np.zeros(shape, "float32"))
    velocity, place = np.zeros(shape), np.zeros(shape, "float32")
    for gradient, step in zip(given, steps_of(momentum(decay=0.8, nesterov=nesterov), given), strict=True):
        velocity = 0.8 * velocity + gradient
        np.testing.assert_allclose(step, 0.8 * velocity + gradient if nesterov else velocity, rtol=1e-5, atol=1e-5)
        optimizer.apply([-gradient], [variable])  # it descends
        place = place + step
        np.testing.assert_allclose(variable, place, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_adam_is_algorithm_1_of_the_paper(shape):
    beta1, beta2 = 0.85, 0.99
    given = gradients(shape)
    mean, square = np.zeros(shape), np.zeros(shape)
    for t, (gradient, step) in enumerate(zip(given, steps_of(adam(beta1=beta1, beta2=beta2), given), strict=True), 1):
        gradient = gradient.astype("float64")
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        expected = mean / (1 - beta1**t) / (np.sqrt(square / (1 - beta2**t)) + 1e-12)
        np.testing.assert_allclose(step, expected, rtol=1e-4, atol=1e-5)
    assert abs(step).mean() > 0.3  # gradients of 1e-9 still make whole steps


@pytest.mark.parametrize("shape", SHAPES)
def test_nadam_is_algorithm_2_of_the_paper(shape):
    """Dozat 2016, algorithm 2, with the schedule for the momentum that he gives."""
    beta1, beta2 = 0.9, 0.999
    given = gradients(shape)
    at = [beta1 * (1 - 0.5 * 0.96**t) for t in range(9)]
    mean, square = np.zeros(shape), np.zeros(shape)
    for t, (gradient, step) in enumerate(zip(given, steps_of(nadam(), given), strict=True), 1):
        gradient = gradient.astype("float64")
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        ahead = at[t + 1] * mean / (1 - np.prod(at[1 : t + 2])) + (1 - at[t]) * gradient / (1 - np.prod(at[1 : t + 1]))
        expected = ahead / (np.sqrt(square / (1 - beta2**t)) + 1e-12)
        np.testing.assert_allclose(step, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("rule", "optimizer"), [(adam, keras.optimizers.Adam), (nadam, keras.optimizers.Nadam)])
def test_adam_and_nadam_follow_keras(rule, optimizer):
    given = gradients((5, 6, 3), count=40, size=1.0)
    descends = optimizer(0.05, epsilon=1e-7)
    variable = keras.Variable(np.zeros((5, 6, 3), "float32"))
    for gradient in given:
        descends.apply([-gradient], [variable])
    place = sum(0.05 * step for step in steps_of(rule(epsilon=1e-7), given))
    np.testing.assert_allclose(place, variable, rtol=2e-3, atol=2e-4)
    assert abs(place).mean() > 0.2


@pytest.mark.parametrize("rule", [adam, nadam])
def test_bias_is_corrected_when_beta_is_a_schedule(rule):
    """A constant gradient equals its running mean if the weights add up to 1."""
    gradient = np.float32([1e-9, -3e-8, 0.0])
    memory = rule().init(gradient)
    for beta in (0.5, 0.9, 0.99, 0.2):
        step, memory = rule(beta1=0.9 if rule is nadam else beta, beta2=beta).update(gradient, memory, gradient)
        np.testing.assert_allclose(step, [1, -1, 0], rtol=0.01 if rule is adam else 0.35)


def test_sign_keeps_only_the_sign():
    np.testing.assert_array_equal(sign().update(np.float32([1e-12, -5, 0]), None, None)[0], [1, -1, 0])


@pytest.mark.parametrize(("by", "size"), [("rms", lambda g: np.sqrt((g**2).mean())), ("norm", np.linalg.norm)])
def test_clip_by_size_keeps_the_direction(by, size):
    gradient = np.random.default_rng(0).normal(size=(9, 8, 3)).astype("float32")
    for limit in (0.1, 1e3):
        step = np.asarray(clip(limit=limit, by=by).update(gradient, None, None)[0])
        assert size(step) == pytest.approx(min(limit, size(gradient)), rel=1e-4)
        np.testing.assert_allclose(step / size(step), gradient / size(gradient), rtol=1e-4)
    assert not np.any(clip(limit=1.0, by=by).update(0 * gradient, None, None)[0])


def test_clip_by_value_limits_each_number():
    step, _ = clip(limit=2.0).update(np.float32([-3, 1, 2.5]), None, None)
    np.testing.assert_array_equal(step, [-2, 1, 2])


def binomial(picture, factor=1.0):
    kernel = factor * np.array([1, 4, 6, 4, 1]) / 16
    return convolve1d(convolve1d(picture, kernel, axis=0, mode="mirror"), kernel, axis=1, mode="mirror")


def down(picture):
    return binomial(picture)[::2, ::2]


def up(picture, shape):
    """Insert zeros and blur; the coarse picture is mirrored at the edges."""
    coarse = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    fine = np.zeros((2 * coarse.shape[0], 2 * coarse.shape[1], 3))
    fine[::2, ::2] = coarse
    return binomial(fine, 2.0)[4 : 4 + shape[0], 4 : 4 + shape[1]]


@pytest.mark.parametrize("shape", [(64, 64), (61, 83), (33, 50), (17, 9)])
@pytest.mark.parametrize("levels", [1, 3])
def test_laplacian_normalize_divides_each_band_by_its_size(shape, levels):
    gradient = np.random.default_rng(0).normal(0, 1e-9, (*shape, 3)).cumsum(axis=0).astype("float32")
    rest, bands = gradient.astype("float64"), []
    for _ in range(levels):
        coarse = down(rest)
        bands.append(rest - up(coarse, rest.shape))
        rest = coarse
    bands.append(rest)
    whole = bands[-1]
    for band in reversed(bands[:-1]):
        whole = up(whole, band.shape) + band
    np.testing.assert_allclose(whole, gradient, atol=1e-12)  # nothing is lost
    sizes = [np.sqrt((band**2).mean()) for band in bands]
    expected = bands[-1] / sizes[-1]
    for band, size in zip(reversed(bands[:-1]), reversed(sizes[:-1]), strict=True):
        expected = up(expected, band.shape) + band / size
    step, _ = laplacian_normalize(levels=levels).update(gradient, None, gradient)
    np.testing.assert_allclose(step, expected, atol=1e-4)


def test_laplacian_normalize_makes_grain_and_shapes_equally_strong():
    random = np.random.default_rng(0)
    grain = random.normal(0, 1e-7, (128, 128, 3))
    shapes = gaussian_filter(random.normal(0, 1e-7, (128, 128, 3)), (8, 8, 0))
    step, _ = laplacian_normalize().update((grain + shapes).astype("float32"), None, grain)
    coarse = gaussian_filter(np.asarray(step), (4, 4, 0)).std() / np.asarray(step).std()
    assert gaussian_filter(grain + shapes, (4, 4, 0)).std() / (grain + shapes).std() < 0.2
    assert coarse > 0.5


@pytest.mark.parametrize("levels", [4, 12])
def test_laplacian_normalize_accepts_more_levels_than_pixels(levels):
    gradient = np.random.default_rng(0).normal(size=(5, 3, 3)).astype("float32")
    assert np.isfinite(laplacian_normalize(levels=levels).update(gradient, None, gradient)[0]).all()


@pytest.mark.parametrize("sigma", [0.0, 0.5, 2.5])
@pytest.mark.parametrize("shape", [(40, 51), (6, 9)])
def test_smooth_is_the_mean_of_three_blurs(shape, sigma):
    gradient = np.random.default_rng(0).normal(size=(*shape, 3)).astype("float32")
    blurs = [
        gaussian_filter(gradient.astype("float64"), (s, s, 0), mode="mirror") for s in (sigma / 2, sigma, 2 * sigma)
    ]
    step, _ = smooth(sigma=sigma).update(gradient, None, gradient)
    np.testing.assert_allclose(step, np.mean(blurs, axis=0), atol=2e-4)


@pytest.fixture
def half(tmp_path):
    """White on the left half, black on the right."""
    picture = np.full((60, 100, 3), -1, "float32")
    picture[:, :50] = 1
    images.save(tmp_path / "mask.png", picture, format="png")
    return tmp_path / "mask.png"


def test_mask_is_resized_and_feathered(half):
    state = np.zeros((30, 80, 3), "float32")
    memory = mask(path=half, feather=0.0).init(state)
    assert memory.shape == state.shape
    assert memory.dtype == np.float32
    np.testing.assert_allclose(memory[:, :38], 1, atol=0.01)
    np.testing.assert_allclose(memory[:, 42:], 0, atol=0.01)
    soft = mask(path=half, feather=0.2).init(state)
    np.testing.assert_allclose(soft, gaussian_filter(memory, (3, 3, 0), mode="nearest"), atol=1e-6)
    np.testing.assert_allclose(mask(path=half, invert=True, feather=0.2).init(state), 1 - soft, atol=1e-6)
    step, after = mask(path=half).update(np.ones_like(state), soft, state)
    np.testing.assert_array_equal(step, soft)
    assert after is soft


def test_transparent_parts_of_a_mask_are_black(tmp_path):
    alpha = np.zeros((20, 20), "float32")
    alpha[:10] = 1
    images.save(tmp_path / "cut-out.png", np.ones((20, 20, 3), "float32"), alpha=alpha, format="png")
    share = mask(path=tmp_path / "cut-out.png", feather=0.0).init(np.zeros((20, 20, 3), "float32"))
    np.testing.assert_allclose(share, np.repeat(alpha[..., None], 3, axis=2), atol=1e-6)


def test_a_masked_dream_leaves_the_rest_unchanged(half, tiny, chelsea):
    picture = chelsea[:60, :100]
    result = kerasdream.dream(
        picture,
        model=tiny,
        objectives={"l2": "c3"},
        priors=[],
        ascent=["normalize", {"rate": 0.02}, {"mask": {"path": str(half), "feather": 0.02}}],
        octaves={"count": 2, "steps": 3},
        input_range=(-1, 1),
    )
    change = abs(result.image - picture).mean(axis=(0, 2))
    assert change[:40].mean() > 0.01
    assert change[62:].max() < 2e-3


def test_a_missing_mask_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"no-mask\.png"):
        mask(path=tmp_path / "no-mask.png").init(np.zeros((9, 9, 3), "float32"))


@pytest.mark.parametrize("rule", [smooth(), laplacian_normalize(), mask(path=PHOTO)])
@pytest.mark.parametrize("shape", [(7,), (2, 3, 30, 16), (30, 40)])
def test_rules_for_pictures_refuse_other_states(rule, shape):
    with pytest.raises(ConfigError, match=r"neighbouring pixels.*use parametrization: pixels"):
        rule.init(np.zeros(shape, "float32"))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "chain",
    [
        [{"laplacian_normalize": {"levels": 4}}, {"rate": 0.012}],
        ["adam", {"rate": 0.02}],
        ["normalize", {"momentum": {"decay": 0.8}}, {"clip": 3.0}, {"rate": 0.004}],
    ],
    ids=lambda chain: str(chain[0]),
)
def test_a_chain_of_rules_climbs(chain, tiny, chelsea):
    result = kerasdream.dream(
        chelsea[20:116, 60:188], model=tiny, objectives={"l2": "c3"}, ascent=chain, octaves={"count": 1, "steps": 10},
        input_range=(-1, 1), priors=[], transforms=[],
    )  # fmt: skip
    assert result.scores[-1] > 2 * result.scores[0]


def test_rules_accept_schedules(tmp_path, tiny, chelsea):
    images.save(tmp_path / "photo.png", chelsea[:64, :80], format="png")
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "run.yaml").write_text(
        "image: photo.png\n"
        "model: {file: tiny.keras, input_range: [-1, 1]}\n"
        "objectives: [{l2: c3}]\n"
        "ascent:\n"
        "  - smooth: {sigma: {from: 0, to: 2.5}}\n"
        "  - adam: {beta1: {from: 0.5, to: 0.9}}\n"
        "  - clip: {limit: {keys: {0: 1, 2: 0.5}}}\n"
        "  - rate: 0.02\n"
        "octaves: {count: 2, steps: 3}\n"
    )
    result = kerasdream.run(load(tmp_path / "run.yaml"))
    assert np.isfinite(result.image).all()
    assert len(result.scores) == 6
