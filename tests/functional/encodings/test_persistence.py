import itertools
import math

import gudhi
import numpy as np
import pytest
import torch
from gudhi.representations import PersistenceImage as GudhiImage
from persim import PersImage, PersistenceImager

from mmkd_plugin.functional import close_essential_persistence, persistence_image, sublevel_persistence


def ordered(pairs):
    return pairs[np.lexsort(pairs.T)]


def gudhi_pairs(series):
    """Finite H0 pairs of the filtration of a path on the samples.

    With `vertices` an edge takes the larger of its ends, which is our path. With `top_dimensional_cells` the samples are the
    edges and a vertex takes the smaller of its two, so that a cell again joins its neighbour at the larger of both values: on a
    line both constructors give the same H0.
    """
    result = []
    for name in ('vertices', 'top_dimensional_cells'):
        complex_ = gudhi.CubicalComplex(**{name: series})
        complex_.persistence()
        pairs = complex_.persistence_intervals_in_dimension(0).reshape(-1, 2)
        result.append(ordered(pairs[np.isfinite(pairs).all(1)]))
    np.testing.assert_array_equal(*result)
    return result[0]


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


def test_every_short_series_of_few_levels():
    for length in range(1, 7):
        for series in itertools.product([-np.inf, 0.0, 1.0, np.inf], repeat=length):
            np.testing.assert_array_equal(ordered(sublevel_persistence([series])[0]), gudhi_pairs(np.array(series)))


def extended_pairs(series):
    """Pairs of H0 in GUDHI's extended persistence of a path: the finite ones, and that of the essential class."""
    path = gudhi.SimplexTree()
    for sample, value in enumerate(series):
        path.insert([sample], value)
        if sample:
            path.insert([sample - 1, sample], max(value, series[sample - 1]))
    path.extend_filtration()
    ordinary, _, extended, _ = path.extended_persistence()
    pairs = np.array([ends for dimension, ends in [*ordinary, *extended] if dimension == 0]).reshape(-1, 2)
    return ordered(pairs[pairs[:, 0] < pairs[:, 1]])


@pytest.mark.parametrize('kind', ['continuous', 'ties', 'plateaus', 'walk'])
def test_the_essential_pair_is_that_of_extended_persistence(kind):
    rng = np.random.default_rng(0)
    for _ in range(50):
        series = series_of(kind, rng)
        closed = close_essential_persistence(torch.from_numpy(series[None]))
        np.testing.assert_allclose(ordered(sublevel_persistence(closed.numpy())[0]), extended_pairs(series), atol=1e-9)


def test_the_elder_rule_by_hand():
    # Minima 1, 0, 2; the valley at 2 meets the one at 0 over 3, the valley at 1 meets it over 4.
    (pairs,) = sublevel_persistence(np.array([[5.0, 1, 4, 0, 3, 2, 6]]))
    assert pairs.tolist() == [[2, 3], [1, 4]]
    assert pairs.dtype == np.float64


def test_single_precision_and_whole_numbers_keep_their_values():
    single = np.random.default_rng(3).standard_normal((4, 30)).astype(np.float32)
    for pairs, peer in zip(sublevel_persistence(single), sublevel_persistence(single.astype(np.float64))):
        assert pairs.dtype == np.float64
        np.testing.assert_array_equal(pairs, peer)
    assert sublevel_persistence(np.array([[0, 2, 1, 3]]))[0].tolist() == [[1, 2]]


def test_the_input_is_left_alone():
    x = np.random.default_rng(4).standard_normal((2, 30))
    before = x.copy()
    sublevel_persistence(x)
    np.testing.assert_array_equal(x, before)


def test_reversal_and_monotone_maps():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20, 50))
    for forward, backward, mapped in zip(
        sublevel_persistence(x), sublevel_persistence(x[:, ::-1]), sublevel_persistence(np.exp(x))
    ):
        np.testing.assert_array_equal(ordered(forward), ordered(backward))
        np.testing.assert_array_equal(ordered(np.exp(forward)), ordered(mapped))


