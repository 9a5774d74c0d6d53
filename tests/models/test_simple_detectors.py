import numpy as np
import pytest
import torch

from mmkd_plugin.functional import channel_summary
from mmkd_plugin.models import NearestWindows, PrincipalComponents


def test_five_numbers_of_each_channel_by_hand():
    windows = torch.tensor([[[0.0, 2, 4], [5, 5, 5]]])
    expected = torch.tensor([[2, 5, (8 / 3) ** 0.5, 0, 0, 5, 4, 5, 2, 0]])
    torch.testing.assert_close(channel_summary(windows), expected)


def test_the_distance_to_the_nearest_training_windows_by_hand():
    training = torch.tensor([[0.0, 0], [3, 4], [100, 0]])[:, None]  # one channel of two samples
    detector = NearestWindows(k=2)
    detector.fit(training)
    # To (0, 0) from the first two training windows 0 and 5; to (3, 0) from the same 3 and 4.
    assert detector.score(torch.tensor([[[0.0, 0]], [[3, 0]]])).tolist() == [2.5, 3.5]
    every = NearestWindows(k=99)  # as many as there are
    every.fit(training[:2])
    assert every.score(torch.zeros(1, 1, 2)).tolist() == [2.5]


def test_reconstruction_keeps_the_directions_that_explain_the_share_of_the_variance():
    training, windows = torch.randn(40, 2, 3) * torch.tensor([9.0, 3, 1]), torch.randn(5, 2, 3)
    detector = PrincipalComponents(variance=0.8)
    detector.fit(training)
    flat = training.flatten(1).double().numpy()
    _, values, directions = np.linalg.svd(flat - flat.mean(0))
    kept = int(np.searchsorted(np.cumsum(values**2) / np.sum(values**2), 0.8)) + 1
    rest = (windows.flatten(1).double().numpy() - flat.mean(0)) @ directions[kept:].T
    np.testing.assert_allclose(detector.score(windows), (rest**2).sum(1) / 6, rtol=1e-5)


@pytest.mark.parametrize('kind', [NearestWindows, PrincipalComponents])
def test_a_summary_does_not_ask_for_the_unit_of_a_channel(kind):
    training, windows = torch.randn(20, 2, 8), torch.randn(4, 2, 8)
    training[:, 1, :] = windows[:, 1, :] = 1  # a sensor that stands still
    unit = torch.tensor([[1000.0], [1]])
    scores = []
    for factor in (1, unit):
        detector = kind(features='summary')
        detector.fit(training * factor)
        scores.append(detector.score(windows * factor))
    torch.testing.assert_close(*scores, rtol=1e-4, atol=1e-6)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="features must be one of windows, summary; got 'mean'"):
        NearestWindows(features='mean')
    with pytest.raises(ValueError, match='k must be a number of neighbours from 1, got 0'):
        NearestWindows(k=0)
    with pytest.raises(ValueError, match='variance must be a share between 0 and 1, got 1'):
        PrincipalComponents(variance=1)
    with pytest.raises(RuntimeError, match='PrincipalComponents has no training windows to score by; calibrate the detector'):
        PrincipalComponents().score(torch.zeros(1, 1, 2))
