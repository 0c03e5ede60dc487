"""Priors: their maths against independent NumPy, and their effect on pictures and dreams."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

import kerasdream
from kerasdream import GradientStep, Objective, images
from kerasdream.builtin.priors import (
    bilateral,
    chroma,
    clip,
    clip_small,
    decay,
    gaussian_blur,
    high_pass,
    infinity_norm,
    match_spectrum,
    median,
    norm,
    smoothness,
    soft_clip,
    source,
    spectrum,
    total_variation,
)
from kerasdream.builtin.priors.spectrum import response


@pytest.fixture(scope="module")
def noise():
    """(1, 40, 50, 3) in [-1, 1]."""
    return np.random.default_rng(0).uniform(-1, 1, (1, 40, 50, 3)).astype("float32")


def test_total_variation_is_a_log_probability():
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 20, 30, 3)).astype("float32")
    density = np.asarray(total_variation().log_p(picture))
    assert density.shape == (1, 20, 30)
    y, x = 7, 11
    here, right, below = picture[0, y, x], picture[0, y, x + 1], picture[0, y + 1, x]
    assert density[0, y, x] == pytest.approx(-(np.abs(right - here) + np.abs(below - here)).mean(), rel=1e-5)
    assert density.max() <= 0
    assert np.asarray(total_variation().log_p(np.full_like(picture, 0.3))).max() == 0


def test_gaussian_blur_is_a_normalised_gaussian_that_mirrors_the_edges():
    picture = np.random.default_rng(0).uniform(-1, 1, (40, 50, 3)).astype("float32")
    sigma = 1.3
    offsets = np.arange(-8, 9)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(picture, ((8, 8), (8, 8), (0, 0)), mode="symmetric")
    rows = sum(k * padded[i : i + 40] for i, k in enumerate(kernel))
    expected = sum(k * rows[:, i : i + 50] for i, k in enumerate(kernel))
    np.testing.assert_allclose(gaussian_blur(sigma=sigma).apply(picture), expected, atol=2e-3)
    np.testing.assert_array_equal(gaussian_blur(sigma=0.0).apply(picture), picture)


def slope(energy, picture, *reference):
    """The gradient of the mean of log p, and that mean."""
    picture = tf.constant(picture)
    with tf.GradientTape() as tape:
        tape.watch(picture)
        mean = tf.reduce_mean(energy.log_p(picture, *reference))
    return tape.gradient(mean, picture).numpy(), float(mean)


def gain(energy, size=64):
    """The weight of each frequency in −2 log p, ``(size, size)``, in the middle of a picture, by NumPy's FFT.

    The gradient of a quadratic log p at an impulse is minus the kernel of its quadratic form.
    """
    impulse = np.zeros((1, size, size, 3), "float32")
    impulse[0, size // 2, size // 2] = 1
    kernel = -slope(energy, impulse)[0][0, :, :, 0] * size * size * 3
    return np.fft.fft2(np.fft.ifftshift(kernel)).real


def frequencies(size=64):
    """Frequencies along rows and along columns, and their length, in radians per pixel, ``(size, size)``."""
    axis = 2 * np.pi * np.fft.fftfreq(size)
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    return rows, columns, np.hypot(rows, columns)


def test_smoothness_is_half_the_square_of_the_gradient(noise):
    here, right, under = noise[0, :-1, :-1], noise[0, :-1, 1:], noise[0, 1:, :-1]
    expected = -0.5 * ((right - here) ** 2 + (under - here) ** 2).mean(-1)
    density = np.asarray(smoothness().log_p(noise))[0]
    np.testing.assert_allclose(density[:-1, :-1], expected, rtol=1e-5, atol=1e-6)
    both = ((noise[0, 1:, 1:] - here) ** 2 + (under - right) ** 2).mean(-1)
    density = np.asarray(smoothness(neighbours=8).log_p(noise))[0]
    np.testing.assert_allclose(density[:-1, :-1], 2 / 3 * expected - both / 12, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_smoothness_is_the_laplacian(noise):
    gradient, _ = slope(smoothness(), noise)
    laplacian = sum(scipy.ndimage.correlate1d(noise, [1, -2, 1], axis=axis, mode="nearest") for axis in (1, 2))
    np.testing.assert_allclose(gradient * noise.size, laplacian, atol=1e-4)


def test_eight_neighbours_are_isotropic():
    rows, columns, length = frequencies()
    for neighbours, uneven in ((4, (0.02, 0.05)), (8, (0, 0.01))):
        counts = gain(smoothness(neighbours=neighbours))
        expected = 4 * np.sin(rows / 2) ** 2 + 4 * np.sin(columns / 2) ** 2
        if neighbours == 4:
            np.testing.assert_allclose(counts, expected, atol=1e-4)
        ring = (counts / np.maximum(length, 0.1) ** 2)[abs(length - 1.2) < 0.05]
        assert uneven[0] * ring.mean() < ring.std() < uneven[1] * ring.mean()


@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0, 1.5])
def test_spectrum_weights_frequencies_by_a_power(exponent):
    *_, length = frequencies()
    amplitude = np.sqrt(np.maximum(gain(spectrum(exponent=exponent)), 0))
    covered = (length >= np.pi / 16) & (length <= 0.75 * np.pi)
    ratio = amplitude[covered] / length[covered] ** exponent
    off = 0.08 if exponent == 1 else 0.2
    assert 1 - off < ratio.min() <= ratio.max() < 1 + off
    highest = (length > 0.75 * np.pi) & (length <= np.pi)
    assert (amplitude[highest] > 0.65 * length[highest] ** exponent).all()
    assert amplitude[0, 0] < 1e-2  # the mean is free
    # the slope that fits best over the covered octaves is the exponent
    fitted = np.polyfit(np.log(length[covered]), np.log(amplitude[covered]), 1)[0]
    assert fitted == pytest.approx(exponent, abs=0.08)


def test_spectrum_with_exponent_one_is_smoothness(chelsea):
    soft = scipy.ndimage.gaussian_filter(chelsea, (1.5, 1.5, 0))[None]
    mine, gradient = (float(np.mean(energy.log_p(soft))) for energy in (spectrum(bands=6), smoothness()))
    assert mine == pytest.approx(gradient, rel=0.06)


def test_the_bands_of_the_spectrum_add_up():
    rows, columns, _ = frequencies()
    amplitudes = np.sqrt(response(rows, columns, 3))
    last = np.prod([np.cos(axis * width / 2) ** 2 for axis in (rows, columns) for width in (1, 2, 4)], axis=0)
    assert (response(rows, columns, 3) >= 0).all()
    np.testing.assert_allclose(amplitudes.sum(0)[:5, :5], 1 - last[:5, :5], atol=1e-6)


def test_high_pass_is_the_rest_of_a_binomial_blur(noise):
    taps = np.array([1, 4, 6, 4, 1]) / 16
    blurred = noise[0]
    for axis in (0, 1):
        blurred = scipy.ndimage.correlate1d(blurred, taps, axis=axis, mode="mirror")
    expected = -0.5 * ((noise[0] - blurred) ** 2).mean(-1)
    np.testing.assert_allclose(np.asarray(high_pass(radius=2).log_p(noise))[0], expected, atol=1e-5)


@pytest.mark.parametrize("p", [1.0, 2.0, 2.5, 6.0])
def test_norm_is_a_power_of_the_distance_from_grey(p, noise):
    density = np.asarray(norm(p=p, grey=0.25).log_p(noise))
    np.testing.assert_allclose(density, -(abs(noise - 0.25) ** p).mean(-1) / p, rtol=1e-4, atol=1e-6)
    gradient, _ = slope(norm(p=p, grey=0.25), noise)
    away = noise - 0.25
    np.testing.assert_allclose(gradient * noise.size, -np.sign(away) * abs(away) ** (p - 1), rtol=1e-3, atol=1e-4)
    assert not np.isnan(slope(norm(p=p, grey=0.25), np.full_like(noise, 0.25))[0]).any()


def test_infinity_norm_is_flat_inside_its_ball(noise):
    density = np.asarray(infinity_norm(bound=0.5, grey=0.1).log_p(noise))
    np.testing.assert_allclose(
        density, -0.5 * (np.maximum(abs(noise - 0.1) - 0.5, 0) ** 2).mean(-1), rtol=1e-5, atol=1e-7
    )
    assert not np.asarray(infinity_norm(bound=0.5).log_p(0.5 * noise)).any()


def test_chroma_is_zero_for_greys_and_counts_green_double(noise):
    greys = noise[..., :1].repeat(3, axis=-1)
    assert abs(np.asarray(chroma(threshold=0.0).log_p(greys))).max() < 1e-6
    red_blue = (noise[..., 0] - noise[..., 2]) / np.sqrt(2)
    green_magenta = 2 * (2 * noise[..., 1] - noise[..., 0] - noise[..., 2]) / np.sqrt(6)
    expected = -0.5 * np.maximum(np.hypot(red_blue, green_magenta) - 0.3, 0) ** 2
    np.testing.assert_allclose(chroma(threshold=0.3).log_p(noise), expected, rtol=1e-4, atol=1e-5)
    for threshold in (0.0, 0.3):
        assert np.isfinite(slope(chroma(threshold=threshold), greys)[0]).all()
    light = noise + 0.3
    np.testing.assert_allclose(chroma().log_p(light), chroma().log_p(noise), atol=1e-4)


def test_source_is_gaussian_or_laplacian(noise):
    other = noise[:, ::-1].copy()
    gaussian, laplace = source(), source(distribution="laplace")
    assert gaussian.reference == laplace.reference == "source"
    np.testing.assert_allclose(gaussian.log_p(noise, other), -0.5 * ((noise - other) ** 2).mean(-1), rtol=1e-4)
    np.testing.assert_allclose(laplace.log_p(noise, other), -abs(noise - other).mean(-1), rtol=1e-4)
    assert not np.asarray(gaussian.log_p(noise, noise)).any()
    gradient, _ = slope(gaussian, noise, other)
    np.testing.assert_allclose(gradient * noise.size, other - noise, atol=1e-4)


MODES = [
    *(energy() for energy in (total_variation, smoothness, spectrum, high_pass, norm, infinity_norm, chroma)),
    smoothness(neighbours=8),
    high_pass(radius=9),
    spectrum(exponent=1.5, bands=5),
    norm(p=1.0),
]


@pytest.mark.parametrize("energy", MODES, ids=range(len(MODES)))
def test_a_grey_picture_is_the_mode(energy, noise):
    grey = np.zeros_like(noise)
    assert abs(np.asarray(energy.log_p(grey))).max() < 1e-9
    assert np.asarray(energy.log_p(noise)).max() <= 0
    assert np.asarray(energy.log_p(noise)).mean() < -1e-3
    assert abs(slope(energy, grey)[0]).max() < 1e-9


def test_pictures_may_be_smaller_than_the_radius():
    small = np.random.default_rng(0).uniform(-1, 1, (2, 5, 3, 3)).astype("float32")
    for energy in (spectrum(bands=6), high_pass(radius=16), smoothness(neighbours=8)):
        assert np.asarray(energy.log_p(small)).shape == (2, 5, 3)


# Projections


@pytest.fixture
def noisy_edge():
    """(60, 80, 3): two areas with some noise."""
    picture = np.full((60, 80, 3), -0.5, "float32")
    picture[:, 40:] = 0.5
    return picture + np.random.default_rng(0).normal(0, 0.05, picture.shape).astype("float32")


@pytest.mark.parametrize(("y", "x"), [(20, 30), (0, 0), (59, 41)])
def test_bilateral_is_weighted_by_distance_and_similarity(y, x, noisy_edge):
    mirrored = np.pad(noisy_edge, ((3, 3), (3, 3), (0, 0)), mode="symmetric")
    rows, columns = np.mgrid[:66, :86] - 3
    square = (rows - y) ** 2 + (columns - x) ** 2
    away = ((mirrored - noisy_edge[y, x]) ** 2).sum(-1)
    weights = np.exp(-square / (2 * 1.5**2) - away / (2 * 0.2**2)) * (square <= 9)
    expected = (mirrored * weights[..., None]).sum((0, 1)) / weights.sum()
    smooth = bilateral(tone=0.2, radius=1.5, amount=1.0).apply(noisy_edge)
    np.testing.assert_allclose(smooth[y, x], expected, atol=1e-5)


def test_bilateral_smooths_flat_areas_and_keeps_edges(noisy_edge):
    smooth = bilateral(tone=0.3, radius=2.0, amount=1.0).apply(noisy_edge)
    assert smooth[5:-5, 5:30].std() < 0.4 * noisy_edge[5:-5, 5:30].std()
    assert (smooth[:, 40] - smooth[:, 39]).mean() > 0.9
    np.testing.assert_array_equal(bilateral(amount=0.0).apply(noisy_edge), noisy_edge)
    blurred = bilateral(tone=1e3, radius=1.0, amount=1.0).apply(noisy_edge)  # all colours are alike: a blur
    near = scipy.ndimage.gaussian_filter(noisy_edge, (1, 1, 0), truncate=2)
    np.testing.assert_allclose(blurred[3:-3, 3:-3], near[3:-3, 3:-3], atol=0.05)


@pytest.mark.parametrize("size", [3, 5])
def test_median_is_numpys_and_scipys(size, noise):
    middle = median(size=size, amount=1.0).apply(noise[0])
    expected = np.median([np.roll(noise[0], (y, x), (0, 1)) for y, x in np.ndindex(size, size)], axis=0)
    expected = np.roll(expected, (-(size // 2), -(size // 2)), (0, 1))
    inside = np.s_[size:-size, size:-size]
    np.testing.assert_allclose(middle[inside], expected[inside], atol=1e-6)
    scipys = scipy.ndimage.median_filter(noise[0], (size, size, 1), mode="reflect")
    np.testing.assert_allclose(middle, scipys, atol=1e-6)  # at the edges too
    quarter = noise[0] + (middle - noise[0]) / 4
    np.testing.assert_allclose(median(size=size, amount=0.25).apply(noise[0]), quarter, atol=1e-6)
    small = noise[0, :1, :2]
    assert median(size=size).apply(small).shape == small.shape


def amplitudes(picture):
    """The mean amplitude of frequencies in four octaves, by NumPy's FFT of the mirrored picture."""
    mirrored = np.concatenate([picture, picture[::-1]])
    mirrored = np.concatenate([mirrored, mirrored[:, ::-1]], axis=1)
    power = (abs(np.fft.fft2(mirrored, axes=(0, 1))) ** 2).mean(-1)
    cycles = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in power.shape), indexing="ij"))
    return [np.sqrt(power[(cycles > low) & (cycles <= 1.2 * low)].mean()) for low in (0.05, 0.1, 0.2, 0.4)]


