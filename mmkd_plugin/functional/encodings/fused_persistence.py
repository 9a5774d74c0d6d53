"""Persistence images of signals in one pass, without a list of diagrams in between."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..parallel import compiled, spread
from .gramian import as_rows, refuse
from .images import image_array
from .persistence import find_nan, pair, sublevel_persistence
from .persistence_image import check_image, persistence_image

__all__ = ['signal_to_persistence_image']

REACH = 6.0  # standard deviations beyond which a Gaussian is neglected: 1e-9 of its mass
# Points per standard deviation at which the profile of a Gaussian is tabulated; a Taylor series continues it in between.
STEPS: dict[type[np.generic], int] = {np.float32: 64, np.float64: 1024}


def signal_to_persistence_image(
    x: ArrayLike,
    image_size: int,
    birth_range: tuple[float, float],
    persistence_range: tuple[float, float],
    sigma: float,
    weight: str = 'persistence',
    convention: str = 'integral',
    min_persistence: float = 0.0,
    normalize: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Return the persistence image of every series' sublevel-set H0 diagram.

    The result is that of ``persistence_image(sublevel_persistence(x), ...)``, to about 1e-7 of the largest pixel for float32
    and 1e-9 for float64. On a grid of equal pixels the profile of a Gaussian depends only on the position of its centre within
    a pixel, so profiles are read from a table; every pair then adds one outer product within six standard deviations.

    Args:
        x (ArrayLike): Series ``(..., T)``; infinities are allowed, NaN is not.
        image_size (int): S in pixels.
        birth_range (tuple[float, float]): See :func:`persistence_image`, as for the next four.
        persistence_range (tuple[float, float]): Lifetimes likewise.
        sigma (float): Standard deviation of the Gaussian.
        weight (str): 'persistence' or 'uniform'.
        convention (str): 'integral', 'sampled' or 'persimage'; the last is drawn from a list of diagrams.
        min_persistence (float): Pairs that live no longer than this are left out.
        normalize (bool): Divide every image by its maximum.
        out (ndarray, optional): Array for the images, to save an allocation; undefined after an error.

    Returns:
        ndarray: Images ``(..., S, S)``, float32 for float32 input and else float64.

    Raises:
        ValueError: A sample is NaN, x is not real, or an argument is out of range.
    """
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f'x must have shape (..., T) with T at least 1, got {x.shape}')
    check_image(image_size, birth_range, persistence_range, sigma, weight, convention, min_persistence)
    series = as_rows(x)  # (N, T)
    dtype = series.dtype.type
    shape = (*x.shape[:-1], image_size, image_size)
    out = image_array(shape, dtype, out, x)
    image = out.reshape(len(series), image_size, image_size)
    if convention == 'persimage':
        pairs = [d[d[:, 1] - d[:, 0] > min_persistence] for d in sublevel_persistence(series)]
        image[:] = persistence_image(pairs, image_size, birth_range, persistence_range, sigma, weight, convention)
        if normalize:
            highest = image.max((1, 2), keepdims=True)
            image /= np.where(highest > 0, highest, 1)
        return out
    integral = convention == 'integral'
    axes = [_Axis(*limits, image_size, sigma, integral, dtype) for limits in (birth_range, persistence_range)]
    births, lifetimes = ((axis.table, axis.start, 1 / axis.pixel, axis.reach) for axis in axes)
    options = (weight == 'persistence', integral, float(min_persistence), normalize)

    def run(start, stop):
        return start, _images(series[start:stop], births, lifetimes, options, image[start:stop])

    for start, (row, sample) in spread(run, len(series)):
        if row >= 0:
            refuse(x, start + row, sample, np.inf)
    return out


class _Axis:
    """Pixels along one axis, and the profile of a Gaussian by the position of its centre within a pixel.

    Attributes:
        pixel (float): Width of a pixel, in the unit of the signal.
        start (float): Start of the first pixel ('integral'), or half a pixel before the first node ('sampled').
        table (ndarray): ``(3, steps + 1, pixels within reach)``: profile, and its first and half its second derivative by the
            centre, in pixels; zeros fill the last axis up to a multiple of 16.
        reach (int): Pixels from the first column of the table to the centre's.
    """

    def __init__(self, low: float, high: float, size: int, sigma: float, integral: bool, dtype: type[np.generic]) -> None:
        self.pixel = (high - low) / (size if integral else max(size - 1, 1))
        self.start = low if integral else low - self.pixel / 2
        self.reach = math.ceil(REACH * sigma / self.pixel)
        steps = math.ceil(STEPS[dtype] * self.pixel / sigma)
        self.table = _profiles(sigma / self.pixel, self.pixel, integral, steps, self.reach).astype(dtype)