def test_pairs_are_ordered_by_the_sample_at_which_the_death_is_seen():
    x = np.array([[0.0, 5.0, 1.0, 5.0, 2.0, 9.0]])  # at the second 5 the valley of 1 is over, and at 9 that of 2
    assert sublevel_persistence(x)[0].tolist() == [[1, 5], [2, 5]]


def test_nan_and_shape_messages():
    x = np.zeros((3, 20))
    x[2, 4] = np.nan
    with pytest.raises(ValueError, match=r'x\[2, 4\] is nan: sample 4 at leading index \(2,\); must be not NaN'):
        sublevel_persistence(x)
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match=r'x\[0, 0\] is nan: sample 0 at leading index \(0,\); must be not NaN'):
        sublevel_persistence(x)
    with pytest.raises(ValueError, match='x must hold real numbers, got an array of complex128'):
        sublevel_persistence(np.zeros((1, 4), complex))
    with pytest.raises(ValueError, match=r'x must have shape \(N, T\) with T at least 1, got \(2, 0\)'):
        sublevel_persistence(np.zeros((2, 0)))
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
def test_integral_is_persim_where_the_ranges_differ_in_length(weight):
    # persim's pixels are square, so two of them make one of ours along the longer range. Its image is (birth, persistence).
    size, birth, persistence, sigma = 16, (-1.0, 1.0), (0.0, 4.0), 0.3
    imager = PersistenceImager(
        birth_range=birth,
        pers_range=persistence,
        pixel_size=0.125,
        weight='persistence' if weight == 'persistence' else lambda birth, persistence, **_: np.ones_like(birth),
        weight_params={'n': 1.0},
        kernel_params={'sigma': [[sigma**2, 0.0], [0.0, sigma**2]]},
    )
    assert imager.resolution == (16, 32)
    images = persistence_image(diagrams(), size, birth, persistence, sigma, weight)
    for image, diagram in zip(images, diagrams()):
        np.testing.assert_allclose(image, imager.transform(diagram).reshape(16, 16, 2).sum(2), atol=1e-10)


def test_the_axes_of_a_convention_by_hand():
    # One pair, born at 0 with a lifetime of 3, in ranges from 0 to 3: first by birth, last by lifetime.
    arguments = ([np.array([[0.0, 3.0]])], 4, (0, 3), (0, 3), 0.2)
    integral, sampled = persistence_image(*arguments)[0], persistence_image(*arguments, convention='sampled')[0]
    assert np.unravel_index(integral.argmax(), (4, 4)) == (0, 3)
    assert np.unravel_index(sampled.argmax(), (4, 4)) == (3, 0)
    assert integral[0, 3] == pytest.approx(3 * (math.erf(0.75 / (0.2 * math.sqrt(2))) / 2) ** 2)
    assert sampled[3, 0] == pytest.approx(3 / (2 * math.pi * 0.2**2))


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


@pytest.mark.parametrize(('low', 'high', 'spread'), [(-1.0, 1.0, 0.015), (-10.0, 10.0, 0.25), (0.0, 3.0, 0.4)])
def test_persimage_is_the_old_class_of_persim(low, high, spread):
    """The ranges and spreads that the code of TDA_KD sets for PAMAP2 and GENEActiv, and another."""
    old = PersImage(pixels=[12, 12], spread=spread, specs=dict(minBD=low, maxBD=high), verbose=False)
    options = dict(birth_range=(low, high), persistence_range=(0.0, high), sigma=spread, convention='persimage')
    images = persistence_image(diagrams(), 12, **options)
    np.testing.assert_allclose(images, np.stack([old.transform(d) for d in diagrams()]), atol=1e-9)


def test_persimage_by_hand():
    """Two pixels of width 1 that begin at −2 and 2 for births, at 0 and 2 for lifetimes; the weight is 1 and 1/2."""
    pairs = np.array([[-2.0, 0.0], [2.0, 3.0]])
    (image,) = persistence_image([pairs], 2, (-2.0, 2.0), (0.0, 2.0), 0.5, convention='persimage')

    def mass(low, centre):
        return (math.erf((low + 1 - centre) / math.sqrt(0.5)) - math.erf((low - centre) / math.sqrt(0.5))) / 2

    expected = [
        [sum(w * mass(b, birth) * mass(p, life) for birth, life, w in [(-2, 2, 1), (2, 1, 0.5)]) for b in (-2, 2)]
        for p in (2, 0)  # the longest lifetimes are above
    ]
    np.testing.assert_allclose(image, expected, atol=1e-12)


