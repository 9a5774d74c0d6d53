"""Spectrograms against torch and scipy, and by hand."""

import re

import numpy as np
import pytest
import scipy.signal
import torch

from mmkd_plugin.functional import spectrogram

X = np.random.default_rng(0).standard_normal((20, 128))


@pytest.mark.parametrize('window', ['hann', 'hamming', 'blackman', 'boxcar'])
@pytest.mark.parametrize(('segment', 'hop'), [(62, 4), (63, 3), (16, 16), (128, 7)])
def test_equality_with_torch_and_scipy(segment, hop, window):
    x = torch.from_numpy(X)
    image = spectrogram(x, segment, hop, window)
    weights = torch.from_numpy(scipy.signal.get_window(window, segment))
    peer = torch.stft(x, segment, hop, window=weights, return_complex=True).abs() / weights.sum()
    torch.testing.assert_close(image, peer, rtol=0, atol=1e-13)
    single = spectrogram(x.float(), segment, hop, window)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), peer, rtol=0, atol=1e-6)
    *_, other = scipy.signal.stft(X, 1.0, window, segment, segment - hop, boundary='even', padded=False)
    np.testing.assert_allclose(image.numpy(), np.abs(other), atol=1e-13)


def test_a_sine_is_half_its_amplitude_at_its_frequency():
    t = torch.arange(200)
    image = spectrogram(3 * torch.sin(2 * torch.pi * t * 5 / 40), 40, 10)
    middle = image[:, 10]
    assert middle.argmax() == 5
    torch.testing.assert_close(middle[5], torch.tensor(1.5))
    decibels = spectrogram(3 * torch.sin(2 * torch.pi * t * 5 / 40), 40, 10, floor=2.25)
    torch.testing.assert_close(decibels[5, 10], torch.tensor(10 * np.log10(2), dtype=torch.float32))
    torch.testing.assert_close(decibels, 10 * torch.log10(1 + image**2 / 2.25))


def test_shapes_and_limits():
    assert spectrogram(torch.ones(2, 3, 20), 8, 4).shape == (2, 3, 5, 6)
    short = spectrogram(torch.arange(3.0), 8, 1, 'boxcar')  # reflected again and again, 0 1 2 1 0 1 2 1, where torch refuses
    torch.testing.assert_close(short[[0, 2]], torch.tensor([[1.0] * 4, [0.5] * 4]))
    two = spectrogram(torch.arange(2.0), 4, 1, 'boxcar')  # 0 1 0 1 0 1
    torch.testing.assert_close(two[[0, 2]], torch.full((2, 3), 0.5))
    assert spectrogram(torch.full((1, 1), 5.0), 3, 1)[0, 0, 0] == 5
    assert not spectrogram(torch.zeros(2, 20), 8, 4, floor=1e-3).any()
    half = spectrogram(torch.full((1, 20), 6e4, dtype=torch.float16), 8, 4, floor=1e-3)
    assert half.dtype == torch.float32
    assert half.isfinite().all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(segment=0), 'segment must be a whole number of at least 1, got 0'),
        (dict(hop=2.5), 'hop must be a whole number of at least 1, got 2.5'),
        (dict(window='han'), "window must be one of hann, hamming, blackman, boxcar, got 'han'"),
        (dict(floor=np.inf), 'floor must be above 0 and finite, got inf'),
        (dict(floor=0), 'floor must be above 0 and finite, got 0'),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        spectrogram(torch.zeros(8), **{'segment': 4, 'hop': 2, **arguments})
