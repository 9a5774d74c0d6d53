"""Windows: ranges of samples in recordings, kept as arrays so that millions of them cost little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .recordings import Recording

__all__ = ['Windows', 'cut_windows']


@dataclass(frozen=True, eq=False)
class Windows(Sequence):
    """Windows in order; one of them is a dict, a slice or an array of places gives fewer windows.

    Attributes:
        recordings (tuple[Recording, ...]): What they lie in.
        length (int): Samples of a window.
        recording (ndarray): Place of each window's recording, ``(n, )``.
        start (ndarray): First sample, ``(n, )``.
        label (ndarray): −1 for an anomaly, ``(n, )``.
    """

    recordings: tuple[Recording, ...]
    length: int
    recording: NDArray
    start: NDArray
    label: NDArray

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, place) -> dict | Windows:
        if not isinstance(place, (int, np.integer)):
            place = place if isinstance(place, slice) else np.asarray(place, dtype=np.int64)
            return Windows(self.recordings, self.length, self.recording[place], self.start[place], self.label[place])
        recording, start, label = self.recordings[self.recording[place]], int(self.start[place]), int(self.label[place])
        return dict(
            gt_label=label,
            anomaly=int(label < 0),
            subject=recording.subject,
            recording=recording.name,
            start=start,
            window_id=f'{recording.name}:{start}',
        )

    def signal(self, place: int) -> NDArray:
        """Samples of a window, ``(length, C)``; a view into the recording."""
        start = self.start[place]
        return self.recordings[self.recording[place]].signal[start : start + self.length]

    @property
    def subjects(self) -> NDArray:
        """Subject of each window, ``(n, )`` strings."""
        return np.array([r.subject for r in self.recordings])[self.recording] if len(self) else np.empty(0, dtype='U1')


def cut_windows(recordings: Sequence[Recording], chosen: Sequence[int], length: int, step: int) -> tuple[Windows, list[str]]:
    """Windows of some recordings, those whose first and last sample have the same label.

    Args:
        recordings (Sequence[Recording]): All of them.
        chosen (Sequence[int]): Places of those to cut.
        length (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.

    Returns:
        tuple[Windows, list[str]]: Windows with the recordings' labels, and the names of recordings too short for one.
    """
    parts, short = [], []
    for place in chosen:
        recording = recordings[place]
        starts = np.arange(0, len(recording.signal) - length + 1, step)
        if not len(starts):
            short.append(recording.name)
        first, last = recording.labels_at(starts), recording.labels_at(starts + length - 1)
        keep = (first == last) & (first >= 0)
        parts.append((np.full(keep.sum(), place), starts[keep], first[keep]))
    columns = [np.concatenate([part[i] for part in parts] or [[]]).astype(np.int64) for i in range(3)]
    return Windows(tuple(recordings), length, *columns), short
