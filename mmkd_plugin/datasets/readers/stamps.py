"""Rows of a table whose clock jitters, put on the grid of the rate by their time stamps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .clock import count_lost, find_copies, measure_rate, refuse_backwards
from .columns import Columns
from .layout import Layout
from .resampling import resample
from .text import damaged

__all__ = ['cut_by_stamps', 'on_grid']

APART = 30.0  # times that the rate of stamps may be off that of the grid: with a wrong unit, it is a thousand


def cut_by_stamps(
    file: Path, columns: Columns, seconds: NDArray, rows: NDArray, layout: Layout
) -> tuple[list[NDArray], list[str]]:
    """Cut the rows of one subject where too many are missing, as many as stamps would come at their own rate.

    Args:
        file (Path): Where they come from, for messages.
        columns (Columns): All of the file.
        seconds (ndarray): Time of each of its rows, ``(n, )``.
        rows (ndarray): Places of the subject's rows, ``(m, )``.
        layout (Layout): Says the rate of the grid and the longest gap.

    Returns:
        tuple[list[ndarray], list[str]]: Rows of each recording in the order of time, and notes.

    Raises:
        ValueError: Time goes back by a sample or more, or the stamps are of another unit.
    """
    times = seconds[rows]
    refuse_backwards(file, columns, times, rows, layout)
    notes, first = [], np.flatnonzero(np.diff(times) == 0) + 1
    if len(first):
        copies = find_copies(columns, times, rows)
        notes.append(
            f'{file}:{columns.lines[rows[first[0]]]}: {len(first):,} row(s) from here on repeat the time of the row before, '
            f'{len(first) - len(copies):,} with other values; the mean is kept'
        )
        rows = np.delete(rows, copies)
    rows = rows[np.argsort(seconds[rows], kind='stable')]  # a stamp may be late by less than a sample
    measured = measure_rate(seconds[rows]) or layout.rate
    if not 1 / APART < measured / layout.rate < APART:
        raise damaged(
            file,
            columns.lines[rows[0]],
            f'{layout.time} steps by {1 / measured:.4g} s, {measured:.4g} Hz, expected a rate near {layout.rate:g} Hz; '
            f'is its unit {layout.unit!r}?',
        )
    lost, more = count_lost(file, columns, seconds[rows], rows, 1 / measured)
    apart = lost > layout.gap
    if apart.any():
        line, most = columns.lines[rows[1:][apart][0]], lost[apart].max()
        notes.append(
            f'{file}:{line}: {apart.sum()} gap(s) from here on, of {most:,.0f} row(s) at the longest: a new recording begins'
        )
    return np.split(rows, np.flatnonzero(apart) + 1), notes + more


def on_grid(times: NDArray, rows: NDArray, samples: NDArray, rate: float) -> tuple[NDArray, NDArray]:
    """Put samples on a uniform grid by their times; those of one time count as their mean.

    Args:
        times (ndarray): Seconds, in order, ``(n, )``.
        rows (ndarray): Places of the rows, ``(n, )``.
        samples (ndarray): ``(n, C)``.
        rate (float): Of the grid, in Hz.

    Returns:
        tuple[ndarray, ndarray]: For each sample of the grid the row that is nearest in time, ``(T, )``, whose label counts, and
        the samples ``(T, C)``, float32.
    """
    first = np.flatnonzero(np.diff(times, prepend=-np.inf) > 0)
    counts = np.diff(first, append=len(times))
    distinct, means = times[first], np.add.reduceat(samples.astype(np.float64), first) / counts[:, None]
    grid = distinct[0] + np.arange(int((distinct[-1] - distinct[0]) * rate + 1e-6) + 1) / rate
    nearest = rows[first[np.searchsorted((distinct[1:] + distinct[:-1]) / 2, grid)]]
    return nearest, resample(distinct, means, grid, rate) if len(distinct) > 1 else means.astype(np.float32)
