"""Windows: ranges of samples in recordings, kept as arrays so that millions of them take little memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from .recordings import Recording

__all__ = ['Windows', 'cut_windows']


@dataclass(frozen=True, eq=False)
class Windows(Sequence):
    """A sequence of windows; an index gives a dict, a slice or an array of indices gives fewer windows.

    Attributes:
        recordings (tuple[Recording, ...]): Recordings in which the windows lie.
        length (int): Samples of a window.
        recording (ndarray): Index of each window's recording, ``(n, )``.
        start (ndarray): First sample of each window, ``(n, )``.
        label (ndarray): Label of each window, −1 for an anomaly, ``(n, )``.
        present (Mapping[str, ndarray]): Whether each window has a stream, ``(n, )`` by the stream's name; empty where the data
            have no streams.
    """

    recordings: tuple[Recording, ...]
    length: int
    recording: NDArray
    start: NDArray
    label: NDArray
    present: Mapping[str, NDArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.start)

    @overload
    def __getitem__(self, index: int) -> dict: ...
    @overload
    def __getitem__(self, index: slice | NDArray | Sequence[int]) -> Windows: ...
    def __getitem__(self, index):
        if not isinstance(index, (int, np.integer)):
            index = index if isinstance(index, slice) else np.asarray(index, dtype=np.int64)
            columns = {name: getattr(self, name)[index] for name in ('recording', 'start', 'label')}
            return replace(self, **columns, present={name: column[index] for name, column in self.present.items()})
        recording, start, label = self.recordings[self.recording[index]], int(self.start[index]), int(self.label[index])
        info = dict(
            gt_label=label,
            anomaly=int(label < 0),
            subject=recording.subject,
            recording=recording.name,
            start=start,
            window_id=f'{recording.name}:{start}',
        )
        if self.present:
            info['missing'] = tuple(name for name, column in self.present.items() if not column[index])
        return info

    def signal(self, index: int) -> NDArray:
        """Return the samples of a window, ``(length, C)``, as a view into the recording."""
        start = self.start[index]
        return self.recordings[self.recording[index]].signal[start : start + self.length]

    @property
    def subjects(self) -> NDArray:
        """Subjects of the windows, ``(n, )`` strings."""
        return np.array([r.subject for r in self.recordings])[self.recording] if len(self) else np.empty(0, dtype='U1')


def cut_windows(recordings: Sequence[Recording], chosen: Sequence[int], length: int, step: int) -> tuple[Windows, list[str]]:
    """Cut recordings into windows whose first and last sample have the same label.

    Args:
        recordings (Sequence[Recording]): All recordings.
        chosen (Sequence[int]): Indices of those to cut.
        length (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.

    Returns:
        tuple[Windows, list[str]]: Windows with the recordings' labels, and the names of recordings too short for one.
    """
    parts, short = [], []
    for index in chosen:
        recording = recordings[index]
        starts = np.arange(0, len(recording.signal) - length + 1, step)
        if not len(starts):
            short.append(recording.name)
        first, last = recording.labels_at(starts), recording.labels_at(starts + length - 1)
        keep = (first == last) & (first >= 0)
        parts.append((np.full(keep.sum(), index), starts[keep], first[keep]))
    places, starts, labels = (np.concatenate([part[i] for part in parts] or [[]]).astype(np.int64) for i in range(3))
    return Windows(tuple(recordings), length, places, starts, labels), short
