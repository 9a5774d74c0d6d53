"""Recordings, independent of the format on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .names import NOBODY
from .streams import Sensor, Stream, check_names, labels_of_stream

__all__ = ['Moments', 'Recording', 'Recordings', 'Summary', 'merge_moments', 'summarize']


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean, sum of squared deviations, minimum and maximum of C channels, each ``(C, )`` float64 but the count."""

    count: int
    mean: NDArray
    squares: NDArray
    min: NDArray
    max: NDArray


@dataclass(frozen=True, eq=False)
class Summary:
    """What is known of a recording without reading it again.

    Attributes:
        moments (dict[int, Moments]): Moments of the samples of each label.
        fingerprint (str): SHA-256 of samples and labels, in hexadecimal.
    """

    moments: dict[int, Moments]
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Recording:
    """One uninterrupted recording of one subject.

    Attributes:
        signal (ndarray): ``(T, C)``, float32; may be memory-mapped.
        label (int | ndarray): Index into the classes, or one per sample ``(T, )`` with −1 where there is none.
        subject (str): Person who was recorded; splits are made by subject. A number is taken as a text.
        name (str): Unique within the data set.
        summary (Summary, optional): Computed from the samples by default; a store keeps the summaries of its recordings.
        streams (Mapping[str, Stream]): Other sensors that were recorded at the same time, by name; one may be absent.

    Raises:
        ValueError: The shapes do not fit, the signal holds no numbers, a label is no whole number, or nobody is named.
    """

    signal: NDArray
    label: int | NDArray
    subject: str
    name: str
    summary: Summary = field(default=None, repr=False)  # type: ignore[assignment]  # set below
    streams: Mapping[str, Stream] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.signal, np.ndarray):
            try:
                object.__setattr__(self, 'signal', np.asarray(self.signal))
            except ValueError as error:
                raise ValueError(f"recording '{self.name}': the rows of the signal have different lengths") from error
        if self.signal.dtype.kind not in 'fiu':
            raise ValueError(f"recording '{self.name}': the signal has the type {self.signal.dtype}, expected numbers")
        if not isinstance(self.subject, str):
            subject = self.subject.decode() if isinstance(self.subject, bytes) else str(self.subject)
            object.__setattr__(self, 'subject', subject)
        if self.subject in NOBODY:
            raise ValueError(f"recording '{self.name}' has the subject {self.subject!r}: expected who was recorded")
        object.__setattr__(self, 'label', self._as_index(self.label))
        signal = self.signal
        if signal.ndim != 2 or (not np.isscalar(self.label) and np.shape(self.label) != signal.shape[:1]):
            raise ValueError(
                f"recording '{self.name}' must have samples (T, C) and one label or one for each sample; got shapes "
                f'{signal.shape} and {np.shape(self.label)}'
            )
        if self.summary is None:
            object.__setattr__(self, 'summary', summarize(signal, self.label))
        signal.setflags(write=False)  # one copy serves every split and every run of the process

    def _as_index(self, label: object) -> int | NDArray:
        labels = label if isinstance(label, np.ndarray) else np.asarray(label)  # that of a store stays mapped
        if labels.dtype.kind not in 'iu':
            given = repr(labels.ravel().tolist()[0]) if labels.size else str(labels.dtype)
            raise ValueError(
                f"recording '{self.name}' has the label {given}: a label is a whole number, the index of a class; "
                'classes.index(name) gives that of a name'
            )
        return labels if labels.ndim else int(labels)

    def labels_at(self, indices: NDArray) -> NDArray:
        """Return the labels of some samples: ``(n, )`` indices to ``(n, )`` labels."""
        if np.isscalar(self.label):
            return np.full(len(indices), self.label, dtype=np.int64)
        return np.asarray(self.label)[indices].astype(np.int64)


def summarize(signal: NDArray, label: int | NDArray, gaps: bool = False) -> Summary:
    """Compute the moments of each label's samples, in float64, and the fingerprint of samples and labels.

    Args:
        signal (ndarray): ``(T, C)``.
        label (int | ndarray): Of all samples, or ``(T, )``.
        gaps (bool): Leave rows with NaN out of the moments.
    """
    labels = np.full(len(signal), label) if np.isscalar(label) else np.asarray(label)
    recorded = ~np.isnan(signal).any(1) if gaps else np.ones(len(signal), dtype=bool)
    moments = {}
    for value in np.unique(labels[recorded]):
        exact = signal[recorded & (labels == value)].astype(np.float64)
        with np.errstate(invalid='ignore'):  # infinities are refused later, where the channel has a name
            mean = exact.mean(0)
            squares = ((exact - mean) ** 2).sum(0)
        moments[int(value)] = Moments(len(exact), mean, squares, exact.min(0), exact.max(0))
    sha = hashlib.sha256(repr((signal.shape, label if np.isscalar(label) else None)).encode())
    sha.update(np.ascontiguousarray(signal).data)
    if not np.isscalar(label):
        sha.update(np.ascontiguousarray(label, dtype=np.int64).data)
    return Summary(moments, sha.hexdigest())


