"""Scalograms: images of a continuous wavelet transform."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..precision import in_full_precision
from .gramian import check_series
from .parts import average_matrix, check_image_size
from .spectrogram import check_floor, level

__all__ = ['centre_frequency', 'check_wavelet', 'scalogram']

TABLE = 2**12  # values of the wavelet that is read at each scale, as in PyWavelets with its usual precision
BOUND = 8.0  # from the centre to the ends of the table
LONGEST = 2**40  # scale in samples; steps are counted exactly
CACHED = 2**18  # elements of the arrays that are made of a part of the series, so that they stay in the cache of a processor
LARGEST = 2**26  # likewise on an accelerator, of its memory
CENTRES = {'morl': 5 / (2 * np.pi), 'mexh': np.sqrt(2) / (2 * np.pi)}  # of the wavelets without parameters
NUMBER = r'(\d+\.?\d*)'


@in_full_precision
def scalogram(
    x: Tensor, scales: Sequence[float], wavelet: str = 'cmor1.5-1.0', image_size: int | None = None, floor: float | None = None
) -> Tensor:
    r"""Return the magnitude of the continuous wavelet transform of every series, equal to that of PyWavelets.

    It is ``abs(pywt.cwt(x, scales, wavelet)[0])``, where series are 0 beyond their ends; all scales at once, by fast Fourier
    transforms. The power may be averaged over S equal parts of the time; the image is its root then.

    Args:
        x (Tensor): Series ``(..., T)``, real and finite; not checked, because a check would wait for the device.
        scales (Sequence[float]): R scales in samples, at least 1/16.
        wavelet (str): 'morl', 'mexh', or 'cmorB-C', the complex Morlet wavelet of bandwidth B and centre frequency C.
        image_size (int, optional): S columns, from 1 to T, which is the default.
        floor (float, optional): See :func:`~mmkd_plugin.functional.spectrogram`.

    Returns:
        Tensor: ``(..., R, S)``, a row for each scale; float32, or float64 for x of double precision.

    Raises:
        ValueError: x has no axis of time or is not of a floating-point dtype, or an argument is out of range.
    """
    check_series(x)
    length = int(x.shape[-1])
    size = length if image_size is None else image_size
    check_image_size(size, length)
    check_wavelet(scales, wavelet)
    check_floor(floor)
    filters = _filters(length, tuple(map(float, scales)), wavelet)  # (1 or 2, R, 2T)
    series = x.reshape(-1, length)
    power = _powers(series, filters, size)  # (n, R, S)
    return level(power, floor).reshape(*x.shape[:-1], len(scales), size)


def centre_frequency(wavelet: str) -> float:
    """Return the frequency at which a wavelet's spectrum is highest, in periods per sample at scale 1.

    Args:
        wavelet (str): See :func:`scalogram`.

    Raises:
        ValueError: The wavelet is unknown.
    """
    return CENTRES[wavelet] if wavelet in CENTRES else _complex_morlet(wavelet)[1]


def check_wavelet(scales: Sequence[float], wavelet: str) -> None:
    """Check the arguments of a scalogram.

    Raises:
        ValueError: The wavelet is unknown, there is no scale, or one is out of range.
    """
    centre_frequency(wavelet)
    if len(scales) == 0:
        raise ValueError('scales must hold at least one scale, got none')
    wrong = [scale for scale in scales if not 1 / (2 * BOUND) <= scale <= LONGEST]
    if wrong:
        raise ValueError(f'scales must be from 1/16 of a sample to {LONGEST:,} samples, got {wrong[0]}')


def _powers(series: Tensor, filters: NDArray, size: int) -> Tensor:
    """Return the power of series ``(n, T)`` after every filter, averaged over S parts of the time: ``(n, R, S)``."""
    parts, rows, period = filters.shape
    length = int(series.shape[1])
    average = torch.from_numpy(average_matrix(length, size)).to(series)
    if torch.jit.is_tracing():  # Fourier transforms have no place in an exported graph
        in_time = np.roll(filters, length - 1, -1)[..., -2::-1].copy()  # from lag T − 1 to lag 1 − T
        weights = torch.from_numpy(in_time).to(series).reshape(parts * rows, 1, -1)
        coefficients = F.conv1d(series[:, None], weights, padding=length - 1).unflatten(1, (parts, rows))
        return coefficients.square().sum(1) @ average
    if not len(series):
        return series.new_zeros(0, rows, size)
    bank = torch.fft.rfft(torch.from_numpy(filters).to(series))  # (1 or 2, R, T + 1)
    powers = []
    elements = CACHED if series.device.type == 'cpu' else LARGEST
    for part in series.split(max(1, elements // (parts * rows * period))):
        spectrum = torch.fft.rfft(part, period)[:, None, None]  # (n, 1, 1, T + 1)
        coefficients = torch.fft.irfft(spectrum * bank, period)[..., :length]
        powers.append(coefficients.square().sum(1) @ average)
    return torch.cat(powers)


@lru_cache(maxsize=16)
def _filters(length: int, scales: tuple[float, ...], wavelet: str) -> NDArray:
    """Return the filter of every scale, lags 0 to T − 1, 0, and lags 1 − T to −1: real and, if there is one, imaginary part.

    The wavelet's integral is read from a table at the scale's steps, and the differences of what has been read are the filter,
    as in PyWavelets; so the filters of small scales are not sampled wavelets, whose mean would not be 0.
    """
    x = np.linspace(-BOUND, BOUND, TABLE)
    integral = np.conj(np.cumsum(_wavelet(wavelet, x)) * (x[1] - x[0]))
    lags = np.concatenate([np.arange(length), [-length], np.arange(1 - length, 0)])
    filters = np.zeros((len(scales), 2 * length), integral.dtype)
    for row, scale in zip(filters, scales):  # of K steps only those are read that a window sees: K may be far above T
        last = math.ceil(scale * (x[-1] - x[0]) + 1) - 1
        while int(last / (scale * (x[1] - x[0]))) >= TABLE:
            last -= 1
        steps = last - (lags + (last - 1) // 2 + 1)  # backwards, of lags that begin at −K // 2
        value, before = (_read(integral, step, last, scale * (x[1] - x[0])) for step in (steps, steps + 1))
        row[:] = -np.sqrt(scale) * (value - before)
    filters[:, length] = 0  # which no output needs
    return np.stack([filters.real, filters.imag] if np.iscomplexobj(filters) else [filters])


def _read(integral: NDArray, steps: NDArray, last: int, width: float) -> NDArray:
    """Return the table's values at steps of a scale, and 0 beyond them."""
    inside = (steps >= 0) & (steps <= last)
    places = (np.where(inside, steps, 0) / width).astype(np.int64)
    return np.where(inside, integral[places], 0)


def _wavelet(name: str, x: NDArray) -> NDArray:
    """Return a wavelet at times x, in PyWavelets' normalisation."""
    if name == 'morl':
        return np.exp(-(x**2) / 2) * np.cos(5 * x)
    if name == 'mexh':
        return (1 - x**2) * np.exp(-(x**2) / 2) * 2 / (np.sqrt(3) * np.pi**0.25)
    bandwidth, centre = _complex_morlet(name)
    return np.exp(2j * np.pi * centre * x - x**2 / bandwidth) / np.sqrt(np.pi * bandwidth)


def _complex_morlet(wavelet: str) -> tuple[float, float]:
    """Return bandwidth and centre frequency of a complex Morlet wavelet."""
    match = re.fullmatch(rf'cmor{NUMBER}-{NUMBER}', wavelet)
    if not match or not all(float(number) > 0 for number in match.groups()):
        raise ValueError(f"wavelet must be 'morl', 'mexh' or 'cmorB-C' with numbers above 0, as 'cmor1.5-1.0'; got {wavelet!r}")
    return float(np.float32(match[1])), float(np.float32(match[2]))  # PyWavelets keeps them in single precision
