"""Transforms: each against NumPy and SciPy, with exact gradients and without state."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import kerasdream
from kerasdream import GradientStep, images, ops
from kerasdream.builtin.filters import mirrored
from kerasdream.builtin.objectives import l2
from kerasdream.builtin.transforms import (
    TRANSFORMS,
    blur,
    brightness,
    color_shift,
    contrast,
    crop,
    flip,
    noise,
    pad,
    rotate,
    scale,
    shift,
)
from kerasdream.builtin.transforms.sampling import sample
from kerasdream.config.resolve import load
from kerasdream.engine.score import step_seed
from kerasdream.plan.tiling import mirrored as mirrored_by_the_tiling

RANDOM = [
    shift(pixels=5),
    scale(),
    scale(factors=[0.7, 1.4]),
    rotate(degrees=30.0),
    rotate(angles=[-20.0, 45.0]),
    crop(low=0.3, high=0.7),
    noise(spread=0.2),
    noise(spread=0.2, distribution="uniform"),
    brightness(),
    contrast(),
    color_shift(),
]
FIXED = [pad(pixels=3, value=0.5), blur(sigma=1.2)]
SIZES = [(40, 40), (41, 56)]


def seed(number=0):
    """The seed of step ``number``; equal numbers draw the same."""
    return step_seed(np.array([7, number, 0], "int32"), 0)


def views(shape, n=2):
    return np.random.default_rng(0).uniform(-1, 1, (n, *shape, 3)).astype("float32")


def draws(number, count):
    """The numbers from 0 to 1 that are drawn in a step."""
    drawing = seed(number)
    return [float(keras.random.uniform((), seed=drawing)) for _ in range(count)]


def warped(picture, matrix, shift=(0, 0)):
    """SciPy's: about the centre, bilinear, mirrored at the edges."""
    centre = (np.array(picture.shape[:2]) - 1) / 2
    offset = centre - matrix @ centre + shift
    channels = [ndimage.affine_transform(picture[..., c], matrix, offset, order=1, mode="mirror") for c in range(3)]
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("number", range(4))
def test_scale_equals_scipys(shape, number):
    seen, batch = scale(low=0.7, high=1.5).apply(views(shape), seed(number)), views(shape)
    factor = 0.7 + 0.8 * draws(number, 1)[0]
    for picture, view in zip(batch, np.asarray(seen), strict=True):
        np.testing.assert_allclose(view, warped(picture, np.eye(2) / factor), atol=1e-4)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("number", range(4))
def test_rotate_equals_scipys(shape, number):
    batch = views(shape)
    seen = np.asarray(rotate(degrees=40.0).apply(batch, seed(number)))
    angle = np.radians(-40 + 80 * draws(number, 1)[0])
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for picture, view in zip(batch, seen, strict=True):
        np.testing.assert_allclose(view, warped(picture, matrix), atol=2e-4)


def test_rotate_turns_counter_clockwise():
    batch = views((24, 24))
    np.testing.assert_allclose(
        rotate(angles=[90.0]).apply(batch, seed()), np.rot90(batch, axes=(1, 2)), atol=1e-4
    )  # NumPy's, from the first axis to the second, is counter-clockwise where rows go down


@pytest.mark.parametrize("number", range(4))
def test_crop_shows_an_enlarged_part(number):
    batch = views((41, 56))
    seen = np.asarray(crop(low=0.3, high=0.7).apply(batch, seed(number)))
    side, down, across = draws(number, 3)
    side = 0.3 + 0.4 * side
    room = (1 - side) * np.array([41, 56])
    expected = warped(batch[0], side * np.eye(2), ((down - 0.5) * room[0], (across - 0.5) * room[1]))
    np.testing.assert_allclose(seen[0], expected, atol=1e-4)


@pytest.mark.parametrize("transform", [scale(factors=[0.8, 1.25]), rotate(angles=[-7.0, 12.0])])
def test_lists_of_factors_and_angles_are_drawn_from(transform):
    batch = views((30, 30))
    kinds = {np.asarray(transform.apply(batch, seed(number))).tobytes() for number in range(12)}
    assert len(kinds) == 2


