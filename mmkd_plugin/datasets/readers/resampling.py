"""Signals put on a uniform grid by their timestamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ['Resampling', 'resample']

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
    if np.diff(times).mean() >= DENSE / rate:
        return _on_lines(times, values, grid)
    return _means(times, values, _integrals(times, values, np.zeros(values.shape[1])), grid, rate, times[0])


class Resampling:
    """A recording of a uniform rate that comes in pieces, put on the grid of another rate as by :func:`resample`.

    The pieces change no bit: of the samples before, those are kept that later values depend on, and the integral up to them.

    Args:
        source (float): Rate of the recording, in Hz.
        rate (float): Of the grid, in Hz.
        channels (int): C.
    """

    def __init__(self, source: float, rate: float, channels: int) -> None:
        self.source, self.rate = source, rate
        self.half = 0.5 / rate if 1 / source < DENSE / rate else 0.0  # seconds around a value that the value depends on
        self.count = self.made = 0  # samples that came, values that were made
        self.values = np.empty((0, channels))  # the last samples, (n, C) float64
        self.sums = np.empty((0, channels))  # integrals up to each of them

    def add(self, values: NDArray) -> NDArray:
        """Take samples ``(n, C)``, and return all values that samples to come do not change, ``(T, C)`` float32."""
        if not len(values):
            return np.empty((0, self.values.shape[1]), np.float32)
        self.values = np.concatenate([self.values, values.astype(np.float64)])
        self.count += len(values)
        times = self._times()
        if self.half:
            known = max(1, len(self.sums))
            total = self.sums[-1] if len(self.sums) else np.zeros(self.values.shape[1])
            more = _integrals(times[known - 1 :], self.values[known - 1 :], total)
            self.sums = np.concatenate([self.sums[: known - 1], more])
        grid = np.arange(self.made, int(times[-1] * self.rate) + 2) / self.rate
        # Not those up to the last sample itself: of two pieces of the line that meet there, the later one counts.
        ready = grid[grid + self.half < times[-1]] if self.half else grid[grid <= times[-1]]
        made = self._at(times, ready)
        keep = max(0, int(np.searchsorted(times, self.made / self.rate - self.half, 'right')) - 2)
        self.values, self.sums = self.values[keep:], self.sums[keep:]
        return made

    def end(self) -> NDArray:
        """Return the last values, which depend on the part of their step that was recorded, ``(T, C)`` float32."""
        if self.count < 2:
            return self.values[self.made :].astype(np.float32)
        times = self._times()
        until = int(times[-1] * self.rate + 1e-6) + 1
        return self._at(times, (np.arange(self.made, until) / self.rate).clip(max=times[-1]))

    def _times(self) -> NDArray:
        return np.arange(self.count - len(self.values), self.count) / self.source

    def _at(self, times: NDArray, grid: NDArray) -> NDArray:
        self.made += len(grid)
        if not len(grid):
            return np.empty((0, self.values.shape[1]), np.float32)
        return _means(times, self.values, self.sums, grid, self.rate, 0.0) if self.half else _on_lines(times, self.values, grid)


def _on_lines(times: NDArray, values: NDArray, grid: NDArray) -> NDArray:
    return np.column_stack([np.interp(grid, times, column) for column in values.T]).astype(np.float32)


def _integrals(times: NDArray, values: NDArray, total: NDArray) -> NDArray:
    """Return the integral of the broken line up to each of the times, ``(n, C)``, where it is known up to the first."""
    areas = (values[1:] + values[:-1]) / 2 * np.diff(times)[:, None]  # (n - 1, C)
    return np.cumsum(np.concatenate([total[None], areas]), axis=0)


def _means(times: NDArray, values: NDArray, sums: NDArray, grid: NDArray, rate: float, first: float) -> NDArray:
    """Return means of the broken line over a step, from its integral; at the ends over the part of it that was recorded."""
    steps = np.diff(times)
    slopes = np.diff(values, axis=0) / steps[:, None]  # (n - 1, C)

    def integral(until: NDArray) -> NDArray:
        index = np.clip(np.searchsorted(times, until, 'right') - 1, 0, len(steps) - 1)
        rest = (until - times[index])[:, None]
        return sums[index] + rest * (values[index] + rest * slopes[index] / 2)  # (T, C)

    ends = [np.clip(grid + half, first, times[-1]) for half in (-0.5 / rate, 0.5 / rate)]
    return ((integral(ends[1]) - integral(ends[0])) / (ends[1] - ends[0])[:, None]).astype(np.float32)
