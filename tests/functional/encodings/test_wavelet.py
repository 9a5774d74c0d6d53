"""Scalograms against PyWavelets, and by hand."""

import itertools
import re

import numpy as np
import pytest
import pywt
import torch

from mmkd_plugin.functional import scalogram
from mmkd_plugin.functional.encodings import wavelet as module
from mmkd_plugin.functional.encodings.wavelet import centre_frequency

X = np.random.default_rng(0).standard_normal((6, 101)) + 2
SCALES = [0.1, 0.7, 1, 1.37, 2, 5.5, 12, 31.4, 150]  # the last one's wavelet is longer than the series


@pytest.mark.parametrize('wavelet', ['morl', 'mexh', 'cmor1.5-1.0', 'cmor2.5-0.7'])
def test_equality_with_pywavelets(wavelet, monkeypatch):
    peer = np.abs(pywt.cwt(X, SCALES, wavelet)[0]).transpose(1, 0, 2)
    x = torch.from_numpy(X)
    np.testing.assert_allclose(scalogram(x, SCALES, wavelet).numpy(), peer, rtol=0, atol=1e-12 * peer.max())
    single = scalogram(x.float(), SCALES, wavelet)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), peer, rtol=0, atol=1e-6 * peer.max())
    monkeypatch.setattr(module, 'CACHED', 1)  # series by series
    np.testing.assert_allclose(scalogram(x, SCALES, wavelet).numpy(), peer, rtol=0, atol=1e-12 * peer.max())
    traced = torch.jit.trace(lambda x: scalogram(x, SCALES, wavelet), x[:2], check_trace=False)
    np.testing.assert_allclose(traced(x).numpy(), peer, rtol=0, atol=1e-12 * peer.max())


@pytest.mark.parametrize('wavelet', ['morl', 'mexh', 'cmor1.5-1.0'])
def test_a_sine_is_highest_at_the_scale_of_its_frequency(wavelet):
    t, scales = torch.arange(2000.0), np.geomspace(5, 80, 121)
    image = scalogram(torch.sin(2 * torch.pi * 0.02 * t), scales, wavelet, image_size=20)
    best = scales[image[:, 10].argmax()]
    # Magnitudes grow with the root of the scale, so that the highest one is at a scale that is a little larger.
    assert centre_frequency(wavelet) / best == pytest.approx(0.02, rel=0.03 if wavelet != 'mexh' else 0.15)


def test_powers_are_averaged_over_equal_parts():
    x = torch.from_numpy(X)
    whole, parts = scalogram(x, SCALES), scalogram(x, SCALES, image_size=3)
    bounds = [0, 33, 67, 101]
    expected = [whole[..., a:b].square().mean(-1).sqrt() for a, b in itertools.pairwise(bounds)]
    torch.testing.assert_close(parts, torch.stack(expected, -1))
    decibels = scalogram(x, SCALES, image_size=3, floor=0.5)
    torch.testing.assert_close(decibels, 10 * torch.log10(1 + parts**2 / 0.5))


def test_a_scale_far_beyond_the_window_costs_no_more_than_a_small_one():
    image = scalogram(torch.ones(1, 20), [1e9, 2.0**40])  # one step each of the table is 16 million samples and more
    assert image.isfinite().all()


def test_shapes_and_limits():
    assert scalogram(torch.ones(2, 3, 20), [1.0, 2], image_size=5).shape == (2, 3, 2, 5)
    assert scalogram(torch.ones(1, 1), [1.0, 2]).isfinite().all()
    assert scalogram(torch.empty(0, 20), [1.0, 2]).shape == (0, 2, 20)
    assert scalogram(torch.ones(1, 20), [1 / 16]).shape == (1, 1, 20)
    assert not scalogram(torch.zeros(2, 20), [1.0], floor=1e-3).any()
    half = scalogram(torch.full((1, 20), 6e4, dtype=torch.float16), [1.0, 64.0])
    assert half.dtype == torch.float32
    assert half.isfinite().all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(scales=[]), 'scales must hold at least one scale, got none'),
        (dict(scales=[1, 0.01]), 'scales must be from 1/16 of a sample to 1,099,511,627,776 samples, got 0.01'),
        (dict(scales=[0.0624]), 'scales must be from 1/16 of a sample to 1,099,511,627,776 samples, got 0.0624'),
        (
            dict(wavelet='cmor1.5'),
            "wavelet must be 'morl', 'mexh' or 'cmorB-C' with numbers above 0, as 'cmor1.5-1.0'; got 'cmor1.5'",
        ),
        (
            dict(wavelet='cmor0-1'),
            "wavelet must be 'morl', 'mexh' or 'cmorB-C' with numbers above 0, as 'cmor1.5-1.0'; got 'cmor0-1'",
        ),
        (dict(image_size=0), 'image_size must be a whole number from 1 to the 8 samples of a series, got 0'),
        (dict(floor=-1), 'floor must be above 0 and finite, got -1'),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        scalogram(torch.zeros(8), **{'scales': [1.0], **arguments})