def test_over_a_wide_range_the_pixels_sum_to_the_total_lifetime():
    images = persistence_image(diagrams(), 64, (-20, 20), (-10, 30), 0.5)
    np.testing.assert_allclose(images.sum((1, 2)), [np.diff(d).sum() for d in diagrams()], rtol=1e-9)
    images = persistence_image(diagrams(), 64, (-20, 20), (-10, 30), 0.5, weight='uniform')
    np.testing.assert_allclose(images.sum((1, 2)), [len(d) for d in diagrams()], rtol=1e-9)


def test_an_image_of_one_pixel_holds_the_mass_of_all_pairs():
    wide = dict(birth_range=(-100, 100), persistence_range=(-100, 100), sigma=0.3)
    assert persistence_image([[[1.0, 2.0], [0.0, 3.0]]], 1, **wide).tolist() == [[[pytest.approx(1 + 3)]]]


@pytest.mark.parametrize('convention', ['integral', 'sampled', 'persimage'])
def test_empty_diagrams_and_no_diagrams(convention):
    empty = np.empty((0, 2))
    images = persistence_image([diagrams(1)[0], empty], 8, (-4, 4), (0, 4), 0.3, convention=convention)
    assert images[0].max() > 0
    assert images[1].max() == 0
    assert persistence_image([[]], 8, (-4, 4), (0, 4), 0.3, convention=convention).max() == 0
    assert persistence_image([], 8, (-4, 4), (0, 4), 0.3).shape == (0, 8, 8)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(sigma=0), 'sigma must be above 0 and finite, got 0'),
        (dict(sigma=np.inf), 'sigma must be above 0 and finite, got inf'),
        (dict(sigma=np.nan), 'sigma must be above 0 and finite, got nan'),
        (dict(image_size=0), 'image_size must be a whole number of at least 1, got 0'),
        (dict(image_size=8.0), 'image_size must be a whole number of at least 1, got 8.0'),
        (dict(birth_range=(2, -2)), r'birth_range must go from low to high and be finite, got \(2, -2\)'),
        (dict(birth_range=(-np.inf, 1)), r'birth_range must go from low to high and be finite, got \(-inf, 1\)'),
        (dict(birth_range=(0, np.inf)), r'birth_range must go from low to high and be finite, got \(0, inf\)'),
        (dict(persistence_range=(1, 1)), r'persistence_range must go from low to high and be finite, got \(1, 1\)'),
        (dict(weight='linear'), "weight must be 'persistence' or 'uniform', got 'linear'"),
        (dict(convention='persim'), "convention must be 'integral', 'sampled' or 'persimage', got 'persim'"),
        (
            dict(convention='persimage'),
            r'lifetimes from 0 to the same maximum, got birth_range \(-2, 2\) and persistence_range \(0, 4\)',
        ),
        (dict(convention='persimage', birth_range=(1, 4)), r'births from at most 0 to a maximum .* got birth_range \(1, 4\)'),
        (dict(diagrams=[np.empty((0, 2)), np.array([[0.0, np.inf]])]), 'diagram 1 has a pair that is not finite'),
        (dict(diagrams=[np.array([[np.nan, 1.0]])]), 'diagram 0 has a pair that is not finite'),
        (dict(diagrams=[np.array([[-1e308, 1e308]])]), r'not finite and within ±1e\+300'),
        (dict(diagrams=[np.array([[1.0, 0.0]])]), 'diagram 0 has a pair that dies before its birth'),
        (dict(diagrams=[np.zeros((4, 3))]), r'diagram 0 must have shape \(k, 2\), got \(4, 3\)'),
        (dict(diagrams=np.array([[0.0, 1.0]])), r'diagram 0 must have shape \(k, 2\), got \(2,\)'),
    ],
)
def test_messages(changes, message):
    arguments = dict(diagrams=diagrams(1), image_size=8, birth_range=(-2, 2), persistence_range=(0, 4), sigma=0.3)
    with pytest.raises(ValueError, match=message):
        persistence_image(**{**arguments, **changes})
