import gudhi
import numpy as np
import pytest
from gudhi.representations import PersistenceImage as GudhiImage
from persim import PersistenceImager

from mmkd_plugin.functional import persistence_image, sublevel_persistence


def ordered(pairs):
    return pairs[np.lexsort(pairs.T)]


def gudhi_pairs(series):
    """Finite H0 pairs of the filtration of a path on the samples: samples are vertices of the complex."""
    complex_ = gudhi.CubicalComplex(vertices=series)
    complex_.persistence()
    pairs = complex_.persistence_intervals_in_dimension(0).reshape(-1, 2)
    return ordered(pairs[np.isfinite(pairs).all(1)])


def series_of(kind, rng):
    length = int(rng.integers(1, 60))
    if kind == 'continuous':
        return rng.standard_normal(length)
    if kind == 'ties':
        return rng.integers(0, 4, length).astype(float)
    if kind == 'plateaus':
        return np.repeat(rng.standard_normal(length), rng.integers(1, 4, length))
    if kind == 'walk':
        return np.cumsum(rng.integers(-1, 2, length)).astype(float)
    if kind == 'infinite':
        infinite = rng.choice([np.inf, -np.inf], length)
        return np.where(rng.random(length) < 0.2, infinite, rng.integers(0, 5, length))
    return rng.standard_normal(length).astype(np.float32).astype(float)


@pytest.mark.parametrize('kind', ['continuous', 'ties', 'plateaus', 'walk', 'infinite', 'float32'])
def test_pairs_are_exactly_those_of_gudhi(kind):
    rng = np.random.default_rng(0)
    for _ in range(300):
        series = series_of(kind, rng)
        np.testing.assert_array_equal(ordered(sublevel_persistence(series[None])[0]), gudhi_pairs(series))


@pytest.mark.parametrize(
    'series',
    [[3.0], [1.0, 2.0], [2.0, 1.0], [1.0] * 9, list(range(9)), list(range(9, 0, -1)), [0, 1, 1, 0, 1, 1, 0], [5, 1, 5]],
)
def test_small_and_monotone_and_constant_series(series):
    series = np.array(series, float)
    np.testing.assert_array_equal(ordered(sublevel_persistence(series[None])[0]), gudhi_pairs(series))


def test_the_elder_rule_by_hand():
    # Minima 1, 0, 2; the valley at 2 meets the one at 0 over 3, the valley at 1 meets it over 4.
    (pairs,) = sublevel_persistence(np.array([[5.0, 1, 4, 0, 3, 2, 6]]))
    assert ordered(pairs).tolist() == [[2, 3], [1, 4]]


def test_reversal_and_monotone_maps():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20, 50))
    for forward, backward, mapped in zip(
        sublevel_persistence(x), sublevel_persistence(x[:, ::-1]), sublevel_persistence(np.exp(x))
    ):
        np.testing.assert_array_equal(ordered(forward), ordered(backward))
        np.testing.assert_array_equal(ordered(np.exp(forward)), ordered(mapped))


def test_nan_and_shape_messages():
    x = np.zeros((3, 20))
    x[2, 4] = np.nan
    with pytest.raises(ValueError, match=r'series \(2,\) of x\[3\] has nan at sample 4'):
        sublevel_persistence(x)
    with pytest.raises(ValueError, match=r'x must have shape \(N, T\) with T at least 1, got \(20,\)'):
        sublevel_persistence(np.zeros(20))
    assert sublevel_persistence(np.zeros((0, 5))) == []


def diagrams(n=5):
    rng = np.random.default_rng(2)
    return sublevel_persistence(rng.standard_normal((n, 80)))


@pytest.mark.parametrize(('birth', 'persistence'), [((-2.0, 2.0), (0.0, 4.0)), ((-1.0, 1.0), (0.5, 2.5))])
@pytest.mark.parametrize('sigma', [0.05, 0.3, 2.0])
def test_integral_is_persim(birth, persistence, sigma):
    size = 16
    imager = PersistenceImager(
        birth_range=birth,
        pers_range=persistence,
        pixel_size=(birth[1] - birth[0]) / size,
        weight='persistence',
        weight_params={'n': 1.0},
        kernel_params={'sigma': [[sigma**2, 0.0], [0.0, sigma**2]]},
    )
    assert imager.resolution == (size, size)
    images = persistence_image(diagrams(), size, birth, persistence, sigma)
    for image, diagram in zip(images, diagrams()):
        np.testing.assert_allclose(image, imager.transform(diagram), atol=1e-10)


@pytest.mark.parametrize('weight', ['persistence', 'uniform'])
@pytest.mark.parametrize('sigma', [0.1, 1.0])
def test_sampled_is_gudhi(weight, sigma):
    size, limits = 12, [-2.0, 1.5, 0.0, 3.0]
    peer = GudhiImage(
        bandwidth=sigma,
        weight=(lambda p: p[1]) if weight == 'persistence' else (lambda p: 1),
        resolution=[size, size],
        im_range=limits,
    )
    expected = peer.fit_transform(diagrams()).reshape(-1, size, size)
    images = persistence_image(diagrams(), size, limits[:2], limits[2:], sigma, weight, convention='sampled')
    np.testing.assert_allclose(images, expected, atol=1e-10)


def test_over_a_wide_range_the_pixels_sum_to_the_total_lifetime():
    images = persistence_image(diagrams(), 64, (-20, 20), (-10, 30), 0.5)
    np.testing.assert_allclose(images.sum((1, 2)), [np.diff(d).sum() for d in diagrams()], rtol=1e-9)


def test_empty_diagrams_and_no_diagrams():
    empty = np.empty((0, 2))
    images = persistence_image([diagrams(1)[0], empty], 8, (-2, 2), (0, 4), 0.3)
    assert images[0].max() > 0
    assert images[1].max() == 0
    assert persistence_image([], 8, (-2, 2), (0, 4), 0.3).shape == (0, 8, 8)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(sigma=0), 'sigma must be above 0 and image_size at least 1, got sigma=0'),
        (dict(image_size=0), 'image_size at least 1, got sigma=0.3 and image_size=0'),
        (dict(birth_range=(2, -2)), r'birth_range must go from low to high, got \(2, -2\)'),
        (dict(persistence_range=(1, 1)), r'persistence_range must go from low to high, got \(1, 1\)'),
        (dict(weight='linear'), "weight must be 'persistence' or 'uniform', got 'linear'"),
        (dict(convention='persim'), "convention must be 'integral' or 'sampled', got 'persim'"),
        (dict(diagrams=[np.empty((0, 2)), np.array([[0.0, np.inf]])]), 'diagram 1 has a pair that is not finite'),
        (dict(diagrams=[np.array([[1.0, 0.0]])]), 'diagram 0 has a pair that dies before its birth'),
    ],
)
def test_messages(changes, message):
    arguments = dict(diagrams=diagrams(1), image_size=8, birth_range=(-2, 2), persistence_range=(0, 4), sigma=0.3)
    with pytest.raises(ValueError, match=message):
        persistence_image(**{**arguments, **changes})
