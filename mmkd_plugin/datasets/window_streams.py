"""Streams of the windows of a data set: which windows have them, and their samples through the pipeline of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.dataset import Compose
from numpy.typing import NDArray

from mmkd_plugin.structures import SIGNAL

from .recordings import Moments, Recording, Recordings, merge_moments
from .streams import Sensor, cover, cut_stream, samples_of
from .windows import Windows

__all__ = [
    'WindowStream',
    'add_streams',
    'build_streams',
    'channel_statistics',
    'check_streams',
    'pack_streams',
    'recorded_window',
    'stream_facts',
]


@dataclass(frozen=True, eq=False)
class WindowStream:
    """A stream as the windows of a data set have it.

    Attributes:
        name (str): Of the stream.
        sensor (Sensor): Channels and rate.
        rate (float): Of the recordings' own signal, in Hz.
        window (int): Samples of a window in the signal.
        statistics (Mapping[str, ndarray]): Of the training subjects, each ``(C, )``.
        pipeline (Compose): Transforms, the last of them ``PackWindows``.
    """

    name: str
    sensor: Sensor
    rate: float
    window: int
    statistics: Mapping[str, NDArray]
    pipeline: Compose

    @property
    def count(self) -> int:
        """Samples of a window in the stream."""
        return samples_of(self.window, self.rate, self.sensor)

    def cut(self, recording: Recording, start: int) -> NDArray:
        """Return the samples of a window that begins at a sample of the signal, ``(count, C)`` float32, as recorded."""
        return cut_stream(recording.streams[self.name], self.sensor, start, self.rate, self.count)

    def pack(self, recording: Recording, info: Mapping) -> torch.Tensor:
        """Return a window's samples after the pipeline, ``(C, count)`` float32; zeros where the stream is missing."""
        if self.name in info['missing']:
            return torch.zeros(len(self.sensor.channels), self.count)
        own = dict(
            signal=np.ascontiguousarray(self.cut(recording, info['start']).T),
            statistics=self.statistics,
            channels=self.sensor.channels,
            stream=self.name,
            clock=(self.window, self.rate / self.sensor.rate),
        )
        return self.pipeline({**info, **own})['inputs']


def check_streams(data: Recordings, required: Sequence[str], pipelines: Mapping[str, object]) -> None:
    """Check that streams which a config names are there.

    Args:
        data (Recordings): All recordings.
        required (Sequence[str]): Streams without which a window is left out.
        pipelines (Mapping[str, object]): By name of a stream.

    Raises:
        ValueError: The data have no such stream.
    """
    for key, names in (('required', required), ('pipelines', pipelines)):
        unknown = [name for name in names if name not in data.streams]
        if unknown:
            raise ValueError(f"{key} names the stream '{unknown[0]}'; the data have {', '.join(data.streams) or 'no streams'}")


def add_streams(windows: Windows, data: Recordings, required: Sequence[str]) -> tuple[Windows, dict[str, int]]:
    """Find out which windows have which streams, and drop those without a required one.

    Args:
        windows (Windows): Of recordings of the data.
        data (Recordings): With streams.
        required (Sequence[str]): Names of streams.

    Returns:
        tuple[Windows, dict[str, int]]: The windows, with ``present``, and the number that lacks each stream, before any is
        dropped.
    """
    present = {name: np.zeros(len(windows), dtype=bool) for name in data.streams}
    for index in np.unique(windows.recording):
        rows = np.flatnonzero(windows.recording == index)
        for name, stream in windows.recordings[index].streams.items():
            sensor = data.streams[name]
            count = samples_of(windows.length, data.rate, sensor)
            present[name][rows] = cover(stream, sensor, windows.start[rows], data.rate, count)
    windows = Windows(windows.recordings, windows.length, windows.recording, windows.start, windows.label, present)
    lacking = {name: int((~column).sum()) for name, column in present.items()}
    keep = np.all([present[name] for name in required] or [np.ones(len(windows), dtype=bool)], axis=0)
    return (windows if keep.all() else windows[np.flatnonzero(keep)]), lacking


def channel_statistics(parts: Iterable[Mapping[int, Moments]], labels: Sequence[int]) -> dict[str, NDArray]:
    """Return mean, standard deviation, minimum and maximum of each channel, each ``(C, )`` float32.

    Args:
        parts (Iterable[Mapping[int, Moments]]): Moments of each label, of each recording.
        labels (Sequence[int]): Labels whose samples count.

    Raises:
        ValueError: There is no such sample.
    """
    total = merge_moments(m for moments in parts for label, m in moments.items() if label in labels)
    statistics = dict(mean=total.mean, std=np.sqrt(total.squares / total.count), min=total.min, max=total.max)
    return {name: values.astype(np.float32) for name, values in statistics.items()}


def build_streams(
    data: Recordings, window: int, subjects: Sequence[str], labels: Sequence[int], pipelines: Mapping[str, Sequence[dict]]
) -> tuple[WindowStream, ...]:
    """Return the streams of the windows of a data set.

    Args:
        data (Recordings): All recordings.
        window (int): Samples of a window in the signal.
        subjects (Sequence[str]): Of training, whose recordings give the statistics.
        labels (Sequence[int]): Labels whose samples count for them.
        pipelines (Mapping[str, Sequence[dict]]): Transforms of each stream.

    Raises:
        ValueError: No training subject has a stream.
    """
    streams = []
    for name, sensor in data.streams.items():
        learned = [r.streams[name].summary.moments for r in data.recordings if name in r.streams and r.subject in subjects]
        try:
            statistics = channel_statistics(learned, labels)
        except ValueError as error:
            raise ValueError(f"no training subject has the stream '{name}'") from error
        streams.append(WindowStream(name, sensor, data.rate, window, statistics, Compose(list(pipelines[name]))))
    return tuple(streams)


def stream_facts(streams: Iterable[WindowStream]) -> dict[str, dict]:
    """Return what a data set's ``metainfo`` says of its streams, in plain values."""
    return {
        each.name: dict(
            channels=list(each.sensor.channels),
            units=list(each.sensor.units),
            rate=float(each.sensor.rate),
            window=each.count,
            statistics={name: [float(v) for v in values] for name, values in each.statistics.items()},
        )
        for each in streams
    }


def pack_streams(packed: dict, streams: Iterable[WindowStream], recording: Recording, info: Mapping) -> dict:
    """Put a window's streams beside its signal: ``inputs`` becomes a dict of tensors."""
    own = {each.name: each.pack(recording, info) for each in streams}
    return {**packed, 'inputs': {SIGNAL: packed['inputs'], **own}} if own else packed


def recorded_window(windows: Windows, streams: Iterable[WindowStream], index: int, name: str = SIGNAL) -> NDArray:
    """Return the samples of a window as recorded, ``(T, C)``.

    Args:
        windows (Windows): Of a data set.
        streams (Iterable[WindowStream]): Of the same data set.
        index (int): Of the window.
        name (str): Stream; the signal by default.
    """
    if name == SIGNAL:
        return windows.signal(index)
    stream = next(each for each in streams if each.name == name)
    return stream.cut(windows.recordings[windows.recording[index]], int(windows.start[index]))
