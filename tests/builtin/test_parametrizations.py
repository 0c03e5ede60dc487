"""Parametrizations: round trips, their maths against NumPy, their gradients against finite differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import skimage.data

import kerasdream
from kerasdream import GradientStep
from kerasdream.builtin.objectives import l2
from kerasdream.builtin.parametrizations import decorrelated, fourier, laplacian_pyramid, maco, natural
from kerasdream.builtin.parametrizations.colour import LIMIT, from_picture, matrix
from kerasdream.engine import decoding as decoding_module
from kerasdream.engine.decoding import Decoding

HOLDING = {
    "decorrelated": (decorrelated, {}),
    "fourier": (fourier, {}),
    "fourier, plain": (fourier, {"decay": 0.5, "decorrelate": False}),
    "laplacian_pyramid": (laplacian_pyramid, {}),
    "laplacian_pyramid, plain": (laplacian_pyramid, {"levels": 3, "decay": 0.0, "decorrelate": False}),
}
"""Those that can represent any picture."""

ALL = {**HOLDING, "maco": (maco, {})}

SIZES = [(64, 80), (63, 81), (1, 7), (5, 1)]

M = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]]) / 0.46195
"""Lucid's colours: the length of the first column is the square root of 0.26² + 0.27² + 0.27²."""


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def logit(picture):
    """The inverse of ``2 · sigmoid − 1``, to the end."""
    return np.log((1 + picture.astype("float64")) / (1 - picture.astype("float64")))


def pulled_back(form, state, gradient):
    """The gradient with respect to a state, given the gradient with respect to the picture."""
    import tensorflow as tf

    state = tf.convert_to_tensor(state)
    with tf.GradientTape() as tape:
        tape.watch(state)
        picture = form.decode(state, *gradient.shape[:2])
    return tape.gradient(picture, state, output_gradients=tf.convert_to_tensor(gradient)).numpy()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", HOLDING)
def test_a_picture_of_any_size_is_reproduced_to_half_a_level(name, size):
    factory, parameters = HOLDING[name]
    form = factory(**parameters)
    picture = np.random.default_rng(0).uniform(-1, 1, (*size, 3)).astype("float32")
    picture[0, 0] = -1, 1, -1
    decoded = np.asarray(form.decode(form.init(picture, 0), *size))
    assert np.abs(decoded - picture).max() < 1 / 255 + 1e-4


def test_colours_are_lucids_and_uncorrelated(chelsea, coffee):
    np.testing.assert_allclose(matrix(), M, atol=1e-4)
    values = np.random.default_rng(0).normal(0, 1, (5, 6, 3)).astype("float32")
    picture = np.asarray(decorrelated().decode(values, 5, 6))
    expected = [2 * sigmoid(sum(M[colour, axis] * values[..., axis] for axis in range(3))) - 1 for colour in range(3)]
    np.testing.assert_allclose(picture, np.stack(expected, -1), atol=1e-4)
    for photo in (chelsea, coffee):
        alike = [
            np.abs(np.corrcoef(from_picture(photo, decorrelate).reshape(-1, 3).T)[np.triu_indices(3, 1)]).mean()
            for decorrelate in (False, True)
        ]
        assert alike[1] < 0.7 * alike[0]


