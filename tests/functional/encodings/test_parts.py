"""Equal parts of a series, by hand."""

import itertools
import re

import numpy as np
import pytest

from mmkd_plugin.functional.encodings.parts import average_matrix, check_image_size, part_bounds


@pytest.mark.parametrize('size', [0, -1, 51, 8.0, '8', None])
def test_a_size_that_no_image_has_is_refused(size):
    message = f'image_size must be a whole number from 1 to the 50 samples of a series, got {size}'
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        check_image_size(size, 50)


@pytest.mark.parametrize('size', [1, 8, 50, np.int64(50)])
def test_a_size_up_to_the_length_of_the_series_will_do(size):
    assert check_image_size(size, 50) is None


@pytest.mark.parametrize(
    ('length', 'parts', 'bounds'),
    [(6, 3, [0, 2, 4, 6]), (7, 3, [0, 2, 4, 7]), (5, 4, [0, 1, 2, 3, 5]), (4, 4, [0, 1, 2, 3, 4]), (9, 1, [0, 9])],
)
def test_parts_begin_at_whole_samples(length, parts, bounds):
    found = part_bounds(length, parts)
    assert found.tolist() == bounds
    assert found.dtype == np.int64


def test_averages_of_parts_by_hand():
    matrix = average_matrix(5, 2)  # two samples, and three
    assert matrix.tolist() == [[1 / 2, 0], [1 / 2, 0], [0, 1 / 3], [0, 1 / 3], [0, 1 / 3]]
    assert matrix.dtype == np.float64


@pytest.mark.parametrize(('length', 'parts'), [(50, 7), (128, 32), (17, 17), (100, 3)])
def test_every_sample_counts_in_one_part_alone(length, parts):
    x = np.random.default_rng(0).normal(size=(4, length))
    bounds = [int(i * length / parts) for i in range(parts + 1)]
    expected = [x[:, start:stop].mean(1) for start, stop in itertools.pairwise(bounds)]
    np.testing.assert_allclose(x @ average_matrix(length, parts), np.stack(expected, 1), rtol=1e-12, atol=1e-12)