def test_match_spectrum_sets_the_amplitude_of_each_octave(chelsea):
    random = np.random.default_rng(0).normal(0.1, 0.1, (96, 160, 3)).astype("float32")
    for picture in (random, chelsea[::2, ::2]):
        for exponent in (1.0, 1.5):
            matched = match_spectrum(exponent=exponent, amount=1.0).apply(picture)
            falls = np.divide(amplitudes(matched)[:-1], amplitudes(matched)[1:])
            np.testing.assert_allclose(falls, 2**exponent, rtol=0.15)
            np.testing.assert_allclose(matched.mean((0, 1)), picture.mean((0, 1)), atol=5e-3)
            assert matched.std((0, 1)).mean() == pytest.approx(picture.std((0, 1)).mean(), rel=0.05)


def test_small_steps_of_match_spectrum_approach_the_whole_one(noise, chelsea):
    np.testing.assert_allclose(match_spectrum(amount=0.0).apply(noise[0]), noise[0], atol=1e-5)
    steps = noise[0] / 10
    for _ in range(30):
        steps = match_spectrum(amount=0.2).apply(steps)
    once = match_spectrum(amount=1.0).apply(noise[0] / 10)
    np.testing.assert_allclose(amplitudes(steps), amplitudes(once), rtol=0.1)
    photo = chelsea[:200, :300]
    near = match_spectrum(exponent=1.2, amount=1.0).apply(photo)
    assert np.corrcoef(photo.ravel(), near.ravel())[0, 1] > 0.9  # a photo is nearly so already