@lru_cache(maxsize=32)
def _profiles(sigma: float, pixel: float, integral: bool, steps: int, reach: int) -> NDArray:
    """Return the table of :class:`_Axis`, sigma in pixels; its first column is ``reach`` pixels before the centre's pixel."""
    fraction = np.arange(steps + 1)[:, None] / steps
    away = np.arange(2 * reach + 1)[None] - reach - fraction  # from the centre to each pixel's start
    if integral:
        erf = np.vectorize(math.erf)

        def bell(z):
            return np.exp(-(z**2) / 2) / (sigma * math.sqrt(2 * math.pi))

        left, right = away / sigma, (away + 1) / sigma
        profile = (erf(right / math.sqrt(2)) - erf(left / math.sqrt(2))) / 2
        first = bell(left) - bell(right)
        second = (left * bell(left) - right * bell(right)) / sigma
    else:
        z = (away + 0.5) / sigma
        profile = np.exp(-(z**2) / 2) / (sigma * pixel * math.sqrt(2 * math.pi))
        first = profile * z / sigma
        second = profile * (z**2 - 1) / sigma**2
    table = np.stack([profile, first, second / 2])
    padding = -table.shape[2] % 16  # whole vectors
    return np.pad(table, ((0, 0), (0, 0), (0, padding)))


@compiled
def _images(series, births, lifetimes, options, image):
    """Draw the images row by row; return (row, sample) of a value that is refused, or (−1, −1)."""
    by_lifetime, integral, least, normalize = options
    length, size = series.shape[1], image.shape[1]
    low, high = np.empty(length + 1), np.empty(length + 1)
    pairs = np.empty((length // 2 + 1, 2))
    rows, columns = (births, lifetimes) if integral else (lifetimes, births)
    row, column = np.empty(rows[0].shape[2], image.dtype), np.empty(columns[0].shape[2], image.dtype)
    for k in range(len(series)):
        bad = find_nan(series[k])
        if bad >= 0:
            return k, bad
        pixels = image[k].reshape(-1)
        pixels[:] = 0
        for p in range(pair(series[k], low, high, pairs)):
            birth, lifetime = pairs[p, 0], pairs[p, 1] - pairs[p, 0]
            if not lifetime > least:
                continue
            top, upper, lower = _profile_at(birth if integral else lifetime, rows, size, row)
            left, begin, end = _profile_at(lifetime if integral else birth, columns, size, column)
            if end <= begin:
                continue
            weight = lifetime if by_lifetime else 1.0
            count, first = np.uintp(end - begin), np.uintp(begin)  # numbers that cannot be negative: the loop runs in vectors
            for i in range(upper, lower):
                row[i] *= weight  # stored, for the precision of the image
                factor, start = row[i], np.uintp((top + i) * size + left + begin)
                for j in range(count):
                    pixels[start + j] += factor * column[first + j]
        if normalize:
            highest = image[k].max()
            if highest > 0:
                image[k] /= highest
    return -1, -1


@compiled
def _profile_at(centre, axis, size, profile):
    """Write the profile of a Gaussian about a centre; return its first pixel and the part of it that is in the image."""
    table, start, per_pixel, reach = axis
    steps, width = table.shape[1] - 1, table.shape[2]
    position = (centre - start) * per_pixel
    if not -width < position < size + width:
        return 0, 0, 0
    cell = math.floor(position)
    nearest = int((position - cell) * steps + 0.5)
    profile[0] = (position - cell) - nearest * (1.0 / steps)
    delta = profile[0]  # in the precision of the image, so that the loop runs in it
    for i in range(width):
        profile[i] = table[0, nearest, i] + delta * (table[1, nearest, i] + delta * table[2, nearest, i])
    begin = cell - reach
    return begin, max(-begin, 0), min(2 * reach + 1, size - begin)
