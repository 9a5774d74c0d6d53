"""Markov transition fields against pyts, and by hand."""

import re
import warnings

import numpy as np
import pytest
import torch
from pyts.image import MarkovTransitionField

from mmkd_plugin.functional import markov_transition_field


def series(n=20, length=50, seed=0):
    return np.random.default_rng(seed).standard_normal((n, length))


def with_ties(length=50):
    """Plateaus, two values, a constant, and values that are nearly one."""
    t = np.arange(length)
    rows = [np.round(2 * row) / 2 for row in series(8, length)]
    return np.array([*rows, t % 2, np.full(length, -3.5), t // 10, 1e-9 * series(1, length)[0], 1e6 + t % 3])


@pytest.mark.parametrize('x', [series(), with_ties()], ids=['noise', 'ties'])
@pytest.mark.parametrize('strategy', ['quantile', 'uniform', 'normal'])
@pytest.mark.parametrize(('size', 'bins'), [(50, 8), (25, 5), (16, 8), (1, 2)])
def test_equality_with_pyts(x, strategy, size, bins):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # bins that are one
        peer = MarkovTransitionField(size, bins, strategy).transform(x)
    field = markov_transition_field(torch.from_numpy(x), size, bins, strategy)
    np.testing.assert_allclose(field.numpy(), peer, rtol=0, atol=1e-12)
    single = markov_transition_field(torch.from_numpy(x.astype(np.float32)), size, bins, strategy)
    assert single.dtype == torch.float32
    rounded = MarkovTransitionField(size, bins, strategy)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        np.testing.assert_allclose(single.numpy(), rounded.transform(x.astype(np.float32)), rtol=0, atol=1e-6)


def test_a_field_by_hand():
    """Bins a, b: a goes to b always, b to a once in two times, and to b once."""
    x = torch.tensor([0.0, 1, 1, 0, 1])
    a, b = [0, 1], [0.5, 0.5]
    expected = torch.tensor([[row[k] for k in (0, 1, 1, 0, 1)] for row in (a, b, b, a, b)])
    torch.testing.assert_close(markov_transition_field(x, 5, bins=2, strategy='uniform'), expected)
    torch.testing.assert_close(markov_transition_field(x, 1, bins=2, strategy='uniform')[0, 0], expected.mean())


def test_bins_of_all_windows_keep_the_amplitude():
    wave = torch.sin(torch.linspace(0, 12, 60)).expand(2, 60) * torch.tensor([[1.0], [0.125]])
    scale = (float(wave[0].min()), float(wave[0].max()))
    own, fixed = (markov_transition_field(wave, 30, 6, 'uniform', limits) for limits in (None, scale))
    torch.testing.assert_close(own[0], own[1])
    assert (fixed[0] - fixed[1]).abs().max() > 0.5
    torch.testing.assert_close(fixed[0], own[0])  # whose own range is that
    beyond = markov_transition_field(torch.tensor([-9.0, -9, 9, 9]), 4, 6, 'uniform', (-1, 1))
    torch.testing.assert_close(beyond, markov_transition_field(torch.tensor([-1.0, -1, 1, 1]), 4, 6, 'uniform', (-1, 1)))


def test_shapes_and_limits():
    assert markov_transition_field(torch.ones(2, 3, 9), 4).shape == (2, 3, 4, 4)
    assert (markov_transition_field(torch.ones(2, 9), 4) == 1).all()
    assert markov_transition_field(torch.ones(1, 1), 1).tolist() == [[[0.0]]]  # no transition
    assert markov_transition_field(torch.empty(0, 9), 4).shape == (0, 4, 4)
    half = markov_transition_field(torch.from_numpy(series()).half(), 16)
    assert half.dtype == torch.float32
    assert 0 <= half.min() <= half.max() <= 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(image_size=9), 'image_size must be a whole number from 1 to the 8 samples of a series, got 9'),
        (dict(bins=1), 'bins must be a whole number of at least 2, got 1'),
        (dict(strategy='kmeans'), "strategy must be 'quantile', 'uniform' or 'normal', got 'kmeans'"),
        (dict(scale=(-3, 3)), "scale is of bins of equal width, strategy='uniform'; got strategy='quantile'"),
        (dict(strategy='uniform', scale=(3, 3)), 'scale must go from low to high and be finite, got (3, 3)'),
        (dict(strategy='uniform', scale=(3, -3)), 'scale must go from low to high and be finite, got (3, -3)'),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        markov_transition_field(torch.zeros(8), **{'image_size': 4, **arguments})