def test_decay_clip_and_clip_small(noise):
    picture = noise[0]
    np.testing.assert_allclose(decay(amount=0.1, grey=0.5).apply(picture), 0.9 * picture + 0.05, atol=1e-6)
    np.testing.assert_array_equal(clip(low=-0.3, high=0.6).apply(picture), np.minimum(np.maximum(picture, -0.3), 0.6))
    sparse = clip_small(share=0.25, grey=0.1).apply(picture)
    gone = (sparse == np.float32(0.1)).all(-1)
    assert gone.mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(sparse[~gone], picture[~gone])
    size = np.linalg.norm(picture - 0.1, axis=-1)
    assert size[gone].max() < size[~gone].min()
    np.testing.assert_array_equal(clip_small(share=0.0).apply(picture), picture)


def test_soft_clip_changes_only_tones_beyond_its_knee():
    tones = np.linspace(-1, 1, 201, dtype="float32").reshape(3, 67, 1).repeat(3, -1)
    bent = soft_clip(knee=0.5).apply(tones)
    inside = abs(tones) <= 0.5
    np.testing.assert_array_equal(bent[inside], tones[inside])
    np.testing.assert_allclose(
        bent[~inside], np.sign(tones[~inside]) * (0.5 + 0.5 * np.tanh(2 * abs(tones[~inside]) - 1)), atol=1e-6
    )
    assert (np.diff(bent[..., 0].ravel()) > 0).all()  # no tone is lost
    for _ in range(2000):
        bent = soft_clip(knee=0.5).apply(bent)
    assert abs(bent).max() < 0.53


