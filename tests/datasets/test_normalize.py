import numpy as np
import pytest

from mmkd_plugin.datasets.transforms.normalize import NormalizeSignal


def sample(signal, **more):
    return dict(signal=np.array(signal, dtype=np.float32), **more)


def test_a_fixed_range_becomes_zero_to_one_and_needs_no_statistics():
    done = NormalizeSignal(method='minmax', low=[0, -10], high=[200, 10]).transform(sample([[50, 100], [-10, 15]], label=3))
    assert done['signal'].tolist() == [[0.25, 0.5], [0, 1.25]]  # what lies outside of the range stays outside
    assert (done['signal'].dtype, done['label']) == (np.float32, 3)


def test_the_fixed_form_equals_the_fitted_one_of_the_same_range():
    signal = np.random.default_rng(0).normal(size=(3, 20))
    low, high = (limit.astype(np.float32) for limit in (signal.min(1), signal.max(1)))
    fixed = NormalizeSignal('minmax', low.tolist(), high.tolist()).transform(sample(signal))
    fitted = NormalizeSignal('minmax').transform(sample(signal, statistics=dict(min=low, max=high)))
    np.testing.assert_array_equal(fixed['signal'], fitted['signal'])
    other = sample(signal, statistics=dict(min=low - 5, max=high + 5))
    np.testing.assert_array_equal(NormalizeSignal('minmax', low, high).transform(other)['signal'], fixed['signal'])


def test_ranges_that_cannot_be_are_said():
    for wrong in (dict(method='minmax', low=[0]), dict(method='minmax', high=[0]), dict(low=[0], high=[1])):
        with pytest.raises(ValueError, match=r"low and high are given together, and for method='minmax'; got low=.*, high="):
            NormalizeSignal(**wrong)
    for low, high in (([0, 1], [1, 1]), ([0, 0], [1]), (0, 1), ([0], [float('nan')])):
        with pytest.raises(ValueError, match='lists of one number for each channel, low below high; got low='):
            NormalizeSignal('minmax', low, high)
    with pytest.raises(ValueError, match='NormalizeSignal has low and high for 2 channels; the sample has 3'):
        NormalizeSignal('minmax', [0, 0], [1, 1]).transform(sample(np.zeros((3, 4))))