def test_neutral_parameters_change_nothing():
    batch = views((33, 48))
    for transform in (scale(low=1.0, high=1.0), rotate(degrees=0.0), crop(low=1.0, high=1.0), shift(pixels=0)):
        np.testing.assert_allclose(transform.apply(batch, seed()), batch, atol=1e-5)
    for transform in (
        blur(sigma=0.0),
        noise(spread=0.0),
        pad(pixels=0),
        flip(horizontal=False),
        brightness(amount=0.0),
        color_shift(mean=0.0, spread=0.0),
    ):
        np.testing.assert_array_equal(transform.apply(batch, seed()), batch)


def test_sampling_equals_scipys():
    batch = views((9, 14))
    rows, columns = np.random.default_rng(1).uniform(-30, 40, (2, 9, 14)).astype("float32")
    seen = np.asarray(sample(batch, rows, columns))
    for c in range(3):
        expected = ndimage.map_coordinates(batch[1, ..., c], [rows, columns], order=1, mode="mirror")
        np.testing.assert_allclose(seen[1, ..., c], expected, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_edges_are_mirrored_as_in_the_tiling(size):
    expected = mirrored_by_the_tiling(-150, 150, size)
    np.testing.assert_array_equal(mirrored(ops.arange(-150, 150), size), expected)


def test_shift_moves_by_whole_pixels_in_every_direction():
    batch, moves = views((20, 30), n=1), set()
    around = np.pad(batch, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    windows = {around[:, y : y + 20, x : x + 30].tobytes(): (y - 3, x - 3) for y in range(7) for x in range(7)}
    for number in range(60):
        moves.add(windows[np.asarray(shift(pixels=3).apply(batch, seed(number))).tobytes()])
    assert {y for y, _ in moves} == {x for _, x in moves} == set(range(-3, 4))


def test_flip_mirrors_the_enabled_axes():
    batch = views((20, 30))
    kinds = {batch.tobytes(): "", batch[:, :, ::-1].tobytes(): "h", batch[:, ::-1].tobytes(): "v"}
    kinds[batch[:, ::-1, ::-1].tobytes()] = "hv"

    def seen(transform):
        return {kinds[np.asarray(transform.apply(batch, seed(number))).tobytes()] for number in range(20)}

    assert seen(flip()) == {"", "h"}
    assert seen(flip(horizontal=False, vertical=True)) == {"", "v"}
    assert seen(flip(vertical=True)) == {"", "h", "v", "hv"}


def test_pad_frames_the_whole_view():
    """The engine cuts views larger by the margin, so that nothing of the picture lies under the frame."""
    batch = views((20, 30))
    seen = np.asarray(pad(pixels=4, value=0.25).apply(batch, seed()))
    np.testing.assert_array_equal(seen[:, 4:-4, 4:-4], batch[:, 4:-4, 4:-4])
    frame = np.ones((20, 30), bool)
    frame[4:-4, 4:-4] = False
    assert (seen[:, frame] == 0.25).all()
    assert pad(pixels=4).margin == 4


@pytest.mark.parametrize("sigma", [0.6, 3.0])
def test_blur_equals_scipys(sigma):
    batch = views((40, 51))
    expected = ndimage.gaussian_filter(batch.astype("float64"), (0, sigma, sigma, 0), mode="mirror", truncate=4)
    np.testing.assert_allclose(blur(sigma=sigma).apply(batch, seed()), expected, atol=1e-3)
    as_schedule = blur(sigma=tf.constant(sigma)).apply(batch, seed())
    np.testing.assert_allclose(as_schedule, expected, atol=1e-3)


def test_noise_has_the_given_spread():
    batch = np.zeros((2, 200, 200, 3), "float32")
    gaussian = np.asarray(noise(spread=0.3).apply(batch, seed()))
    uniform = np.asarray(noise(spread=0.3, distribution="uniform").apply(batch, seed()))
    assert gaussian.mean() == pytest.approx(0, abs=0.01)
    assert gaussian.std() == pytest.approx(0.3, rel=0.01)
    assert abs(gaussian).max() > 0.9
    assert uniform.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.01)
    assert 0.29 < abs(uniform).max() <= 0.3
    np.testing.assert_array_equal(gaussian[0], gaussian[1])


@pytest.mark.parametrize("distribution", ["gaussian", "uniform"])
def test_noise_of_each_view_differs_within_a_call_and_between_calls(distribution):
    blank = np.zeros((2, 20, 20, 3), "float32")

    def seen(each, call):
        return np.asarray(
            noise(distribution=distribution, each=each).apply(blank, step_seed(np.array([7, 0, call], "int32"), 0))
        )

    shared, own = (np.concatenate([seen(each, call) for call in (0, 1)]) for each in ("step", "view"))
    assert len(np.unique(shared.reshape(4, -1), axis=0)) == 1
    assert len(np.unique(own.reshape(4, -1), axis=0)) == 4
    np.testing.assert_array_equal(seen("view", 1), own[2:])


def test_brightness_adds_and_contrast_multiplies():
    batch = views((9, 8))
    for number in range(3):
        (drawn,) = draws(number, 1)
        seen = brightness(amount=0.3).apply(batch, seed(number))
        np.testing.assert_allclose(seen, batch + 0.3 * (2 * drawn - 1), atol=1e-6)
        seen = contrast(low=0.5, high=1.5).apply(batch, seed(number))
        np.testing.assert_allclose(seen, batch * (0.5 + drawn), atol=1e-6)


def test_color_shift_moves_and_stretches_each_channel():
    batch = views((9, 8))
    seen = np.asarray(color_shift(mean=0.5, spread=2.0).apply(batch, seed(3)))
    drawing = seed(3)
    shift, log = (np.asarray(keras.random.uniform((1, 1, 1, 3), seed=drawing)) * 2 - 1 for _ in range(2))
    np.testing.assert_allclose(seen, (batch - 0.5 * shift) / np.exp(-2 * log), rtol=1e-4, atol=1e-5)
    assert len(set(shift.ravel())) == len(set(log.ravel())) == 3


def name(transform):
    return transform.apply.__qualname__.partition(".")[0]


@pytest.mark.parametrize("transform", [*RANDOM, *FIXED, flip(vertical=True)], ids=name)
def test_gradients_equal_finite_differences(transform):
    """Traced with free height and width, as in the engine."""

    @tf.function(
        autograph=False, input_signature=[tf.TensorSpec([None, None, None, 3])] * 2 + [tf.TensorSpec([3], "int32")]
    )
    def slope(batch, along, pair):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            seen = transform.apply(batch, step_seed(pair, 0))
        return seen, tape.gradient(seen, batch, output_gradients=along)

    random = np.random.default_rng(3)
    for shape in SIZES:
        batch = views(shape)
        along, direction = (random.normal(size=batch.shape).astype("float32") for _ in range(2))
        pair = np.array([7, 1, 0], "int32")
        _, gradient = slope(batch, along, pair)
        ahead, behind = (np.asarray(slope(batch + e * direction, along, pair)[0], "float64") for e in (0.5, -0.5))
        difference = ((ahead - behind) * along).sum()  # all are linear in the picture, so the step may be large
        size = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
        assert (np.asarray(gradient, "float64") * direction).sum() == pytest.approx(difference, abs=1e-4 * size)
        assert np.any(gradient)


@pytest.mark.parametrize("transform", RANDOM, ids=name)
def test_draws_depend_on_the_seed_alone(transform):
    batch = views((30, 30))
    batch[1] = batch[0]
    first, again, other = (np.asarray(transform.apply(batch, seed(number))) for number in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[0], first[1])
    assert any((np.asarray(transform.apply(batch, seed(number))) != first).any() for number in (2, 3, 4, 5, 6)), other


@pytest.mark.parametrize(
    ("transform", "tolerance"), [(shift(pixels=5), 0), (pad(pixels=0), 0), (blur(sigma=1.5), 0.05), (flip(), 0)]
)
def test_only_the_margin_differs_from_a_larger_view(transform, tolerance):
    large = views((60, 70))
    small, margin = large[:, 8:-8, 8:-8], transform.margin
    seen, whole = (np.asarray(transform.apply(batch, seed(2))) for batch in (small, large))
    core = (slice(None), slice(margin, small.shape[1] - margin), slice(margin, small.shape[2] - margin))
    np.testing.assert_allclose(seen[core], whole[:, 8:-8, 8:-8][core], atol=tolerance)


CATALOGUE = {
    "shift": {"pixels": 3},
    "scale": {"low": 0.9, "high": 1.2},
    "rotate": {"degrees": 15.0},
    "crop": {"low": 0.6, "high": 0.9},
    "flip": {"vertical": True},
    "pad": {"pixels": 6},
    "noise": {"spread": 0.1},
    "blur": {"sigma": 1.0},
    "brightness": {"amount": 0.2},
    "contrast": {"low": 0.7, "high": 1.3},
    "color_shift": {"mean": 0.3, "spread": 0.3},
}


@pytest.mark.parametrize("kind", ["rotate", "crop", "noise"])
def test_a_dream_through_a_transform_climbs(kind, tiny, chelsea):
    """Also with draws that were not used while dreaming."""
    picture = chelsea[80:160, 100:200].copy()
    step = GradientStep(tiny, l2(layer="c3"), transforms=[TRANSFORMS[kind](**CATALOGUE[kind])], input_range=(-1, 1))
    before = np.mean([step(picture, step=number)[0] for number in range(100, 105)])
    for number in range(10):
        _, gradient = step(picture, step=number)
        picture = np.clip(picture + 0.015 * gradient / np.abs(gradient).mean(), -1, 1)
    assert np.mean([step(picture, step=number)[0] for number in range(100, 105)]) > 1.1 * before
    assert step.engine.traces == 1


@pytest.mark.no_cover
def test_transforms_compile_with_xla(tiny, chelsea):
    """XLA draws other random numbers from the same seed, so only transforms without draws give the same result."""
    picture = chelsea[:64, :80]

    def evaluated(made, jit):
        return GradientStep(tiny, l2(layer="c3"), transforms=made, input_range=(-1, 1), jit=jit)(picture)

    fixed = [pad(pixels=4), scale(factors=[1.1]), rotate(angles=[7.0]), blur(sigma=1.0), contrast(low=0.8, high=0.8)]
    (plain, slope), (compiled, compiled_slope) = (evaluated(fixed, jit) for jit in (False, True))
    assert compiled == pytest.approx(plain, rel=1e-3)
    np.testing.assert_allclose(compiled_slope, slope, atol=1e-2 * abs(slope).max())

    @tf.function(jit_compile=True, autograph=False)
    def slope_through(batch):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            seen = batch
            for kind in ("shift", "crop", "flip", "noise", "brightness"):
                seen = TRANSFORMS[kind](**CATALOGUE[kind]).apply(seen, seed())
        return tape.gradient(seen, batch, output_gradients=seen)

    gradient = slope_through(tf.constant(picture[None]))
    assert np.isfinite(gradient).all()
    assert np.any(gradient)


@pytest.mark.no_cover
def test_transforms_accept_schedules(tmp_path, tiny, chelsea):
    images.save(tmp_path / "photo.png", chelsea[:96, :128], format="png")
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "run.yaml").write_text(
        "image: photo.png\n"
        "model: {file: tiny.keras, input_range: [-1, 1]}\n"
        "objectives: [{l2: c3}]\n"
        "transforms:\n"
        "  - noise: {spread: {from: 0.2, to: 0}, distribution: uniform}\n"
        "  - blur: {sigma: {from: 3, to: 0}}\n"
        "  - scale: {low: {from: 0.8, to: 1}, high: {from: 1.2, to: 1}}\n"
        "  - rotate: {degrees: {from: 20, to: 0}}\n"
        "  - crop: {low: {from: 0.5, to: 1}, high: 1}\n"
        "octaves: {count: 2, steps: 3}\n"
    )
    result = kerasdream.run(load(tmp_path / "run.yaml"))
    assert np.isfinite(result.image).all()
    assert len(result.scores) == 6
