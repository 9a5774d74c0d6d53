"""Sublevel-set persistence of a series, and its picture as an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .gramian import LARGEST, as_series

__all__ = ['persistence_image', 'sublevel_persistence']


def sublevel_persistence(x: ArrayLike) -> list[NDArray]:
    """Finite H0 pairs of the sublevel-set filtration of each series, equal to those of GUDHI.

    The series is a path: samples are its vertices, and an edge appears with the later of its two ends. A component is born at a
    local minimum; where two meet, the one that was born later dies (the elder rule; Edelsbrunner & Harer 2010, section VII.1).
    Left out are the component of the global minimum, which never dies, pairs that die at birth, and pairs with an infinite end.

    Args:
        x (ArrayLike): Series ``(N, T)``; infinities are allowed, NaN is not.

    Returns:
        list[ndarray]: One array ``(k, 2)`` of (birth, death) for each series, float64, in the unit of x, ordered by the sample
        at which the death is seen.

    Raises:
        ValueError: x is not ``(N, T)`` or not real, or has a NaN.
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f'x must have shape (N, T) with T at least 1, got {x.shape}')
    series = as_series(x)
    n, length = series.shape
    pairs = np.empty((n, length // 2 + 1, 2))  # every death needs a local maximum inside
    counts = np.empty(n, np.int64)
    _pair(series, pairs, counts)
    return [pairs[k, : counts[k]].copy() for k in range(n)]


@njit(cache=True, nogil=True)
def _pair(series, pairs, counts):
    """One pass with a stack of open valleys.

    The stack holds (minimum, maximum after it) with the maxima falling from bottom to top. A new maximum that is at least as
    high as the top's closes valleys: the higher of the two minima beside the lower maximum dies there.
    """
    n, length = series.shape
    low = np.empty(length + 1)
    high = np.empty(length + 1)
    for k in range(n):
        depth = 0
        count = 0
        i = 0
        while i < length:
            while i + 1 < length and series[k, i + 1] <= series[k, i]:  # down to the next minimum
                i += 1
            valley = series[k, i]
            while i + 1 < length and series[k, i + 1] >= series[k, i]:  # up to the next maximum
                i += 1
            # Beyond the last sample is a wall, which no valley passes.
            peak = series[k, i] if i + 1 < length else np.inf
            while depth > 0 and high[depth - 1] <= peak:
                death = high[depth - 1]
                birth = max(valley, low[depth - 1])
                valley = min(valley, low[depth - 1])
                depth -= 1
                if birth < death and birth > -np.inf and death < np.inf:
                    pairs[k, count, 0] = birth
                    pairs[k, count, 1] = death
                    count += 1
            low[depth] = valley
            high[depth] = peak
            depth += 1
            if i + 1 >= length:
                break
        counts[k] = count


def persistence_image(
    diagrams: Sequence[NDArray],
    image_size: int,
    birth_range: tuple[float, float],
    persistence_range: tuple[float, float],
    sigma: float,
    weight: str = 'persistence',
    convention: str = 'integral',
) -> NDArray:
    """Persistence image of each diagram: a Gaussian for every pair in the birth–persistence plane, weighted.

    Adams et al., JMLR 2017, section 4. A convention is that of a library in full, with its kernel, its grid and its order of
    axes:

    - 'integral': persim's PersistenceImager with covariance sigma². The Gaussian is integrated over every pixel, pixels divide
      the ranges evenly, and the axes of an image are (birth, persistence).
    - 'sampled': GUDHI's PersistenceImage with bandwidth sigma. The density is read at nodes that include both ends of the
      ranges, and the axes of an image are (persistence, birth).

    Args:
        diagrams (Sequence[ndarray]): N arrays ``(k, 2)`` of (birth, death).
        image_size (int): S in pixels.
        birth_range (tuple[float, float]): Births from the first to the last pixel, in the diagrams' unit.
        persistence_range (tuple[float, float]): Lifetimes (death − birth) likewise.
        sigma (float): Standard deviation of the Gaussian, same unit.
        weight (str): 'persistence', the lifetime, or 'uniform', 1.
        convention (str): 'integral' or 'sampled'.

    Returns:
        ndarray: Images ``(N, S, S)``, float64; zeros for an empty diagram.

    Raises:
        ValueError: A diagram is not ``(k, 2)``, a pair is not finite, is beyond ±1e300 or dies before its birth, or an
            argument is out of range.
    """
    if weight not in ('persistence', 'uniform'):
        raise ValueError(f"weight must be 'persistence' or 'uniform', got {weight!r}")
    if convention not in ('integral', 'sampled'):
        raise ValueError(f"convention must be 'integral' or 'sampled', got {convention!r}")
    if not 0 < sigma < np.inf:
        raise ValueError(f'sigma must be above 0 and finite, got {sigma}')
    if not isinstance(image_size, Integral) or image_size < 1:
        raise ValueError(f'image_size must be a whole number of at least 1, got {image_size}')
    for name, (low, high) in dict(birth_range=birth_range, persistence_range=persistence_range).items():
        if not -np.inf < low < high < np.inf:
            raise ValueError(f'{name} must go from low to high and be finite, got ({low}, {high})')
    pairs, first = _flatten(diagrams)
    lifetime = pairs[:, 1] - pairs[:, 0]
    weights = lifetime if weight == 'persistence' else np.ones_like(lifetime)
    integral = convention == 'integral'
    births = _profiles(pairs[:, 0], birth_range, image_size, sigma, integral)  # (points, S)
    lifetimes = _profiles(lifetime, persistence_range, image_size, sigma, integral)
    rows, columns = (births, lifetimes) if integral else (lifetimes, births)
    image = np.zeros((len(diagrams), image_size, image_size))
    _add(rows, columns, weights, first, image)
    return image


def _flatten(diagrams: Sequence[NDArray]) -> tuple[NDArray, NDArray]:
    """All pairs in one array, and where each diagram's begin."""
    arrays = [np.asarray(d, dtype=np.float64) for d in diagrams]
    for index, array in enumerate(arrays):
        if array.size == 0:  # an empty list has no second axis
            arrays[index] = array = array.reshape(0, 2)
        if array.ndim != 2 or array.shape[1] != 2:
            raise ValueError(f'diagram {index} must have shape (k, 2), got {array.shape}')
        if not (np.abs(array) <= LARGEST).all():  # NaN compares as false
            raise ValueError(
                f'diagram {index} has a pair that is not finite and within ±{LARGEST:g}; drop the component that never dies'
            )
        if (array[:, 1] < array[:, 0]).any():
            raise ValueError(f'diagram {index} has a pair that dies before its birth; expected columns (birth, death)')
    first = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int64)
    return (np.concatenate(arrays) if arrays else np.empty((0, 2))), first


def _profiles(centres: NDArray, limits: tuple[float, float], size: int, sigma: float, integral: bool) -> NDArray:
    """The Gaussian about each centre along one axis: its mass in every pixel, or its density at every node."""
    profiles = np.empty((len(centres), size))
    if integral:
        _mass(centres, np.linspace(*limits, size + 1), sigma, profiles)
    else:
        _density(centres, np.linspace(*limits, size), sigma, profiles)
    return profiles


@njit(cache=True, nogil=True)
def _mass(centres, edges, sigma, profiles):
    scale = 1 / (sigma * math.sqrt(2.0))
    for p in range(len(centres)):
        before = math.erf((edges[0] - centres[p]) * scale)
        for i in range(profiles.shape[1]):
            after = math.erf((edges[i + 1] - centres[p]) * scale)
            profiles[p, i] = (after - before) / 2
            before = after


@njit(cache=True, nogil=True)
def _density(centres, nodes, sigma, profiles):
    top = 1 / (sigma * math.sqrt(2 * math.pi))
    for p in range(len(centres)):
        for i in range(profiles.shape[1]):
            profiles[p, i] = top * math.exp(-(((nodes[i] - centres[p]) / sigma) ** 2) / 2)


@njit(cache=True, nogil=True)
def _add(rows, columns, weights, first, image):
    """The kernel is separable: every pair adds an outer product of its two profiles."""
    size = image.shape[1]
    for k in range(len(image)):
        for p in range(first[k], first[k + 1]):
            for i in range(size):
                row = weights[p] * rows[p, i]
                for j in range(size):
                    image[k, i, j] += row * columns[p, j]
