import re

import numpy as np
import pytest
import torch
from peers import pyts_field

from mmkd_plugin.functional import gramian_angular_field, gramian_angular_field_on_device
from mmkd_plugin.functional.encodings.images import HUGE_PAGE, image_array

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('method', ['summation', 'difference'])
@pytest.mark.parametrize(('length', 'size'), [(64, 64), (200, 32), (37, 10), (20, 19), (1, 1)])
@pytest.mark.parametrize('sample_range', [(-1, 1), (0, 1), (-0.5, 0.25)])
def test_the_field_is_that_of_pyts(method, length, size, sample_range):
    x = RNG.standard_normal((6, length))
    peer = pyts_field()(image_size=size, method=method, sample_range=sample_range).transform(x)
    np.testing.assert_allclose(gramian_angular_field(x, size, method, sample_range), peer, atol=1e-6)


@pytest.mark.parametrize('method', ['summation', 'difference'])
@pytest.mark.parametrize('sample_range', [(-1, 1), (0, 1), (-0.5, 0.25)])
def test_one_pixel_is_the_field_that_pyts_gives_to_the_mean(method, sample_range):
    x = RNG.standard_normal((6, 5))  # pyts 0.13, the last for Python 3.10, cannot average to one value itself
    peer = pyts_field()(image_size=1, method=method, sample_range=sample_range).transform(x.mean(1, keepdims=True))
    np.testing.assert_allclose(gramian_angular_field(x, 1, method, sample_range), peer, atol=1e-6)


def test_without_scaling_it_is_that_of_pyts_too():
    x = RNG.uniform(-1, 1, (6, 50))
    peer = pyts_field()(image_size=20, sample_range=None).transform(x)
    np.testing.assert_allclose(gramian_angular_field(x, 20, sample_range=None), peer, atol=1e-6)


@pytest.mark.parametrize('value', [0.0, 0.1, 3.7, -0.3])
@pytest.mark.parametrize(('length', 'size'), [(30, 10), (37, 10), (30, 7), (200, 32)])
@pytest.mark.parametrize('method', ['summation', 'difference'])
@pytest.mark.parametrize('sample_range', [(-1, 1), (0, 1)])
def test_a_constant_series_has_the_field_that_pyts_gives_it(value, length, size, method, sample_range):
    x = np.full((2, length), value)
    peer = pyts_field()(image_size=size, method=method, sample_range=sample_range).transform(x)
    np.testing.assert_allclose(gramian_angular_field(x, size, method, sample_range), peer, atol=1e-6)


@pytest.mark.parametrize('value', [1e8 + 0.1, -1e300, 5e-324])
def test_the_mean_of_a_constant_is_not_rounded_to_a_picture(value):
    # Parts of three and of four samples: sums of the values themselves differ in the last place.
    np.testing.assert_array_equal(gramian_angular_field(np.full(37, value), 10), np.ones((10, 10)))


def test_what_pyts_calls_constant_is_constant():
    x = 1e-16 * RNG.standard_normal((3, 20))
    peer = pyts_field()(image_size=20).transform(x)
    np.testing.assert_allclose(gramian_angular_field(x, 20), peer, atol=1e-5)
    assert gramian_angular_field(1e20 * x, 20).min() < 0


def test_what_spans_less_than_ten_roundings_of_one_is_constant():
    """As in pyts, whose limit is this."""
    eps = np.finfo(np.float64).eps
    x = np.array([[0, 9.5 * eps], [0, 10.5 * eps]])
    expected = pyts_field()(image_size=2).transform(x)
    for field in (gramian_angular_field(x, 2), gramian_angular_field_on_device(torch.from_numpy(x), 2).numpy()):
        np.testing.assert_allclose(field, expected, atol=1e-6)
    assert [len(np.unique(field.round(6))) for field in expected] == [1, 2]


def test_only_rounding_may_leave_the_cosines():
    x = np.array([-1 - 5e-10, 0, 1 + 5e-10])
    np.testing.assert_array_equal(gramian_angular_field(x, 3, sample_range=None), [[1, 0, -1], [0, -1, 0], [-1, 0, 1]])
    with pytest.raises(ValueError, match='with sample_range=None values must lie in'):
        gramian_angular_field(x * (1 + 1e-8), 3, sample_range=None)


def test_two_values_by_hand():
    # -1 and 1 have the angles π and 0.
    x = np.array([0.0, 5.0])
    np.testing.assert_allclose(gramian_angular_field(x, 2), [[1, -1], [-1, 1]], atol=1e-12)
    np.testing.assert_allclose(gramian_angular_field(x, 2, 'difference'), [[0, 0], [0, 0]], atol=1e-7)


def test_the_diagonal_is_the_cosine_of_twice_the_angle():
    x = RNG.standard_normal((4, 40))
    scaled = 2 * (x - x.min(1, keepdims=True)) / np.ptp(x, axis=1, keepdims=True) - 1
    diagonal = np.diagonal(gramian_angular_field(x, 40), axis1=1, axis2=2)
    np.testing.assert_allclose(diagonal, np.cos(2 * np.arccos(scaled)), atol=1e-12)


def test_summation_is_symmetric_and_difference_is_antisymmetric():
    x = RNG.standard_normal(40)
    summation, difference = gramian_angular_field(x, 16), gramian_angular_field(x, 16, 'difference')
    np.testing.assert_array_equal(summation, summation.T)
    np.testing.assert_array_equal(difference, -difference.T)


