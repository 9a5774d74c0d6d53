"""Recurrence plots against pyts, and by hand."""

import re

import numpy as np
import pytest
import torch
from pyts.image import RecurrencePlot

from mmkd_plugin.functional import recurrence_plot

X = np.concatenate([np.random.default_rng(0).standard_normal((20, 40)), [np.arange(40) % 4, np.full(40, 2.5)]])


@pytest.mark.parametrize(('dimension', 'delay'), [(1, 1), (3, 2), (40, 1)])
@pytest.mark.parametrize(
    ('threshold', 'percentage'),
    [(None, None), (0.5, None), ('distance', 10), ('distance', 40), ('point', 10), ('point', 63.7), ('point', 100)],
)
def test_equality_with_pyts(dimension, delay, threshold, percentage):
    peer = RecurrencePlot(dimension, delay, threshold, percentage or 10)
    plot = recurrence_plot(torch.from_numpy(X), None, dimension, delay, threshold, percentage)
    np.testing.assert_allclose(plot.numpy(), peer.transform(X), rtol=0, atol=1e-12)
    single = recurrence_plot(torch.from_numpy(X.astype(np.float32)), None, dimension, delay, threshold, percentage)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), peer.transform(X.astype(np.float32)), rtol=0, atol=2e-6)


def test_the_usual_percentage_is_that_of_pyts():
    for threshold in ('point', 'distance'):
        plot = recurrence_plot(torch.from_numpy(X), threshold=threshold)
        np.testing.assert_array_equal(plot.numpy(), RecurrencePlot(threshold=threshold).transform(X))


@pytest.mark.parametrize('percentage', [0, 1, 12.5, 31.25, 37.5, 50, 80, 99, 100])
def test_a_percentile_of_few_distances_is_that_of_numpy(percentage):
    x = np.array([[0.0, 1, 4], [2, 2, 5], [3, 3, 3]])
    distances = np.abs(x[:, :, None] - x[:, None])
    limits = np.percentile(distances, percentage, (1, 2), keepdims=True)
    plot = recurrence_plot(torch.from_numpy(x), threshold='point', percentage=percentage)
    np.testing.assert_array_equal(plot.numpy(), distances < limits)


def test_states_are_averaged_over_equal_parts():
    means = np.array([[row[start:stop].mean() for start, stop in ((0, 13), (13, 26), (26, 40))] for row in X])
    plot = recurrence_plot(torch.from_numpy(X), 3)
    np.testing.assert_allclose(plot.numpy(), RecurrencePlot().transform(means), atol=1e-12)
    x = torch.tensor([0.0, 2, 4, 6, 8])  # states (0, 4), (2, 6), (4, 8); averaged (0, 4) and (3, 7)
    torch.testing.assert_close(recurrence_plot(x, 2, 2, 2), torch.tensor([[0, 18**0.5], [18**0.5, 0]]))


@pytest.mark.parametrize(('size', 'dimension'), [(10, 1), (13, 1), (7, 3)])
def test_a_large_constant_costs_no_precision(size, dimension):
    x = torch.from_numpy(np.round(64 * X) / 64).float()
    assert torch.equal(recurrence_plot(x + 2**16, size, dimension), recurrence_plot(x, size, dimension))


def test_a_distance_is_not_rounded_before_it_is_compared():
    x = torch.tensor([2.0**-30, 1.0])  # apart by less than 1, which is 1 in single precision
    assert recurrence_plot(x, threshold=1.0).all()


def test_shapes_and_limits():
    assert recurrence_plot(torch.ones(2, 3, 9), 4).shape == (2, 3, 4, 4)
    for threshold in (None, 'point', 'distance'):  # no distance of a constant is below 0
        assert not recurrence_plot(torch.ones(2, 9), 4, threshold=threshold).any()
    assert recurrence_plot(torch.ones(2, 9), 4, threshold=0.1).all()
    assert recurrence_plot(torch.ones(1, 1), threshold='point').tolist() == [[[0.0]]]
    assert recurrence_plot(torch.empty(0, 9), 4, threshold='distance').shape == (0, 4, 4)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            dict(image_size=7, dimension=2, delay=2),
            'image_size must be a whole number from 1 to the 6 samples of a series, got 7',
        ),
        (dict(dimension=0), 'dimension must be a whole number of at least 1, got 0'),
        (dict(delay=1.5), 'delay must be a whole number of at least 1, got 1.5'),
        (dict(dimension=5, delay=2), 'dimension=5 and delay=2 make states that span 9 samples; a series has 8'),
        (dict(threshold='points'), "threshold must be above 0 and finite, 'point' or 'distance', got 'points'"),
        (dict(threshold=0), "threshold must be above 0 and finite, 'point' or 'distance', got 0"),
        (dict(threshold=1.0, percentage=5), "percentage is of the thresholds 'point' and 'distance'; got threshold=1.0"),
        (dict(threshold=np.inf), "threshold must be above 0 and finite, 'point' or 'distance', got inf"),
        (dict(threshold='point', percentage=-0.5), 'percentage must be from 0 to 100, got -0.5'),
        (dict(threshold='point', percentage=101), 'percentage must be from 0 to 100, got 101'),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        recurrence_plot(torch.zeros(8), **arguments)
