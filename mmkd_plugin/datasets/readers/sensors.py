"""Readers of trials that several sensors record at once: one gives the signal, the others its streams."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..recordings import Recording
from ..streams import Sensor, Stream
from .base import Reader
from .options import check_chosen
from .tracks import Span, Track, count_samples, fill_grid, grid_of, shared_spans

__all__ = ['SensorReader', 'join_sensors']


class SensorReader(Reader):
    """Base of the readers of several sensors.

    Args:
        root (str | Path): Folder of the data.
        sensors (Sequence[str]): Names of sensors. The first is the signal, which gives windows, labels and rate; the others are
            streams of that name.

    Raises:
        ValueError: A sensor is unknown or named twice, or none is named.
    """

    def __init__(self, root: str | Path, sensors: Sequence[str]) -> None:
        super().__init__(root)
        self.sensors = check_chosen('sensors', sensors, self.all_sensors)

    # A subclass may have it as a plain class attribute.
    @property
    @abstractmethod
    def all_sensors(self) -> Mapping[str, Sensor]:
        """All sensors of the data set, by name; options may change what they measure, but not their names."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels of the first sensor."""
        return self.all_sensors[self.sensors[0]].channels

    @property
    def units(self) -> tuple[str, ...]:  # type: ignore[override]
        """Units of the channels of the first sensor."""
        return self.all_sensors[self.sensors[0]].units

    @property
    def rate(self) -> float:
        """Rate of the first sensor, in Hz."""
        return self.all_sensors[self.sensors[0]].rate

    @property
    def streams(self) -> Mapping[str, Sensor]:  # type: ignore[override]
        """All sensors but the first, by name."""
        return {name: self.all_sensors[name] for name in self.sensors[1:]}


def join_sensors(
    name: str,
    label: int | Callable[[NDArray], int | NDArray],
    subject: str,
    each: Mapping[str, Sequence[list[Track]]],
    rate: float,
    rates: Mapping[str, float] | None = None,
    together: bool = False,
) -> list[Recording]:
    """Return a recording for every time in which the first sensor has no gap, on a uniform grid, and with it the other sensors.

    Args:
        name (str): Of the trial; the recordings are numbered.
        label (int | Callable): Index of the class, or a function that returns one or ``(T, )`` by the times of the samples.
        subject (str): Who was recorded.
        each (Mapping[str, Sequence[list[Track]]]): By sensor, the tracks of all that it puts side by side, in seconds of one
            clock. The first sensor is the signal, the others are its streams; one that recorded nothing meanwhile is absent.
        rate (float): Of the signal's grid, in Hz.
        rates (Mapping[str, float], optional): Of the streams, in Hz, each of which then has a grid of its own that begins with
            it. By default they are on the signal's grid.
        together (bool): Where all sensors have any, leave out what was recorded without one of them.
    """
    first, *others = each
    recordings = []
    spans = shared_spans(each[first], 1 / rate)
    if together:
        every = shared_spans([tracks for own in each.values() for tracks in own], 1 / rate)
        spans = [(begin, end, tracks[: len(each[first])]) for begin, end, tracks in every] or spans
    for number, span in enumerate(spans):
        signal = grid_of(span, rate)
        streams = {
            other: _on_grid(each[other], span, rate, len(signal)) if rates is None else _cut(each[other], span, rates[other])
            for other in others
        }
        labels = label(span[0] + np.arange(len(signal)) / rate) if callable(label) else label
        present = {other: stream for other, stream in streams.items() if stream is not None}
        recordings.append(Recording(signal, labels, subject, f'{name}:{number}', streams=present))
    return recordings


def _within(each: Sequence[list[Track]], span: Span) -> list[Span]:
    """Return what a sensor recorded during a span."""
    return [own for own in shared_spans(each, 0.0) if own[1] > span[0] and own[0] < span[1]]


def _on_grid(each: Sequence[list[Track]], span: Span, rate: float, count: int) -> Stream | None:
    """Return what a sensor recorded during a span on the grid of the signal, with rows of NaN where there is nothing."""
    filled = fill_grid(_within(each, span), span[0], count, rate)
    return None if filled is None else Stream(filled)


def _cut(each: Sequence[list[Track]], span: Span, rate: float) -> Stream | None:
    """Return what a sensor recorded during a span on a grid of its own, with rows of NaN in its gaps."""
    own = _within(each, span)
    if not own:
        return None
    start, stop = max(span[0], own[0][0]), min(span[1], own[-1][1])
    filled = fill_grid(own, start, count_samples(stop - start, rate), rate)
    return None if filled is None else Stream(filled, float(start - span[0]))