def test_climbing_smoothness_equals_a_blur(chelsea):
    """Many small steps up the energy ``smoothness``, against one blur."""
    picture = chelsea[None, 100:160, 100:180]
    t, steps = 1.0, 40
    climbed = picture
    for _ in range(steps):
        climbed = climbed + t / steps * slope(smoothness(), climbed)[0] * picture.size
    blurred = gaussian_blur(sigma=np.sqrt(2 * t)).apply(picture[0])
    assert abs(climbed[0] - blurred).mean() < 0.03 * abs(picture[0] - blurred).mean()


# In dreams


def test_source_keeps_the_dream_near_the_photo(tiny, chelsea):
    def distance(weight):
        result = kerasdream.dream(
            chelsea,
            model=tiny,
            input_range=(-1, 1),
            objectives={"l2": "c3"},
            priors=[{"source": {"weight": weight}}],
            max_side=128,
            octaves={"count": 2, "steps": 6},
        )
        return np.square(result.image - images.resize(chelsea, result.image.shape[:2])).mean()

    assert 0 < distance(100.0) < 0.7 * distance(0.0)


def test_the_gradient_of_source_in_tiles_points_back(tiny_network, photo):
    nothing = Objective("conv1", lambda activations: 0 * activations["conv1"][..., 0])
    step = GradientStep(tiny_network, nothing, [source()], tile=64, halo="exact")
    before = photo[::-1].copy()
    score, gradient = step(photo, source=before)
    assert score == pytest.approx(-0.5 * ((photo - before) ** 2).mean(), rel=1e-4)
    np.testing.assert_allclose(gradient * photo.size, before - photo, atol=1e-4)


@pytest.mark.no_cover
def test_gradients_in_tiles_equal_those_of_the_whole(tiny_network, photo):
    nothing = Objective("conv1", lambda activations: 0 * activations["conv1"][..., 0])
    energies = [smoothness(neighbours=8), spectrum(), high_pass(radius=6)]
    whole, tiled = (GradientStep(tiny_network, nothing, energies, tile=tile, halo=20)(photo) for tile in (512, 96))
    assert tiled[0] == pytest.approx(whole[0], rel=0.02)
    inside = np.s_[20:-20, 20:-20]  # at the picture's edges views may see it mirrored, or not
    np.testing.assert_allclose(tiled[1][inside], whole[1][inside], atol=0.01 * abs(whole[1]).max())
