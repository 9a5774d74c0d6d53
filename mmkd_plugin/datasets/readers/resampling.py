"""Signals put on a uniform grid by their timestamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ['resample']

DENSE = 0.9  # steps of the grid: a stretch whose readings are closer than that is averaged


def resample(times: NDArray, values: NDArray, grid: NDArray, rate: float) -> NDArray:
    """Interpolate values at other times linearly, averaged over the grid's step where readings are denser.

    Args:
        times (ndarray): Seconds, increasing, ``(n, )`` with n at least 2.
        values (ndarray): ``(n, C)``.
        grid (ndarray): Seconds within the times, ``(T, )``.
        rate (float): Of the grid, in Hz.

    Returns:
        ndarray: ``(T, C)``, float32.
    """
    steps = np.diff(times)
    if steps.mean() >= DENSE / rate:
        return np.column_stack([np.interp(grid, times, column) for column in values.T]).astype(np.float32)
    # The mean of the broken line, from its integral; at the ends over the part of the step that was recorded.
    slopes = np.diff(values, axis=0) / steps[:, None]  # (n - 1, C)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum((values[1:] + values[:-1]) / 2 * steps[:, None], axis=0)])

    def integral(until: NDArray) -> NDArray:
        index = np.clip(np.searchsorted(times, until, 'right') - 1, 0, len(steps) - 1)
        rest = (until - times[index])[:, None]
        return sums[index] + rest * (values[index] + rest * slopes[index] / 2)  # (T, C)

    ends = [np.clip(grid + half, times[0], times[-1]) for half in (-0.5 / rate, 0.5 / rate)]
    return ((integral(ends[1]) - integral(ends[0])) / (ends[1] - ends[0])[:, None]).astype(np.float32)
