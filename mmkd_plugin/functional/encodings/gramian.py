"""Gramian angular fields: images of the cosines of sums of a series' angles."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..parallel import compiled, spread
from .images import image_array
from .parts import average_matrix, check_image_size, part_bounds

__all__ = ['gramian_angular_field', 'gramian_angular_field_on_device']

LARGEST = 1e300  # sums of differences of smaller values stay in the range of float64
FLAT = 10 * np.finfo(np.float64).eps  # a series that spans less is constant in pyts, in the unit of x
OUTSIDE = 1e-9  # excess of averages over [−1, 1] that is taken for rounding


def gramian_angular_field(
    x: ArrayLike,
    image_size: int,
    method: str = 'summation',
    sample_range: tuple[float, float] | None = (-1, 1),
    out: NDArray | None = None,
) -> NDArray:
    """Return the Gramian angular field of every series, equal to that of pyts.

    Wang & Oates, AAAI workshop 2015, section 2.1. In order: the mean over each of S equal parts (part i covers the samples from
    ``int(i·T/S)`` to ``int((i+1)·T/S)``), scaling of each series by its own minimum and maximum, then cos(a + b) or sin(a − b)
    with a, b the arc cosines of two values. A constant series is scaled to the lower end of the range, as in pyts;
    a series is constant if its averages span less than 2.2e-15, in the unit of x.

    One departure: each series is averaged as its differences from its first sample. pyts averages the values, and stretches
    the rounding of a large constant that is averaged over parts of unequal length to a full image.

    Args:
        x (ArrayLike): Series ``(..., T)``, finite.
        image_size (int): S, from 1 to T pixels.
        method (str): 'summation' or 'difference'.
        sample_range (tuple[float, float], optional): Ends of the range, within [−1, 1]. None leaves the values as they are;
            their averages must then lie in [−1, 1]; an excess of up to 1e-9 is rounding and is clipped.
        out (ndarray, optional): Array for the images, to save an allocation; undefined after an error.

    Returns:
        ndarray: Images ``(..., S, S)``, float32 for float32 input and else float64; computed in float64.

    Raises:
        ValueError: A value is NaN, infinite or beyond ±1e300, an average is outside [−1, 1] where the range is None, x is
            not real, or an argument is out of range.
    """
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f'x must have shape (..., T) with T at least 1, got {x.shape}')
    _check_arguments(x.shape[-1], image_size, method, sample_range)
    series = as_rows(x)  # (N, T)
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    shape = (*x.shape[:-1], image_size, image_size)
    out = image_array(shape, dtype, out, x)
    image = out.reshape(len(series), image_size, image_size)
    bounds = part_bounds(x.shape[-1], image_size)
    low, high = sample_range or (math.nan, math.nan)

    def run(start, stop):
        return start, _fields(series[start:stop], bounds, low, high, method == 'summation', image[start:stop])

    for start, (row, sample, value) in spread(run, len(series)):
        if row >= 0 and sample >= 0:
            refuse(x, start + row, sample, LARGEST)
        if row >= 0:
            raise ValueError(f'with sample_range=None values must lie in [-1, 1], got an average of {value:g}')
    return out


def _check_arguments(length: int, image_size: int, method: str, sample_range: tuple[float, float] | None) -> None:
    check_image_size(image_size, length)
    if method not in ('summation', 'difference'):
        raise ValueError(f"method must be 'summation' or 'difference', got {method!r}")
    if sample_range is not None and not -1 <= sample_range[0] < sample_range[1] <= 1:
        raise ValueError(f'sample_range must satisfy -1 <= low < high <= 1, got {sample_range}')


def check_series(x: Tensor, dimensions: int | None = None) -> None:
    """Check that a tensor holds series.

    Args:
        x (Tensor): ``(..., T)``, floating-point, with T at least 1.
        dimensions (int, optional): Number of axes that x must have.

    Raises:
        ValueError: x has another shape or dtype.
    """
    if x.ndim != (dimensions or max(x.ndim, 1)) or x.shape[-1] == 0:
        expected = '(N, T)' if dimensions == 2 else '(..., T)'
        raise ValueError(f'x must have shape {expected} with T at least 1, got {tuple(x.shape)}')
    if not x.is_floating_point():
        raise ValueError(f'x must be of a floating-point dtype, got {x.dtype}')


def as_rows(x: NDArray) -> NDArray:
    """Flatten the leading axes: ``(..., T)`` to ``(N, T)``, contiguous; float32 stays, any other real dtype becomes float64.

    Raises:
        ValueError: x is not real.
    """
    if x.dtype.kind not in 'biuf':
        raise ValueError(f'x must hold real numbers, got an array of {x.dtype}')
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    return np.require(x, dtype, ['C', 'A']).reshape(math.prod(x.shape[:-1]), x.shape[-1])


def refuse(x: NDArray, row: int, sample: int, largest: float) -> None:
    """Refuse a sample that is not a finite number, by its index.

    Raises:
        ValueError: Always.
    """
    index = (*(int(i) for i in np.unravel_index(row, x.shape[:-1])), int(sample)) if x.ndim > 1 else (int(sample),)
    limits = 'not NaN' if largest == np.inf else f'finite and within ±{largest:g}'
    raise ValueError(f'x{list(index)} is {x[index]}: sample {index[-1]} at leading index {index[:-1]}; must be {limits}')


@compiled
def _fields(series, bounds, low, high, summation, image):
    """Draw the fields series by series; return (row, sample, value) of a value that is refused, or (−1, −1, 0)."""
    size = len(bounds) - 1
    part = np.empty(size)
    cosine = np.empty(size, image.dtype)
    sine = np.empty(size, image.dtype)
    for k in range(len(series)):
        start = np.float64(series[k, 0])
        bottom, top = np.inf, -np.inf
        for i in range(size):
            total = 0.0
            for t in range(bounds[i], bounds[i + 1]):
                value = np.float64(series[k, t])
                if not abs(value) <= LARGEST:  # NaN compares as false
                    return k, t, 0.0
                total += value - start
            part[i] = total / (bounds[i + 1] - bounds[i])
            bottom, top = min(bottom, part[i]), max(top, part[i])
        span = top - bottom
        for i in range(size):
            if np.isnan(low):
                c = part[i] + start
                if abs(c) > 1 + OUTSIDE:
                    return k, -1, c
                c = min(max(c, -1.0), 1.0)
            else:
                share = (part[i] - bottom) / span if span >= FLAT else 0.0
                c = min(max(low + share * (high - low), low), high)
            cosine[i] = c
            sine[i] = math.sqrt(max(1 - c * c, 0.0))
        _outer(cosine, sine, summation, image[k])
    return -1, -1, 0.0


@compiled
def _outer(cosine, sine, summation, image):
    """Write cos(a+b) = cos a cos b − sin a sin b, or sin(a−b) = sin a cos b − cos a sin b."""
    size = len(cosine)
    for i in range(size):
        c, s = cosine[i], sine[i]
        row = image[i]
        if summation:
            for j in range(size):
                row[j] = c * cosine[j] - s * sine[j]
        else:
            for j in range(size):
                row[j] = s * cosine[j] - c * sine[j]


def gramian_angular_field_on_device(
    x: Tensor, image_size: int, method: str = 'summation', sample_range: tuple[float, float] | None = (-1, 1)
) -> Tensor:
    """Return the Gramian angular field of every series of a tensor, on the tensor's device.

    Args:
        x (Tensor): ``(..., T)``, real and finite; not checked, because a check would wait for the device.
        image_size (int): S.
        method (str): 'summation' or 'difference'.
        sample_range (tuple[float, float], optional): As for arrays; with None the averages are clipped to [−1, 1].

    Returns:
        Tensor: ``(..., S, S)``, of the dtype of x.

    Raises:
        ValueError: x has no axis of time or is not of a floating-point dtype, or an argument is out of range.
    """
    check_series(x)
    length = int(x.shape[-1])  # a tensor where the function is traced
    _check_arguments(length, image_size, method, sample_range)
    first = x[..., :1].double()
    parts = (x.double() - first) @ torch.from_numpy(average_matrix(length, image_size)).to(x.device)  # (..., S)
    if sample_range is None:
        cosine = (parts + first).clamp(-1, 1)
    else:
        low, high = sample_range
        bottom = parts.amin(-1, keepdim=True)
        span = parts.amax(-1, keepdim=True) - bottom
        share = torch.where(span >= FLAT, (parts - bottom) / span.clamp_min(FLAT), 0.0)
        cosine = (low + share * (high - low)).clamp(low, high)
    sine = (1 - cosine.square()).clamp_min(0).sqrt()
    a, b = (cosine, sine) if method == 'summation' else (sine, cosine)
    image = a[..., :, None] * cosine[..., None, :] - b[..., :, None] * sine[..., None, :]
    return image.to(x.dtype)
