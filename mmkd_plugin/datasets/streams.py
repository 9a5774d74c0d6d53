"""Streams: samples of other sensors that were recorded beside a signal, each at its own rate and on its own clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.structures import SIGNAL

if TYPE_CHECKING:
    from .recordings import Summary

__all__ = ['Sensor', 'Stream', 'check_names', 'cover', 'cut_stream', 'find_gaps', 'labels_of_stream', 'samples_of']

NAME = re.compile(r'[a-z][a-z0-9_]*')


@dataclass(frozen=True)
class Sensor:
    """What all recordings of a data set have in common in one stream.

    Attributes:
        channels (tuple[str, ...]): Names of the C channels.
        rate (float): Samples per second, in Hz.
        units (tuple[str, ...]): Units of the channels, as 'm/s²'; empty where the format does not say.

    Raises:
        ValueError: The rate is not above 0, or there are units for another number of channels.
    """

    channels: tuple[str, ...]
    rate: float
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ('channels', 'units'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.rate > 0 or not self.channels or (self.units and len(self.units) != len(self.channels)):
            raise ValueError(
                f'a stream has a rate above 0, channels, and a unit for each or none; got {self.rate} Hz, channels '
                f'{", ".join(self.channels) or "none"} and units {", ".join(self.units) or "none"}'
            )


@dataclass(frozen=True, eq=False)
class Stream:
    """Samples of one sensor beside the signal of a recording.

    Attributes:
        signal (ndarray): ``(T, C)``, float32, at the sensor's rate; rows of NaN where nothing was recorded. May be mapped.
        offset (float): Seconds from the first sample of the recording's own signal to the first one of the stream.
        summary (Summary, optional): Moments and fingerprint, without the rows of NaN; the data set computes them.
        gaps (ndarray, optional): First row and end of every stretch of NaN, ``(g, 2)``; computed by default.

    Raises:
        ValueError: The samples are not ``(T, C)`` numbers, or the offset is not finite.
    """

    signal: NDArray
    offset: float = 0.0
    summary: Summary = field(default=None, repr=False)  # type: ignore[assignment]  # set by the data set
    gaps: NDArray = field(default=None, repr=False)  # type: ignore[arg-type]  # set below

    def __post_init__(self) -> None:
        shape, kind = np.shape(self.signal), np.asarray(self.signal).dtype
        if len(shape) != 2 or not shape[0] or kind.kind not in 'fiu' or not np.isfinite(self.offset):
            raise ValueError(
                'a stream has samples (T, C) of numbers and an offset in seconds; '
                f'got {kind} of shape {shape} and {self.offset}'
            )
        if self.gaps is None:
            object.__setattr__(self, 'gaps', find_gaps(self.signal))
        self.signal.setflags(write=False)


def check_names(names: Mapping[str, object]) -> None:
    """Refuse names that could not be keys beside the signal.

    Raises:
        ValueError: A name is 'signal', or no lower-case identifier.
    """
    wrong = [name for name in names if name == SIGNAL or not NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"a stream is named by small letters, digits and _, and not '{SIGNAL}'; got {wrong[0]!r}")


def find_gaps(signal: NDArray) -> NDArray:
    """Return the first row and the end of every stretch of rows with NaN in samples ``(T, C)``: ``(g, 2)``."""
    lost = np.isnan(signal).any(1) if signal.dtype.kind == 'f' else np.zeros(len(signal), dtype=bool)
    return np.flatnonzero(np.diff(lost, prepend=False, append=False)).reshape(-1, 2)


def samples_of(window: int, rate: float, sensor: Sensor) -> int:
    """Return the samples that a stream has in a window of so many samples of the signal, at least 1."""
    return max(1, round(window / rate * sensor.rate))


def labels_of_stream(stream: Stream, sensor: Sensor, label: int | NDArray, length: int, rate: float) -> int | NDArray:
    """Return the labels of a stream's samples, ``(T, )`` or one: those of the nearest of the signal's ``length`` samples."""
    if np.ndim(label) == 0:
        return int(label)
    times = stream.offset + np.arange(len(stream.signal)) / sensor.rate
    return np.asarray(label)[np.rint(times * rate).astype(np.int64).clip(0, length - 1)]


def cover(stream: Stream, sensor: Sensor, starts: NDArray, rate: float, count: int) -> NDArray:
    """Return whether a stream was recorded during windows, ``(n, )``.

    At either end of the stream, one sample may be missing, which is then held.

    Args:
        stream (Stream): Of one recording.
        sensor (Sensor): Of the stream.
        starts (ndarray): First sample of each window in the recording's own signal, ``(n, )``.
        rate (float): Of the signal, in Hz.
        count (int): Samples of a window in the stream.
    """
    first = _position(stream, sensor, starts, rate)
    low, high = np.floor(first).astype(np.int64), np.ceil(first).astype(np.int64) + count - 1
    within = (low >= -1) & (high <= len(stream.signal))
    # A gap that begins before the window's end must have ended by its start; gaps are in order.
    begun = np.searchsorted(stream.gaps[:, 0], high.clip(max=len(stream.signal) - 1), 'right')
    ends = np.concatenate([[0], stream.gaps[:, 1]])[begun]
    return within & (ends <= low.clip(0))


def cut_stream(stream: Stream, sensor: Sensor, start: int, rate: float, count: int) -> NDArray:
    """Return a window's samples of a stream, ``(count, C)`` float32, linear between the two nearest.

    The first one is taken at the time of the window's first sample, the others follow at the sensor's rate.

    Args:
        stream (Stream): Recorded during the window, see :func:`cover`.
        sensor (Sensor): Of the stream.
        start (int): First sample of the window in the recording's own signal.
        rate (float): Of the signal, in Hz.
        count (int): Samples to return.
    """
    first = float(_position(stream, sensor, start, rate))
    left = int(np.floor(first))
    share = np.float32(first - left)
    rows = np.arange(left, left + count + 1).clip(0, len(stream.signal) - 1)
    values = stream.signal[rows[0] : rows[-1] + 1][rows - rows[0]].astype(np.float32, copy=False)  # (count + 1, C)
    return values[:-1] if share == 0 else values[:-1] * (1 - share) + values[1:] * share


def _position(stream: Stream, sensor: Sensor, start: int | NDArray, rate: float) -> NDArray:
    """Return where windows begin in a stream, in its samples; a thousandth of a sample is rounding of the times."""
    exact = (np.asarray(start) / rate - stream.offset) * sensor.rate
    whole = np.rint(exact)
    return np.where(np.abs(exact - whole) < 1e-3, whole, exact)