@pytest.mark.parametrize("size", SIZES)
def test_fourier_is_the_scaled_inverse_transform(size):
    height, width = size
    decay = 0.75
    state = np.random.default_rng(0).normal(0, 0.1, (2, 3, height, width // 2 + 1)).astype("float32")
    down, across = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    scale = np.sqrt(height * width) / 4 / np.maximum(np.hypot(down, across), 1 / max(size)) ** decay
    values = np.fft.irfft2(scale * (state[0] + 1j * state[1]), s=size).transpose(1, 2, 0)
    decoded = fourier(decay=decay).decode(state, height, width)
    np.testing.assert_allclose(decoded, 2 * sigmoid(values @ M.T) - 1, atol=1e-4)
    plain = fourier(decay=decay, decorrelate=False).decode(state, height, width)
    np.testing.assert_allclose(plain, 2 * sigmoid(values) - 1, atol=1e-4)


def test_fourier_steps_favour_coarse_structures():
    """The same gradient at every frequency moves the picture as 1/f², the square of the scale."""
    form, size = fourier(decorrelate=False), (64, 64)
    impulse = np.zeros((*size, 3), "float32")
    impulse[20, 30] = 1  # all frequencies equally
    state = form.init(np.zeros_like(impulse), 0)
    moved = np.asarray(form.decode(state + 1e-2 * pulled_back(form, state, impulse), *size))
    strength = np.abs(np.fft.rfft2(moved[..., 0]))
    assert strength[4, 0] / strength[16, 0] == pytest.approx(16, rel=0.02)
    assert strength[0, 4] / strength[0, 16] == pytest.approx(16, rel=0.02)


def twice(values):
    """Bilinear enlargement to twice the size: three quarters of the nearest, a quarter of the next, edges repeated."""
    for axis in (0, 1):
        padded = np.pad(values, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        before, here, behind = (np.take(padded, np.arange(values.shape[axis]) + i, axis) for i in range(3))
        pairs = np.stack([0.75 * here + 0.25 * before, 0.75 * here + 0.25 * behind], axis + 1)
        values = pairs.reshape([2 * n if a == axis else n for a, n in enumerate(values.shape)])
    return values


def test_laplacian_pyramid_is_the_sum_of_its_bands():
    random = np.random.default_rng(0)
    bands = [random.normal(0, 1, (8 * s, 12 * s, 3)).astype("float32") for s in (4, 2, 1)]
    state = np.concatenate([band.reshape(-1, 3) for band in bands])
    decoded = laplacian_pyramid(levels=3, decay=0.5).decode(state, 32, 48)
    values = bands[0] + 2**-0.5 * twice(bands[1]) + 2**-1.0 * twice(twice(bands[2]))
    np.testing.assert_allclose(decoded, 2 * sigmoid(values @ M.T) - 1, atol=1e-4)


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_coarse_bands_of_the_pyramid_move_more(decay):
    form = laplacian_pyramid(levels=3, decay=decay, decorrelate=False)
    flat = np.zeros((32, 48, 3), "float32")
    gradient = pulled_back(form, form.init(flat, 0), flat + 1)
    ends = np.cumsum([32 * 48, 16 * 24, 8 * 12])[:-1]
    means = [float(band.mean()) for band in np.split(gradient, ends)]
    assert means == pytest.approx([0.5 * (4 * 2 ** (decay - 1)) ** level for level in range(3)], rel=1e-4)


def test_a_fixed_base_of_the_pyramid_does_not_move():
    free, fixed = (laplacian_pyramid(levels=3, base=base) for base in ("free", "fixed"))
    picture = np.random.default_rng(0).uniform(-0.9, 0.9, (32, 48, 3)).astype("float32")
    state, base = free.init(picture, 0), -8 * 12
    np.testing.assert_array_equal(fixed.decode(state, 32, 48), free.decode(state, 32, 48))
    moving, still = (pulled_back(form, state, picture) for form in (free, fixed))
    np.testing.assert_allclose(still[:base], moving[:base], rtol=1e-5)
    assert abs(moving[base:]).max() > 0.1
    assert not still[base:].any()
    with pytest.raises(kerasdream.ConfigError, match="use more levels"):
        laplacian_pyramid(levels=1, base="fixed")


@pytest.mark.parametrize("name", ["decorrelated", "fourier", "laplacian_pyramid", "maco"])
def test_gradients_of_state_and_pixels_agree_with_finite_differences(name, tiny_network, chelsea):
    """Along the gradient and the strongest coefficients, the score rises as the pulled back gradient predicts."""
    factory, parameters = ALL[name]
    form, size = factory(**parameters), (96, 112)
    step = GradientStep(tiny_network, l2(layer="conv3"), tile=512, halo="exact")
    picture = chelsea[100:196, 100:212]

    def decoded(state):
        return np.asarray(form.decode(state, *size))

    state = np.asarray(form.init(picture, 0), "float32")
    _, by_pixel = step(decoded(state))
    by_state = pulled_back(form, state, by_pixel)
    strongest = np.argsort(np.abs(by_state).ravel())[-3:]
    ways = [by_state / np.linalg.norm(by_state), *(np.eye(1, by_state.size, i).reshape(state.shape) for i in strongest)]
    for way in np.asarray(ways, "float32"):
        length = np.float32(0.01 * 0.02 / np.abs(decoded(state + 0.01 * way) - decoded(state)).max())
        ahead, behind = decoded(state + length * way), decoded(state - length * way)
        rise = step(ahead)[0] - step(behind)[0]
        assert rise == pytest.approx(2 * length * float((by_state * way).sum()), rel=0.01)
        assert rise == pytest.approx(float((by_pixel * (ahead - behind)).sum()), rel=0.01)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ALL)
def test_pulling_back_is_the_adjoint_of_decoding_at_any_size(name, size):
    factory, parameters = ALL[name]
    form, random = factory(**parameters), np.random.default_rng(0)
    state = np.asarray(form.init(random.uniform(-0.8, 0.8, (*size, 3)).astype("float32"), 0))
    way, gradient = (random.normal(0, 1, shape).astype("float32") for shape in (state.shape, (*size, 3)))
    ahead, behind = (np.asarray(form.decode(state + sign * np.float32(1e-3) * way, *size)) for sign in (1, -1))
    slope = float((gradient * (ahead - behind) / 2e-3).sum())
    expected = pulled_back(form, state, gradient) * way
    assert slope == pytest.approx(float(expected.sum()), abs=0.01 * float(np.linalg.norm(expected)) + 1e-3)


@pytest.mark.parametrize("name", ["fourier", "laplacian_pyramid", "maco"])
def test_traced_and_eager_decoding_agree(name, chelsea, monkeypatch):
    """The picture to 1e-5, the gradient to 1e-4 of its largest value; traced again, both to the byte."""
    size = 63, 81
    factory, parameters = ALL[name]
    form, gradient = factory(**parameters), np.random.default_rng(0).normal(0, 1, (*size, 3)).astype("float32")
    state = np.asarray(form.init(chelsea[: size[0], : size[1]], 0), "float32")

    def both():
        decoding = Decoding(form.decode)
        found = decoding.picture(state, size), np.asarray(decoding.pulled_back(state, size, gradient))
        assert len(decoding._traces) == 2 * (decoding_module.TRACED > 0)
        return found

    (picture, slope), (picture_again, slope_again) = both(), both()
    assert (picture.tobytes(), slope.tobytes()) == (picture_again.tobytes(), slope_again.tobytes())
    monkeypatch.setattr(decoding_module, "TRACED", 0)
    untraced, expected = both()
    np.testing.assert_allclose(picture, untraced, atol=1e-5)
    np.testing.assert_allclose(slope, expected, atol=1e-4 * abs(expected).max())


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["fourier", "maco"])
def test_ten_steps_raise_the_score(name, tiny, chelsea):
    factory, parameters = ALL[name]
    result = kerasdream.dream(
        chelsea[60:135, 100:181],
        model=tiny,
        input_range=(-1, 1),
        objectives={"l2": "c3"},
        parametrization=factory(**parameters),
        ascent=["normalize", {"rate": 0.01}],
        priors=[],
        octaves={"count": 1, "steps": 11},
    )
    assert result.image.shape == (75, 81, 3)
    assert result.scores[10] > 1.15 * result.scores[0]


def test_tiles_give_the_same_picture_as_a_single_view(tiny, chelsea):
    photo = chelsea[:149, :163]
    tiled, whole = (
        kerasdream.dream(
            photo,
            model=tiny,
            input_range=(-1, 1),
            objectives={"l2": "c3"},
            parametrization="fourier",
            ascent=["normalize", {"rate": 0.02}],
            priors=[],
            transforms=[],
            octaves={"count": 2, "scale": 1.4, "steps": 3},
            max_side=None,
            tiles={"size": size, "halo": "exact"},
        )
        for size in (64, 512)
    )
    assert np.abs(whole.image - photo).mean() > 0.003
    np.testing.assert_allclose(tiled.image, whole.image, atol=2e-3)
    np.testing.assert_allclose(tiled.scores, whole.scores, rtol=1e-3)


def spectrum(picture):
    """The spectrum of a picture's values, ``(3, height, width // 2 + 1)``."""
    return np.fft.rfft2((logit(picture) @ np.linalg.inv(M).T).transpose(2, 0, 1))


@pytest.mark.no_cover
def test_maco_keeps_the_magnitudes(tiny, coffee):
    """In the finished picture of a run, before it is rounded to levels."""
    height, width = 97, 115
    source = coffee[150 : 150 + height, 200 : 200 + width]
    result = kerasdream.dream(
        source,
        model=tiny,
        input_range=(-1, 1),
        objectives={"l2": "c3"},
        parametrization="maco",
        ascent=["normalize", {"rate": 0.05}],
        octaves={"count": 2, "steps": 6},
    )
    expected = natural.magnitude(height, width)
    found = spectrum(result.image)
    assert found.shape == expected.shape
    off = np.abs(np.abs(found) - expected)
    assert (off <= 1e-3 * expected + 1e-3).all()
    before = spectrum(np.asarray(maco().decode(maco().init(source, 0), height, width)))
    turned = np.abs(np.angle(found / before)).ravel()[1:]
    assert np.median(turned) > 0.05  # the phases change
    np.testing.assert_allclose(off.max(), 0, atol=1e-3 * expected.max())


def test_maco_starts_from_the_phases_of_the_photo(chelsea):
    photo = chelsea[100:195, 100:200]
    decoded = np.asarray(maco().decode(maco().init(photo, 0), 95, 100))
    turned = np.abs(np.angle(spectrum(decoded) / spectrum(photo.clip(-LIMIT, LIMIT))))
    inside = turned[:, :, 1:-1]  # the other columns also have components that can only be real
    assert np.quantile(inside, 0.99) < 0.1  # standardising moves them a little
    alike = np.corrcoef(from_picture(decoded)[..., 0].ravel(), from_picture(photo)[..., 0].ravel())[0, 1]
    assert alike > 0.6


def test_maco_draws_random_phases_for_a_flat_picture():
    flat = np.full((40, 50, 3), 0.3, "float32")
    first, second, again = (np.asarray(maco().decode(maco().init(flat, seed), 40, 50)) for seed in (1, 2, 1))
    np.testing.assert_array_equal(first, again)
    assert first.std() > 0.2
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.5


PHOTOS = "astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"


def bands(height, width, low, high):
    frequency = natural.frequencies(height, width)
    return [(frequency >= a) & (frequency < b) for a, b in pairwise(np.geomspace(low, high, 6))]


def test_the_magnitudes_are_fitted_to_photographs_below_an_eighth_of_a_cycle():
    """In each band and colour, for a picture of spread 1 like them; above, they fall faster."""
    folder = natural.Path(skimage.data.__file__).parent
    photos = [kerasdream.images.read(folder / name).pixels for name in PHOTOS]
    photos.append(kerasdream.images.read(natural.Path("configs/photos/raccoon.jpg")).pixels)
    found = natural._between(natural.frequencies(512, 512) + 1e-9, natural.measured(photos))
    formula = natural.magnitude(512, 512)
    ratios = np.array([[each[band].mean() / of[band].mean() for each, of in zip(formula, found, strict=True)]
                       for band in bands(512, 512, 0.01, 0.12)])  # fmt: skip
    np.testing.assert_allclose(ratios / ratios.mean(), 1, atol=0.15)
    fine = bands(512, 512, 0.24, 0.45)[-1]
    assert (formula[:, fine].mean(1) < found[:, fine].mean(1) * ratios.mean() / 2).all()


@pytest.mark.parametrize("size", [(64, 96), (63, 81), (1, 7)])
def test_a_picture_of_natural_magnitudes_has_spread_one(size):
    random = np.random.default_rng(0)
    values = random.normal(0, 1, (3, *size))
    spectrum = np.fft.rfft2(values)
    picture = np.fft.irfft2(natural.magnitude(*size) * spectrum / np.abs(spectrum), s=size)
    assert picture.std() == pytest.approx(1, rel=1e-3)
    assert picture.mean() == pytest.approx(0, abs=1e-6)


def test_magnitudes_of_the_users_photos(tmp_path, chelsea):
    """A folder of blurred photos gives less of what is fine; a folder without pictures is an error in words."""
    sharp, soft = tmp_path / "sharp", tmp_path / "soft"
    for folder, photo in (sharp, chelsea), (soft, kerasdream.images.resize(chelsea[::4, ::4], chelsea.shape[:2])):
        folder.mkdir()
        kerasdream.images.save(folder / "cat.png", photo, format="png")
    crisp, blurred = (natural.magnitude(128, 128, natural.bands_of(folder)) for folder in (sharp, soft))
    fine = natural.frequencies(128, 128) > 0.25
    assert blurred[:, fine].mean() < 0.5 * crisp[:, fine].mean()
    (tmp_path / "run.yaml").write_text("image: cat.jpg\nparametrization:\n  maco: {spectrum: soft}\n")
    config = kerasdream.load_config(tmp_path / "run.yaml")
    assert config.parametrization.values["spectrum"] == soft
    for folder, colour in ("grey", chelsea.mean(-1, keepdims=True).repeat(3, -1)), ("plain", 0 * chelsea):
        (tmp_path / folder).mkdir()
        kerasdream.images.save(tmp_path / folder / "a.png", colour, format="png")
    in_grey = maco(spectrum=tmp_path / "grey")
    drawn = np.asarray(in_grey.decode(in_grey.init(chelsea[:64, :64], 0), 64, 64))
    assert drawn.std() > 0.2
    assert np.ptp(drawn, axis=-1).max() < 0.1 * np.ptp(drawn)  # of grey photos, hardly any colour
    (tmp_path / "empty").mkdir()
    for folder, words in ("empty", "no pictures"), ("nowhere", "is not a folder"), ("plain", "too plain to measure"):
        with pytest.raises(kerasdream.ImageError, match=words):
            natural.bands_of(tmp_path / folder)
