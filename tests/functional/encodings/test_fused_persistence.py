import re

import gudhi.representations
import numpy as np
import pytest
import torch
from persim import PersistenceImager

from mmkd_plugin.functional import (
    persistence_image,
    signal_to_persistence_image,
    signal_to_persistence_image_on_device,
    sublevel_persistence,
)

RANGES = dict(birth_range=(-2.0, 2.0), persistence_range=(0.0, 4.0))


def series(n=30, length=60, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=(n, length)).astype(dtype)


def in_two_steps(x, min_persistence=0.0, normalize=False, **options):
    diagrams = [d[d[:, 1] - d[:, 0] > min_persistence] for d in sublevel_persistence(x)]
    images = persistence_image(diagrams, **options)
    top = images.max(axis=(1, 2), keepdims=True)
    return np.divide(images, top, out=np.zeros_like(images), where=top > 0) if normalize else images


@pytest.mark.parametrize(('dtype', 'error'), [(np.float32, 3e-7), (np.float64, 3e-9)])
@pytest.mark.parametrize('convention', ['integral', 'sampled'])
@pytest.mark.parametrize('sigma', [0.05, 0.1, 0.4, 1.7])
def test_one_pass_gives_what_two_steps_give(sigma, convention, dtype, error):
    x = series(dtype=dtype)
    options = dict(image_size=17, sigma=sigma, convention=convention, **RANGES)
    expected = in_two_steps(x, **options)
    result = signal_to_persistence_image(x, **options)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, atol=error * expected.max(), rtol=0)


@pytest.mark.parametrize('convention', ['integral', 'sampled'])
@pytest.mark.parametrize('image_size', [1, 2, 3])
def test_small_images_are_those_of_two_steps(image_size, convention):
    options = dict(image_size=image_size, sigma=1.0, convention=convention, **RANGES)
    expected = in_two_steps(series(), **options)
    np.testing.assert_allclose(signal_to_persistence_image(series(), **options), expected, atol=1e-8 * expected.max())


@pytest.mark.parametrize('more', [dict(weight='uniform'), dict(min_persistence=0.8), dict(normalize=True)])
def test_options_are_those_of_the_two_steps(more):
    x = series()
    options = dict(image_size=12, sigma=0.3, **RANGES, **more)
    np.testing.assert_allclose(signal_to_persistence_image(x, **options), in_two_steps(x, **options), atol=1e-8)


def test_persim_and_gudhi_draw_the_same():
    x = series(4)
    diagrams = sublevel_persistence(x)
    imager = PersistenceImager(
        birth_range=(-2, 2), pers_range=(0, 4), pixel_size=0.25, kernel_params={'sigma': [[0.09, 0], [0, 0.09]]}
    )
    result = signal_to_persistence_image(x, 16, sigma=0.3, **RANGES)
    np.testing.assert_allclose(result, np.stack(imager.transform(diagrams, skew=True)), atol=1e-7)
    peer = gudhi.representations.PersistenceImage(
        bandwidth=0.3, resolution=[16, 16], im_range=[-2, 2, 0, 4], weight=lambda pair: pair[1]
    )
    sampled = signal_to_persistence_image(x, 16, sigma=0.3, convention='sampled', **RANGES)
    np.testing.assert_allclose(sampled, peer.fit_transform(diagrams).reshape(4, 16, 16), atol=1e-6)


def test_pairs_beyond_the_image_are_cut_off_at_its_edges():
    x = series() * np.array([1, 5, 1e3, 1e300] * 8)[:30, None]
    options = dict(image_size=9, sigma=0.3, **RANGES)
    expected = np.stack([in_two_steps(row[None], **options)[0] for row in x if np.abs(row).max() < 1e290])
    kept = np.array([np.abs(row).max() < 1e290 for row in x])
    np.testing.assert_allclose(signal_to_persistence_image(x[kept], **options), expected, atol=1e-6 * expected.max())
    assert np.isfinite(signal_to_persistence_image(x, **options)).all()


