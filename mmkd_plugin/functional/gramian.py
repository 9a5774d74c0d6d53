"""Gramian angular fields: a series becomes the image of the cosines of sums of its angles."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

__all__ = ['gramian_angular_field']

LARGEST = 1e300  # sums of differences of smaller values stay in the range of float64
FLAT = 10 * np.finfo(np.float64).eps  # pyts calls a series constant that spans less, in the unit of x


def gramian_angular_field(
    x: ArrayLike,
    image_size: int,
    method: str = 'summation',
    sample_range: tuple[float, float] | None = (-1, 1),
) -> NDArray:
    """Gramian angular field of every series, equal to that of pyts.

    Wang & Oates, AAAI workshop 2015, section 2.1. In order: the mean over each of S equal parts (part i covers the samples from
    ``int(i·T/S)`` to ``int((i+1)·T/S)``), scaling of each series by its own minimum and maximum, then cos(a + b) or sin(a − b)
    with a, b the arc cosines of two values. A constant series is scaled to the lower end of the range, as pyts does;
    constant is what spans less than 2.2e-15 after averaging, in the unit of x.

    One departure: each series is averaged as its differences from its first sample. pyts averages the values, and where a
    constant is averaged over parts of unequal length and is large enough, it stretches the rounding to a picture.

    Args:
        x (ArrayLike): Series ``(..., T)``, finite.
        image_size (int): S, from 1 to T pixels.
        method (str): 'summation' or 'difference'.
        sample_range (tuple[float, float], optional): Ends of the range, within [−1, 1]. None leaves the values as they are;
            their averages must then lie in [−1, 1], and what exceeds it by up to 1e-9 is rounding and is clipped.

    Returns:
        ndarray: Images ``(..., S, S)``, float32 for float32 input and else float64; computed in float64.

    Raises:
        ValueError: A value is NaN, infinite or beyond ±1e300, or outside [−1, 1] where it must not be, x is not real, or an
            argument is out of range.
    """
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f'x must have shape (..., T) with T at least 1, got {x.shape}')
    length = x.shape[-1]
    if not isinstance(image_size, Integral) or not 1 <= image_size <= length:
        raise ValueError(f'image_size must be a whole number from 1 to the {length} samples of a series, got {image_size}')
    if method not in ('summation', 'difference'):
        raise ValueError(f"method must be 'summation' or 'difference', got {method!r}")
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    series = as_series(x, LARGEST)  # (N, T)

    bounds = np.linspace(0, length, image_size + 1).astype(np.int64)
    start = series[:, :1]
    parts = np.add.reduceat(series - start, bounds[:-1], axis=1) / np.diff(bounds)  # (N, S)
    cosine = _within(parts + start) if sample_range is None else _scale(parts, sample_range)
    sine = np.sqrt(np.clip(1 - cosine**2, 0, 1))  # (N, S)
    image = np.empty((len(series), image_size, image_size), dtype)
    _outer(cosine, sine, method == 'summation', image)
    return image.reshape(*x.shape[:-1], image_size, image_size)


def as_series(x: NDArray, largest: float = np.inf) -> NDArray:
    """Flatten the leading axes, in float64, and refuse what is no number by its index.

    Args:
        x (ndarray): ``(..., T)``.
        largest (float): The largest magnitude that is allowed. The default lets infinities pass, but not NaN.

    Returns:
        ndarray: ``(N, T)``, contiguous; not always a copy.

    Raises:
        ValueError: x is not real, or has such a value.
    """
    if x.dtype.kind not in 'biuf':
        raise ValueError(f'x must hold real numbers, got an array of {x.dtype}')
    series = np.ascontiguousarray(x, dtype=np.float64).reshape(np.prod(x.shape[:-1], dtype=int), x.shape[-1])
    bad = ~(np.abs(series) <= largest)  # NaN compares as false
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad.reshape(x.shape))[0])
        limits = 'not NaN' if largest == np.inf else f'finite and within ±{largest:g}'
        raise ValueError(f'x{list(index)} is {x[index]}: sample {index[-1]} at leading index {index[:-1]}; must be {limits}')
    return series


def _within(parts: NDArray) -> NDArray:
    """The values as they are, if they are cosines."""
    if (np.abs(parts) > 1 + 1e-9).any():
        raise ValueError(f'with sample_range=None values must lie in [-1, 1], got {parts.min():g} to {parts.max():g}')
    return np.clip(parts, -1, 1)


def _scale(parts: NDArray, sample_range: tuple[float, float]) -> NDArray:
    """Min–max scaling of each row."""
    low, high = sample_range
    if not -1 <= low < high <= 1:
        raise ValueError(f'sample_range must satisfy -1 <= low < high <= 1, got {sample_range}')
    bottom, top = parts.min(1, keepdims=True), parts.max(1, keepdims=True)
    span = top - bottom
    share = np.divide(parts - bottom, span, out=np.zeros_like(parts), where=span >= FLAT)
    return np.clip(low + share * (high - low), low, high)


@njit(cache=True, nogil=True)
def _outer(cosine, sine, summation, image):
    """cos(a+b) = cos a cos b − sin a sin b, or sin(a−b) = sin a cos b − cos a sin b."""
    n, size = cosine.shape
    for k in range(n):
        for i in range(size):
            for j in range(size):
                if summation:
                    image[k, i, j] = cosine[k, i] * cosine[k, j] - sine[k, i] * sine[k, j]
                else:
                    image[k, i, j] = sine[k, i] * cosine[k, j] - cosine[k, i] * sine[k, j]
