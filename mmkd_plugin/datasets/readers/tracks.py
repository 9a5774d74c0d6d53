"""Tracks: what one sensor measured without a gap, at times of its own, and several of them put on one grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..streams import Stream
from .resampling import resample

__all__ = ['Span', 'Track', 'fill_grid', 'grid_of', 'shared_spans', 'signals_and_streams']

Track = tuple[NDArray, NDArray]  # times (n, ), increasing, and values (n, C); n is at least 2
Span = tuple[float, float, list[Track]]  # begin, end, and the tracks that cover the time between


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


def grid_of(span: Span, rate: float, second: float = 1.0) -> NDArray:
    """Return the samples of all tracks of a span on a grid that begins with the span, ``(T, C)`` float32.

    Args:
        span (Span): See :func:`shared_spans`.
        rate (float): Of the grid, in Hz.
        second (float): Units of time that are a second.
    """
    start, stop, tracks = span
    # A rounding error must not cost the last sample.
    grid = np.arange(int((stop - start) / second * rate + 1e-6) + 1) / rate
    return np.concatenate([resample((times - start) / second, values, grid, rate) for times, values in tracks], axis=1)


def fill_grid(each: Sequence[list[Track]], start: float, count: int, rate: float) -> NDArray | None:
    """Return samples of several sensors on a given grid, ``(count, C)`` float32, NaN where one of them has none.

    Args:
        each (Sequence[list[Track]]): Tracks of each sensor, in seconds.
        start (float): Time of the first sample of the grid.
        count (int): Samples of the grid.
        rate (float): Of the grid, in Hz.

    Returns:
        ndarray | None: None where no sample is covered.
    """
    filled = None
    for begin, end, tracks in shared_spans(each, 0.0):
        grid = np.arange(max(0, int(np.ceil((begin - start) * rate - 1e-6))), min(count, int((end - start) * rate + 1e-6) + 1))
        if not len(grid):
            continue
        at = (start + grid / rate).clip(begin, end)
        values = np.concatenate([resample(times - begin, v, at - begin, rate) for times, v in tracks], axis=1)
        if filled is None:
            filled = np.full((count, values.shape[1]), np.nan, np.float32)
        filled[grid] = values
    return filled


def signals_and_streams(
    signal: Sequence[list[Track]], streams: Mapping[str, Sequence[list[Track]]], rate: float, together: bool = False
) -> Iterator[tuple[NDArray, NDArray, dict[str, Stream]]]:
    """Yield what was recorded while all sensors of the signal were, with the streams beside it on the same grid.

    Args:
        signal (Sequence[list[Track]]): Tracks of each sensor of the signal, in seconds.
        streams (Mapping[str, Sequence[list[Track]]]): The same of each stream, by its name.
        rate (float): Of the grid, in Hz.
        together (bool): Where all streams have any, leave out what was recorded without one of them.

    Yields:
        tuple[ndarray, ndarray, dict[str, Stream]]: Samples ``(T, C)``, their times ``(T, )``, and the streams that have any.
    """
    spans = shared_spans(signal, 1 / rate)
    if together:
        every = shared_spans([*signal, *(tracks for each in streams.values() for tracks in each)], 1 / rate)
        spans = [(begin, end, tracks[: len(signal)]) for begin, end, tracks in every] or spans
    for span in spans:
        values = grid_of(span, rate)
        beside = {name: fill_grid(each, span[0], len(values), rate) for name, each in streams.items()}
        times = span[0] + np.arange(len(values)) / rate
        yield values, times, {name: Stream(filled) for name, filled in beside.items() if filled is not None}