def merge_moments(parts: Iterable[Moments]) -> Moments:
    """Combine the moments of several parts (Chan et al. 1979).

    Raises:
        ValueError: No part is given.
    """
    merged = None
    for part in parts:
        if merged is None:
            merged = part
            continue
        count = merged.count + part.count
        away = part.mean - merged.mean
        merged = Moments(
            count,
            merged.mean + away * (part.count / count),
            merged.squares + part.squares + away**2 * (merged.count * part.count / count),
            np.minimum(merged.min, part.min),
            np.maximum(merged.max, part.max),
        )
    if merged is None:
        raise ValueError('there is nothing to take statistics of')
    return merged


@dataclass(frozen=True, eq=False)
class Recordings:
    """A data set before windows.

    Attributes:
        recordings (tuple[Recording, ...]): At least one.
        channels (tuple[str, ...]): Names of the C channels.
        classes (tuple[str, ...]): Names of the K classes.
        rate (float): Samples per second, in Hz.
        notes (tuple[str, ...]): Repairs and missing parts, as sentences.
        streams (Mapping[str, Sensor]): What is the same in all recordings of each stream, by name.

    Raises:
        ValueError: No recording is given, or a recording has a wrong number of channels, an unknown label, the name of another,
            a value that is not finite, or a stream that the data set does not have.
    """

    recordings: tuple[Recording, ...]
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    rate: float
    notes: tuple[str, ...] = ()
    streams: Mapping[str, Sensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.recordings:
            raise ValueError('there is no recording')
        check_names(self.streams)
        names = [recording.name for recording in self.recordings]
        if len(set(names)) < len(names):
            raise ValueError(
                f'recordings must have different names; used twice: {sorted({n for n in names if names.count(n) > 1})[:3]}'
            )
        for recording in self.recordings:
            self._check(recording)

    def _check(self, recording: Recording) -> None:
        where = f"recording '{recording.name}'"
        if recording.signal.shape[1] != len(self.channels):
            raise ValueError(
                f'{where} has shape {recording.signal.shape}, expected (T, {len(self.channels)}) for {", ".join(self.channels)}'
            )
        if not all(np.isfinite(m.min + m.max).all() for m in recording.summary.moments.values()):
            sample, channel = np.argwhere(~np.isfinite(recording.signal))[0]
            raise ValueError(
                f"{where}, channel '{self.channels[channel]}' has {recording.signal[sample, channel]} at sample {sample}; "
                'fill or cut gaps before windows are made'
            )
        for label in recording.summary.moments:
            lowest = 0 if np.isscalar(recording.label) else -1
            if not lowest <= label < len(self.classes):
                raise ValueError(f'{where} has label {label}, expected {lowest} to {len(self.classes) - 1}')
        for name, stream in recording.streams.items():
            self._check_stream(f"{where}, stream '{name}'", recording, name, stream)

    def _check_stream(self, where: str, recording: Recording, name: str, stream: Stream) -> None:
        """Check a stream, and summarise one that has no summary yet: only here its rate and that of the signal are known."""
        if name not in self.streams:
            raise ValueError(f'{where}: the data set has the streams {", ".join(self.streams) or "none"}')
        sensor = self.streams[name]
        if stream.signal.shape[1] != len(sensor.channels):
            raise ValueError(
                f'{where} has shape {stream.signal.shape}, expected (T, {len(sensor.channels)}) for '
                f'{", ".join(sensor.channels)}'
            )
        if stream.summary is None:
            label = labels_of_stream(stream, sensor, recording.label, len(recording.signal), self.rate)
            object.__setattr__(stream, 'summary', summarize(stream.signal, label, gaps=True))
        if not all(np.isfinite(m.min + m.max).all() for m in stream.summary.moments.values()):
            sample, channel = np.argwhere(np.isinf(stream.signal))[0]
            raise ValueError(
                f"{where}, channel '{sensor.channels[channel]}' has {stream.signal[sample, channel]} at sample {sample}; "
                'rows of NaN stand for what was not recorded'
            )

    def fingerprint(self) -> str:
        """Return SHA-256 of samples, labels, subjects and names, in hexadecimal."""
        sha = hashlib.sha256(repr((self.channels, self.classes, self.rate)).encode())
        for r in self.recordings:
            sha.update(repr((r.name, r.subject, r.summary.fingerprint)).encode())
        if self.streams:
            sha.update(repr(sorted(self.streams.items())).encode())
            kept = [
                (r.name, sorted((n, s.offset, s.summary.fingerprint) for n, s in r.streams.items())) for r in self.recordings
            ]
            sha.update(repr(kept).encode())
        return sha.hexdigest()
