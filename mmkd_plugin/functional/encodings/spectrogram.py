"""Spectrograms: images of the amplitudes of frequencies over time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from numbers import Integral

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..precision import in_full_precision
from .gramian import check_series

__all__ = ['check_floor', 'check_segments', 'level', 'spectrogram']

WINDOWS: dict[str, Callable[..., Tensor]] = {
    'hann': torch.hann_window,
    'hamming': torch.hamming_window,
    'blackman': torch.blackman_window,
    'boxcar': torch.ones,
}


@in_full_precision
def spectrogram(x: Tensor, segment: int, hop: int, window: str = 'hann', floor: float | None = None) -> Tensor:
    r"""Return the magnitude of the short-time Fourier transform of every series, equal to that of torch and scipy.

    It is ``torch.stft(x, segment, hop, window=w, return_complex=True).abs() / w.sum()``, and ``scipy.signal.stft`` with
    ``boundary='even'`` and ``padded=False``: segments are centred at every ``hop``-th sample, the series being reflected at its
    ends, and the window's sum divides, so that a sine of amplitude A is A / 2 at its frequency, whatever the segment. Segments
    are short: a convolution with the transform's rows is faster than fast transforms, and goes into graphs for export.

    Args:
        x (Tensor): Series ``(..., T)``, real and finite; not checked, because a check would wait for the device.
        segment (int): Samples n of a segment.
        hop (int): Samples from one segment to the next.
        window (str): 'hann', 'hamming', 'blackman' or 'boxcar', periodic.
        floor (float, optional): Power from which decibels are counted: pixels are ``10 · log10(1 + magnitude² / floor)``
            then, and differences far below do not show.

    Returns:
        Tensor: ``(..., n // 2 + 1, columns)`` with 1 + T // hop columns for an even n, the frequency 0 first; float32, or
        float64 for x of double precision.

    Raises:
        ValueError: x has no axis of time or is not of a floating-point dtype, or an argument is out of range.
    """
    check_series(x)
    check_segments(segment, hop, window)
    check_floor(floor)
    length = int(x.shape[-1])
    places, filters = (torch.from_numpy(constant).to(x.device) for constant in _transform(length, segment, window))
    series = x if x.device.type == 'cpu' else x.double()  # accelerators may round the products of single precision
    reflected = series.reshape(-1, 1, length).index_select(2, places)
    real, imaginary = F.conv1d(reflected, filters.to(series), stride=hop).chunk(2, 1)
    image = level(real.square() + imaginary.square(), floor).to(x.dtype)  # (n, F, columns)
    return image.reshape(*x.shape[:-1], *image.shape[1:])


def check_segments(segment: int, hop: int, window: str) -> None:
    """Check the arguments of a spectrogram.

    Raises:
        ValueError: An argument is out of range.
    """
    for name, value in dict(segment=segment, hop=hop).items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f'{name} must be a whole number of at least 1, got {value}')
    if window not in WINDOWS:
        raise ValueError(f'window must be one of {", ".join(WINDOWS)}, got {window!r}')


def level(power: Tensor, floor: float | None) -> Tensor:
    """Return the magnitude of what has this power or, with a floor, decibels above it: ``10 · log10(1 + power / floor)``.

    Args:
        power (Tensor): Squared magnitude, of any shape.
        floor (float, optional): What has this power is at 3 dB.

    Returns:
        Tensor: As power.
    """
    return power.sqrt() if floor is None else torch.log1p(power / floor) * (10 / np.log(10))


def check_floor(floor: float | None) -> None:
    """Check the power from which decibels are counted.

    Raises:
        ValueError: The value is out of range.
    """
    if floor is not None and not 0 < floor < np.inf:
        raise ValueError(f'floor must be above 0 and finite, got {floor}')


@lru_cache(maxsize=16)
def _transform(length: int, segment: int, window: str) -> tuple[NDArray, NDArray]:
    """Return the samples of the reflected series, and the filters ``(2F, 1, segment)``: real and imaginary part."""
    places = np.pad(np.arange(length), segment // 2, mode='reflect' if length > 1 else 'edge')
    weights = WINDOWS[window](segment, dtype=torch.float64).numpy()
    angle = 2 * np.pi * np.outer(np.arange(segment // 2 + 1), np.arange(segment)) / segment  # (F, segment)
    return places, (np.concatenate([np.cos(angle), np.sin(angle)]) * (weights / weights.sum()))[:, None]
