"""The views of frequencies over time: spectrograms and scalograms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mmkd_plugin.functional import scalogram, spectrogram
from mmkd_plugin.functional.encodings.spectrogram import check_floor, check_segments
from mmkd_plugin.functional.encodings.wavelet import centre_frequency, check_wavelet
from mmkd_plugin.registry import MODELS

from .base import USUAL, Encoder, Range, usual_size

__all__ = ['Scalogram', 'Spectrogram']


@MODELS.register_module()
class Spectrogram(Encoder):
    """Spectrogram of every channel: ``(N, C, T)`` to ``(N, C, segment // 2 + 1, S)``, amplitudes of frequencies over time.

    The magnitude of the short-time Fourier transform, as :func:`torch.stft` has it, over the window's sum. Amplitudes have the
    unit of the normalised signal.

    Args:
        segment (int, optional): Samples of a segment; 62 by default, for 32 rows, or all samples of windows that are shorter.
        hop (int, optional): Samples from one column to the next; by default T / 32, rounded, for about 32 columns.
        window (str): 'hann', 'hamming', 'blackman' or 'boxcar'.
        floor (float, optional): Power below which differences do not show, in the square of the signal's unit: pixels are
            decibels above it, ``10 · log10(1 + magnitude² / floor)``. By default they are magnitudes.

    Raises:
        ValueError: An argument is out of range.
    """

    title = 'Spectrogram'
    axes = ('time', 'frequency')

    def __init__(
        self, segment: int | None = None, hop: int | None = None, window: str = 'hann', floor: float | None = None
    ) -> None:
        super().__init__()
        check_segments(1 if segment is None else segment, 1 if hop is None else hop, window)
        check_floor(floor)
        self.segment, self.hop, self.window, self.floor = segment, hop, window, floor

    def ranges(self, seconds: float, rate: float) -> tuple[Range, Range]:
        """Return times in s and frequencies in Hz at the ends of the axes."""
        return (0.0, seconds), (0.0, rate / 2)

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, H, W)``."""
        length = int(signal.shape[-1])
        segment = min(2 * (USUAL - 1), length) if self.segment is None else self.segment
        hop = max(1, round(length / USUAL)) if self.hop is None else self.hop
        return spectrogram(signal.detach(), segment, hop, self.window, self.floor).to(signal)


@MODELS.register_module()
class Scalogram(Encoder):
    """Scalogram of every channel: ``(N, C, T)`` to ``(N, C, R, S)``, magnitudes of a continuous wavelet transform.

    The transform is that of PyWavelets, of the signal without the window's mean, which no wavelet sees and which would end in a
    step at both ends of the window. Powers are averaged over S parts of the time.

    Args:
        image_size (int, optional): S in pixels, at most T; 32 by default, or T in windows that are shorter.
        wavelet (str): 'morl', 'mexh', or 'cmorB-C', the complex Morlet wavelet of bandwidth B and centre frequency C.
        scales (Sequence[float], optional): R scales in samples; by default S of them with equal ratios, from that of half the
            rate to that of two periods in a window.
        floor (float, optional): See :class:`Spectrogram`.

    Raises:
        ValueError: An argument is out of range.
    """

    title = 'Scalogram'
    axes = ('time', 'log2 of frequency')
    lowest_first = False

    def __init__(
        self,
        image_size: int | None = None,
        wavelet: str = 'cmor1.5-1.0',
        scales: Sequence[float] | None = None,
        floor: float | None = None,
    ) -> None:
        super().__init__()
        check_wavelet([1.0] if scales is None else scales, wavelet)
        check_floor(floor)
        self.image_size, self.wavelet, self.scales, self.floor = image_size, wavelet, scales, floor

    def ranges(self, seconds: float, rate: float) -> tuple[Range, Range]:
        """Return times in s, and the logarithms of the frequencies in Hz, at the ends of the axes."""
        scales = self._scales(round(seconds * rate))
        lowest, highest = (rate * centre_frequency(self.wavelet) / scale for scale in (max(scales), min(scales)))
        return (0.0, seconds), (math.log2(lowest), math.log2(highest))

    def _scales(self, length: int) -> Sequence[float]:
        if self.scales is not None:
            return self.scales
        centre = centre_frequency(self.wavelet)
        size = min(USUAL, length) if self.image_size is None else self.image_size
        return np.geomspace(2 * centre, max(2, length / 2) * centre, size).tolist()

    def forward(self, signal: Tensor) -> Tensor:
        """Map ``(N, C, T)`` to ``(N, C, R, S)``."""
        x = signal.detach()
        x = x - x.mean(-1, keepdim=True)
        scales, size = self._scales(int(x.shape[-1])), usual_size(x, self.image_size)
        return scalogram(x, scales, self.wavelet, size, self.floor).to(signal)
