"""Gramian angular fields: a series becomes the image of the cosines of sums of its angles."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

__all__ = ['gramian_angular_field']


def gramian_angular_field(
    x: ArrayLike,
    image_size: int,
    method: str = 'summation',
    sample_range: tuple[float, float] | None = (-1, 1),
) -> NDArray:
    """Gramian angular field of every series, equal to that of pyts.

    Wang & Oates, AAAI workshop 2015, section 2.1. In order: the mean over each of S equal parts (part i covers the samples from
    ``int(i·T/S)`` to ``int((i+1)·T/S)``), scaling of each series by its own minimum and maximum, then cos(a + b) or sin(a − b)
    with a, b the arc cosines of two values. A constant series is scaled to the lower end of the range, as pyts does.

    Args:
        x (ArrayLike): Series ``(..., T)``, finite.
        image_size (int): S, from 1 to T pixels.
        method (str): 'summation' or 'difference'.
        sample_range (tuple[float, float], optional): Ends of the range, within [−1, 1]. None leaves the values as they are,
            which must then lie in [−1, 1].

    Returns:
        ndarray: Images ``(..., S, S)``, float32 for float32 input and else float64; computed in float64.

    Raises:
        ValueError: A value is NaN or infinite, or outside [−1, 1] where it must not be, or an argument is out of range.
    """
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f'x must have shape (..., T) with T at least 1, got {x.shape}')
    length = x.shape[-1]
    if not 1 <= image_size <= length:
        raise ValueError(f'image_size must be from 1 to the {length} samples of a series, got {image_size}')
    if method not in ('summation', 'difference'):
        raise ValueError(f"method must be 'summation' or 'difference', got {method!r}")
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    series = np.ascontiguousarray(x.reshape(-1, length), dtype=np.float64)
    check_finite(series, x.shape[:-1])

    bounds = np.linspace(0, length, image_size + 1).astype(np.int64)
    parts = np.add.reduceat(series, bounds[:-1], axis=1) / np.diff(bounds)  # (N, S)
    cosine = _scale(parts, sample_range)
    sine = np.sqrt(np.clip(1 - cosine**2, 0, 1))  # (N, S)
    image = np.empty((len(series), image_size, image_size), dtype)
    _outer(cosine, sine, method == 'summation', image)
    return image.reshape(*x.shape[:-1], image_size, image_size)


def check_finite(series: NDArray, leading: tuple[int, ...], infinite_too: bool = True) -> None:
    """Refuse NaN, and infinity unless told otherwise, by the index of the first series that has it.

    Args:
        series (ndarray): ``(N, T)``.
        leading (tuple[int, ...]): The axes that were flattened to N, for the message.
        infinite_too (bool): Refuse infinities as well.

    Raises:
        ValueError: There is such a value.
    """
    bad = ~np.isfinite(series) if infinite_too else np.isnan(series)
    if bad.any():
        first, sample = np.argwhere(bad)[0]
        index = tuple(int(i) for i in np.unravel_index(first, leading)) if leading else ()
        value = series[first, sample]
        raise ValueError(f'series {index} of x{list(leading)} has {value} at sample {sample}; values must be finite numbers')


def _scale(parts: NDArray, sample_range: tuple[float, float] | None) -> NDArray:
    """Min–max scaling of each row, or none."""
    if sample_range is None:
        if np.abs(parts).max() > 1 + 1e-9:
            raise ValueError(f'with sample_range=None values must lie in [-1, 1], got {parts.min():g} to {parts.max():g}')
        return np.clip(parts, -1, 1)
    low, high = sample_range
    if not -1 <= low < high <= 1:
        raise ValueError(f'sample_range must satisfy -1 <= low < high <= 1, got {sample_range}')
    bottom, top = parts.min(1, keepdims=True), parts.max(1, keepdims=True)
    span = top - bottom
    share = np.divide(parts - bottom, span, out=np.zeros_like(parts), where=span > 0)
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
