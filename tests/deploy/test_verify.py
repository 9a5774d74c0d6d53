"""Comparison of two networks on the same windows, by hand."""

import pytest
import torch
from mmpretrain.structures import DataSample

from mmkd_plugin.deploy.verify import compare
from mmkd_plugin.engine import Predictions


def predictions(*logits):
    logits = torch.tensor(logits)
    samples = tuple(DataSample() for _ in logits)
    names = tuple(f'w{index}' for index in range(len(logits)))
    return Predictions(logits, torch.zeros(len(logits)), names, samples, {'probabilities': logits.softmax(1)})


def test_differences_are_shares_of_the_largest_logit_and_of_probabilities_as_they_are():
    comparison = compare(predictions([10.0, 0.0], [0.0, 4.0]), predictions([10.0, 0.0], [0.0, 4.0005]), 'by hand', 1e-4)
    assert comparison.differences['logits'] == pytest.approx(5e-5, rel=1e-2)
    assert comparison.differences['probabilities'] == pytest.approx(9e-6, rel=0.1)
    assert (comparison.windows, comparison.agreement, comparison.worst) == (2, 1.0, None)
    assert comparison.fault(1e-4) is None


@pytest.mark.parametrize(
    ('logits', 'worst', 'agreement'),
    [
        ([0.0, 1.001], ('w1', 'logits'), 1.0),
        ([1.0, 0.0], ('w1', 'logits'), 0.5),
        ([float('nan'), 1.0], ('w1', 'logits'), None),
    ],
)
def test_the_first_window_that_differs_is_named(logits, worst, agreement):
    comparison = compare(predictions([1.0, 0.0], [0.0, 1.0]), predictions([1.0, 0.0], logits), 'by hand', 1e-4)
    assert comparison.worst == worst
    assert agreement is None or comparison.agreement == agreement
    assert 'window w1 is the first whose logits differ. Of 2 windows (by hand), ' in comparison.fault(1e-4)


def test_rounding_may_decide_between_two_classes_that_are_as_good():
    tie = compare(predictions([0.50001, 0.5]), predictions([0.5, 0.50001]), 'by hand', 1e-4)
    assert (tie.agreement, tie.worst) == (1.0, None)
    other = compare(predictions([0.51, 0.5]), predictions([0.5, 0.51]), 'by hand', 0.1)  # int8 may be so far, and is said
    assert (other.agreement, other.worst) == (0.0, ('w0', 'logits'))