def test_leading_axes_one_thread_or_two_and_a_given_array_make_no_difference():
    x = series(200, dtype=np.float32).reshape(50, 4, 60)
    options = dict(image_size=8, sigma=0.3, **RANGES)
    out = np.full((50, 4, 8, 8), np.nan, np.float32)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = signal_to_persistence_image(x, **options)
        torch.set_num_threads(2)
        assert signal_to_persistence_image(x, out=out, **options) is out
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(out, alone)


@pytest.mark.parametrize('function', [signal_to_persistence_image, sublevel_persistence])
def test_each_thread_names_its_own_rows(function):
    x = series(150)
    x[140, 3] = np.nan
    options = dict(image_size=8, sigma=0.3, **RANGES) if function is signal_to_persistence_image else {}
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(ValueError, match=r'x\[140, 3\] is nan'):
            function(x, **options)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize('convention', ['integral', 'sampled', 'persimage'])
def test_the_highest_pixel_of_a_normalised_image_is_one(convention):
    x = series(3)
    x[1] = 5  # no pair, and nothing to divide by
    options = dict(image_size=8, sigma=0.3, convention=convention, birth_range=(-2, 4), persistence_range=(0, 4))
    image, normal = (signal_to_persistence_image(x, normalize=normalize, **options) for normalize in (False, True))
    assert normal.max((1, 2)).tolist() == [1, 0, 1]
    np.testing.assert_allclose(normal * image.max((1, 2), keepdims=True), image, rtol=1e-12)


@pytest.mark.parametrize('convention', ['integral', 'sampled', 'persimage'])
def test_a_pair_that_lives_as_long_as_the_least_is_left_out(convention):
    x = np.array([[0.0, 2.0, 1.0, 3.0]])  # one pair, from 1 to 2
    options = dict(image_size=8, sigma=0.3, convention=convention, birth_range=(-2, 4), persistence_range=(0, 4))
    for least, drawn in ((1, False), (np.nextafter(1, 0), True)):
        assert signal_to_persistence_image(x, min_persistence=least, **options).any() == drawn
        on_device = signal_to_persistence_image_on_device(torch.from_numpy(x), min_persistence=least, **options)
        assert on_device.any() == drawn


def test_an_image_of_one_pixel_holds_the_mass_of_all_pairs():
    x = np.array([[0.0, 2.0, 1.0, 3.0, -1.0, 4.0]])  # pairs (1, 2) and (0, 3)
    options = dict(birth_range=(-100, 100), persistence_range=(-100, 100), sigma=0.3)
    assert signal_to_persistence_image(x, 1, **options).tolist() == [[[pytest.approx(1 + 3)]]]


def test_constant_and_infinite_series():
    options = dict(image_size=8, sigma=0.3, **RANGES)
    assert (signal_to_persistence_image(np.ones((2, 5)), normalize=True, **options) == 0).all()
    x = np.array([[0.0, 1.0, -1.0, np.inf, 0.5, 2.0, 0.0]])
    np.testing.assert_allclose(signal_to_persistence_image(x, **options), in_two_steps(x, **options), atol=1e-8)


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: signal_to_persistence_image([[0.0, np.nan]], 8, sigma=1, **RANGES), 'x[0, 1] is nan: sample 1'),
        (lambda: signal_to_persistence_image([[np.nan, 0.0]], 8, sigma=1, **RANGES), 'x[0, 0] is nan: sample 0'),
        (lambda: signal_to_persistence_image([1j, 2], 8, sigma=1, **RANGES), 'x must hold real numbers'),
        (
            lambda: signal_to_persistence_image(1.0, 8, sigma=1, **RANGES),
            'x must have shape (..., T) with T at least 1, got ()',
        ),
        (lambda: signal_to_persistence_image([1.0, 2], 8, sigma=0, **RANGES), 'sigma must be above 0 and finite, got 0'),
        (
            lambda: signal_to_persistence_image([1.0, 2], 8, sigma=1, out=np.zeros((8, 8), np.float32), **RANGES),
            'out must be contiguous, float64 and (8, 8), got float32 and (8, 8)',
        ),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build()
