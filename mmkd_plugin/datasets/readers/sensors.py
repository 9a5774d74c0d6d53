"""Readers of trials that several sensors record at once: one gives the signal, the others its streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..recordings import Recording
from ..streams import Sensor, Stream
from .base import Reader
from .options import check_chosen
from .resampling import resample
from .tracks import Track

__all__ = ['Pieces', 'SensorReader', 'join_sensors', 'split_at_gaps']

Pieces = list[Track]  # of one sensor, in order of time, in seconds


class SensorReader(Reader):
    """Base of the readers of several sensors.

    Args:
        root (str | Path): Folder of the data.
        sensors (Sequence[str]): Names of sensors. The first is the signal, which gives windows, labels and rate; the others are
            streams of that name.

    Attributes:
        kinds (Mapping[str, Sensor]): All sensors of the data set, by name.

    Raises:
        ValueError: A sensor is unknown or named twice, or none is named.
    """

    kinds: Mapping[str, Sensor]

    def __init__(self, root: str | Path, sensors: Sequence[str]) -> None:
        super().__init__(root)
        self.sensors = check_chosen('sensors', sensors, self.kinds)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels of the first sensor."""
        return self.kinds[self.sensors[0]].channels

    @property
    def units(self) -> tuple[str, ...]:  # type: ignore[override]
        """Units of the channels of the first sensor."""
        return self.kinds[self.sensors[0]].units

    @property
    def rate(self) -> float:
        """Rate of the first sensor, in Hz."""
        return self.kinds[self.sensors[0]].rate

    @property
    def streams(self) -> Mapping[str, Sensor]:  # type: ignore[override]
        """All sensors but the first, by name."""
        return {name: self.kinds[name] for name in self.sensors[1:]}


def split_at_gaps(times: NDArray, values: NDArray, breaks: NDArray, least: float = 0.0) -> tuple[Pieces, int]:
    """Cut readings into pieces, and return how many readings are left out: those alone, or in pieces that are too short.

    Args:
        times (ndarray): Seconds, increasing, ``(n, )``.
        values (ndarray): ``(n, C)``.
        breaks (ndarray): Whether a gap follows each reading but the last, ``(n - 1, )``.
        least (float): Seconds between the first and the last reading of a piece.
    """
    runs = np.split(np.arange(len(times)), np.flatnonzero(breaks) + 1)
    kept = [run for run in runs if len(run) > 1 and times[run[-1]] - times[run[0]] >= least]
    return [(times[run], values[run]) for run in kept], len(times) - sum(map(len, kept))


def join_sensors(
    name: str, label: int, subject: str, kinds: Mapping[str, Sensor], pieces: Mapping[str, Pieces]
) -> list[Recording]:
    """Return a recording for every piece of the first sensor, on the uniform grid of its rate, and with it the other sensors.

    Args:
        name (str): Of the trial; the recordings are numbered.
        label (int): Index of the class.
        subject (str): Who was recorded.
        kinds (Mapping[str, Sensor]): Rate and channels of each sensor.
        pieces (Mapping[str, Pieces]): Readings of each sensor, all on one clock. A sensor that recorded nothing during the
            signal is no stream of its recording.
    """
    first, *others = pieces
    recordings = []
    for number, (times, values) in enumerate(pieces[first]):
        begin, end = times[0], times[-1]
        grid = _grid(begin, end, kinds[first].rate)
        if len(grid) < 2:
            continue
        streams = {other: _cut(pieces[other], kinds[other], begin, end) for other in others}
        signal = resample(times, values, grid, kinds[first].rate)
        kept = {other: stream for other, stream in streams.items() if stream is not None}
        recordings.append(Recording(signal, label, subject, f'{name}:{number}', streams=kept))
    return recordings


def _grid(begin: float, end: float, rate: float) -> NDArray:
    """Return the times from begin to end at a rate; a rounding error must not cost the last one."""
    return begin + np.arange(int((end - begin) * rate + 1e-6) + 1) / rate


def _cut(pieces: Pieces, sensor: Sensor, begin: float, end: float) -> Stream | None:
    """Return what a sensor recorded between two times in seconds, with rows of NaN in its gaps."""
    within = [(times, values) for times, values in pieces if times[-1] > begin and times[0] < end]
    if not within:
        return None
    start, stop = max(begin, within[0][0][0]), min(end, within[-1][0][-1])
    grid = _grid(start, stop, sensor.rate)
    signal = np.full((len(grid), len(sensor.channels)), np.nan, dtype=np.float32)
    for times, values in within:
        rows = (grid >= times[0] - 1e-6) & (grid <= times[-1] + 1e-6)
        signal[rows] = resample(times, values, grid[rows], sensor.rate)
    if np.isnan(signal).all():
        return None
    return Stream(signal, float(start - begin))
