"""Tracks: what one sensor measured without a gap, at times of its own, and several of them put on one grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .resampling import resample

__all__ = ['Span', 'Track', 'count_samples', 'fill_grid', 'grid_of', 'shared_spans', 'split_at_gaps']

Track = tuple[NDArray, NDArray]  # times (n, ), increasing, and values (n, C); n is at least 2
Span = tuple[float, float, list[Track]]  # begin, end, and the tracks that cover the time between


def split_at_gaps(times: NDArray, breaks: NDArray, least: float = 0.0) -> tuple[list[NDArray], NDArray]:
    """Cut readings at gaps.

    Args:
        times (ndarray): Increasing, ``(n, )``.
        breaks (ndarray): Whether a gap follows each reading but the last, ``(n - 1, )``.
        least (float): Time between the first and the last reading of a piece.

    Returns:
        tuple[list[ndarray], ndarray]: Indices of the readings of each piece, two at least, and of those that are left out: they
        stand alone, or in a piece that is too short.
    """
    pieces = np.split(np.arange(len(times)), np.flatnonzero(breaks) + 1)
    kept = [piece for piece in pieces if len(piece) > 1 and times[piece[-1]] - times[piece[0]] >= least]
    return kept, np.setdiff1d(np.arange(len(times)), np.concatenate([*kept, np.empty(0, int)]))


def shared_spans(each: Sequence[list[Track]], least: float) -> list[Span]:
    """Return the times that all of several sensors cover, in order.

    Args:
        each (Sequence[list[Track]]): Tracks of each sensor.
        least (float): Time of the shortest span, in the unit of the tracks.
    """
    common: list[Span] = [(times[0], times[-1], [(times, values)]) for times, values in each[0]]
    for tracks in each[1:]:
        pairs = [(span, track) for span in common for track in tracks]
        common = [(max(a, t[0]), min(b, t[-1]), [*before, (t, v)]) for (a, b, before), (t, v) in pairs]
    return [span for span in common if span[1] - span[0] >= least]


def count_samples(seconds: float, rate: float) -> int:
    """Return the samples of a grid that lasts so long; a rounding error must not cost the last one."""
    return int(seconds * rate + 1e-6) + 1


def grid_of(span: Span, rate: float, second: float = 1.0) -> NDArray:
    """Return the samples of all tracks of a span on a grid that begins with the span, ``(T, C)`` float32.

    Args:
        span (Span): See :func:`shared_spans`.
        rate (float): Of the grid, in Hz.
        second (float): Units of time that are a second.
    """
    start, stop, tracks = span
    grid = np.arange(count_samples((stop - start) / second, rate)) / rate
    return np.concatenate([resample((times - start) / second, values, grid, rate) for times, values in tracks], axis=1)


def fill_grid(spans: Sequence[Span], start: float, count: int, rate: float) -> NDArray | None:
    """Return the samples of spans on a given grid, ``(count, C)`` float32, NaN where there is none.

    Args:
        spans (Sequence[Span]): See :func:`shared_spans`, in seconds.
        start (float): Time of the first sample of the grid.
        count (int): Samples of the grid.
        rate (float): Of the grid, in Hz.

    Returns:
        ndarray | None: None where no sample is covered.
    """
    filled = None
    for begin, end, tracks in spans:
        grid = np.arange(max(0, int(np.ceil((begin - start) * rate - 1e-6))), min(count, count_samples(end - start, rate)))
        if not len(grid):
            continue
        at = (start + grid / rate).clip(begin, end) - begin
        values = np.concatenate([resample(times - begin, v, at, rate) for times, v in tracks], axis=1)
        if filled is None:
            filled = np.full((count, values.shape[1]), np.nan, np.float32)
        filled[grid] = values
    return filled
