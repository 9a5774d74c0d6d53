"""Sublevel-set persistence of a series."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..parallel import compiled, spread
from .gramian import as_rows, refuse

__all__ = ['sublevel_persistence']


def sublevel_persistence(x: ArrayLike) -> list[NDArray]:
    """Return the finite H0 pairs of the sublevel-set filtration of each series, equal to those of GUDHI.

    The series is a path: samples are its vertices, and an edge appears with the later of its two ends. A component is born at a
    local minimum; where two components meet, the younger one dies (the elder rule; Edelsbrunner & Harer 2010, section VII.1).
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
    series = as_rows(x)
    n, length = series.shape
    pairs = np.empty((n, length // 2 + 1, 2))  # every death needs a local maximum inside
    counts = np.empty(n, np.int64)

    def run(start, stop):
        return start, _pair_rows(series[start:stop], pairs[start:stop], counts[start:stop])

    for start, (row, sample) in spread(run, n):
        if row >= 0:
            refuse(x, start + row, sample, np.inf)
    return [pairs[k, : counts[k]].copy() for k in range(n)]


@compiled
def _pair_rows(series, pairs, counts):
    """Pair the series row by row; return (row, sample) of a NaN, or (−1, −1)."""
    low, high = np.empty(series.shape[1] + 1), np.empty(series.shape[1] + 1)
    for k in range(len(series)):
        bad = find_nan(series[k])
        if bad >= 0:
            return k, bad
        counts[k] = pair(series[k], low, high, pairs[k])
    return -1, -1


@compiled
def find_nan(series):
    """Return the index of the first sample that is NaN, or −1."""
    total = 0.0
    for value in series:
        total += value * 0  # NaN and infinities leave a trace, without a branch
    if total == 0:
        return -1
    for t in range(len(series)):
        if np.isnan(series[t]):
            return t
    return -1


@compiled
def pair(series, low, high, pairs):
    """Write the pairs of one series and return their number, in one pass with a stack of open valleys.

    The stack holds (minimum, maximum after it) with the maxima falling from bottom to top. A new maximum that is at least as
    high as the top's closes valleys: the higher of the two minima beside the lower maximum dies there.
    """
    length = len(series)
    depth = 0
    count = 0
    i = 0
    while i < length:
        while i + 1 < length and series[i + 1] <= series[i]:  # down to the next minimum
            i += 1
        valley = np.float64(series[i])
        while i + 1 < length and series[i + 1] >= series[i]:  # up to the next maximum
            i += 1
        # Beyond the last sample is a wall, which no valley passes.
        peak = np.float64(series[i]) if i + 1 < length else np.inf
        while depth > 0 and high[depth - 1] <= peak:
            death = high[depth - 1]
            birth = max(valley, low[depth - 1])
            valley = min(valley, low[depth - 1])
            depth -= 1
            if birth < death and birth > -np.inf and death < np.inf:
                pairs[count, 0] = birth
                pairs[count, 1] = death
                count += 1
        low[depth] = valley
        high[depth] = peak
        depth += 1
        if i + 1 >= length:
            break
    return count