def test_any_number_of_leading_axes_and_both_precisions():
    x = RNG.standard_normal((2, 3, 4, 20))
    image = gramian_angular_field(x, 8)
    assert (image.shape, image.dtype) == ((2, 3, 4, 8, 8), np.float64)
    np.testing.assert_array_equal(image[1, 2, 3], gramian_angular_field(x[1, 2, 3], 8))
    single = gramian_angular_field(x.astype(np.float32), 8)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, image, atol=1e-5)
    assert gramian_angular_field(np.arange(6), 3).dtype == np.float64
    assert gramian_angular_field(np.empty((0, 6)), 3).shape == (0, 3, 3)
    assert gramian_angular_field(np.empty((2, 0, 6)), 3, sample_range=None).shape == (2, 0, 3, 3)


def test_the_input_is_left_alone():
    x = RNG.standard_normal((2, 20))
    before = x.copy()
    gramian_angular_field(x, 20, sample_range=(-0.5, 0.5))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1.5e308])
@pytest.mark.parametrize('sample_range', [(-1, 1), None])
def test_a_value_that_is_not_finite_is_found(value, sample_range):
    x = np.zeros((3, 4, 20))
    x[1, 2, 7] = x[2, 0, 0] = value
    message = f'x[1, 2, 7] is {value}: sample 7 at leading index (1, 2); must be finite and within ±1e+300'
    with pytest.raises(ValueError, match=re.escape(message)):
        gramian_angular_field(x, 10, sample_range=sample_range)
    with pytest.raises(ValueError, match=re.escape(f'x[7] is {value}: sample 7 at leading index ()')):
        gramian_angular_field(x[1, 2], 10, sample_range=sample_range)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(image_size=0), 'image_size must be a whole number from 1 to the 20 samples of a series, got 0'),
        (dict(image_size=21), 'image_size must be a whole number from 1 to the 20 samples of a series, got 21'),
        (dict(image_size=4.0), 'image_size must be a whole number from 1 to the 20 samples of a series, got 4.0'),
        (dict(image_size=5, method='s'), "method must be 'summation' or 'difference', got 's'"),
        (dict(image_size=5, sample_range=(1, -1)), 'sample_range must satisfy -1 <= low < high <= 1'),
        (dict(image_size=5, sample_range=(-2, 1)), 'sample_range must satisfy -1 <= low < high <= 1'),
        (dict(image_size=5, sample_range=(0, 1.5)), 'sample_range must satisfy -1 <= low < high <= 1'),
        (dict(image_size=5, sample_range=None), r'with sample_range=None values must lie in \[-1, 1\], got an average of 3'),
    ],
)
def test_messages(arguments, message):
    x = np.zeros((2, 20))
    x[1] = 3
    with pytest.raises(ValueError, match=message):
        gramian_angular_field(x, **arguments)


def test_scalars_and_complex_numbers_are_refused():
    with pytest.raises(ValueError, match='x must hold real numbers, got an array of complex128'):
        gramian_angular_field(np.zeros(4, complex), 2)
    with pytest.raises(ValueError, match=r'x must have shape \(..., T\) with T at least 1, got \(\)'):
        gramian_angular_field(np.float64(3), 1)


def test_a_given_array_is_filled_and_one_of_another_kind_refused():
    x = np.random.default_rng(0).normal(size=(3, 2, 20)).astype(np.float32)
    out = np.full((3, 2, 8, 8), np.nan, np.float32)
    assert gramian_angular_field(x, 8, out=out) is out
    np.testing.assert_array_equal(out, gramian_angular_field(x, 8))
    with pytest.raises(
        ValueError, match=re.escape('out must be contiguous, float32 and (3, 2, 8, 8), got float64 and (3, 2, 8, 8)')
    ):
        gramian_angular_field(x, 8, out=out.astype(np.float64))


def test_threads_make_no_difference():
    x = np.random.default_rng(0).normal(size=(150, 40))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = gramian_angular_field(x, 16)
        torch.set_num_threads(2)
        np.testing.assert_array_equal(gramian_angular_field(x, 16), alone)
        x[140, 3] = np.nan
        with pytest.raises(ValueError, match=re.escape('x[140, 3] is nan')):
            gramian_angular_field(x, 16)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize('method', ['summation', 'difference'])
@pytest.mark.parametrize('sample_range', [(-1, 1), (0, 1), None])
def test_the_tensor_form_gives_the_same(method, sample_range):
    x = np.random.default_rng(0).uniform(-1, 1, size=(5, 2, 30))
    x[0] = 0.25
    result = gramian_angular_field_on_device(torch.from_numpy(x), 7, method, sample_range)
    np.testing.assert_allclose(result.numpy(), gramian_angular_field(x, 7, method, sample_range), atol=1e-12)
    assert gramian_angular_field_on_device(torch.from_numpy(x).float(), 7).dtype == torch.float32


def test_the_tensor_form_clips_what_lies_outside():
    x = torch.tensor([[1.5, -3.0, 0.5]], dtype=torch.float64)
    clipped = gramian_angular_field(x.clamp(-1, 1).numpy(), 3, sample_range=None)
    np.testing.assert_allclose(gramian_angular_field_on_device(x, 3, sample_range=None), clipped, atol=1e-12)


def test_large_images_begin_at_a_huge_page():
    small, large = (image_array((n, 64, 64), np.float32, None, np.empty(0)) for n in (4, 512))
    assert small.shape == (4, 64, 64)
    assert (large.shape, large.dtype, large.flags.c_contiguous) == ((512, 64, 64), np.float32, True)
    assert large.ctypes.data % HUGE_PAGE == 0
