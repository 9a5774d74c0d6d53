"""UCI-HAR, six activities seen by a smartphone at the waist, in windows as the archive has cut them."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .text import count_lines, damaged, read_numbers

__all__ = ['UCIHAR']

FOLDER = 'UCI HAR Dataset'
LENGTH = 128  # samples of a window
SUBJECTS = 30


@TASK_UTILS.register_module()
class UCIHAR(Reader):
    """Windows of 2.56 s at 50 Hz: 7,352 of 21 subjects in the part 'train', 2,947 of 9 in the part 'test'.

    Anguita et al., ESANN 2013; version 1.0 of the archive. Every line is a recording of its own, ``train_00012`` for the
    thirteenth line: lines that follow each other share half of their samples where a subject went on with an activity, and the
    archive does not say where that is. They are of one subject, so that no split by subject separates them.

    Channels are acceleration without gravity (g), angular rate (rad/s) and acceleration (g).

    Args:
        root (str | Path): The folder ``UCI HAR Dataset``, with ``train/`` and ``test/`` in it.

    Attributes:
        known (dict[str, dict]): Of each part, ``rows``, the lines of each of its files, and ``windows``, the same number.
    """

    channels = tuple(f'{signal}_{axis}' for signal in ('body_acc', 'body_gyro', 'total_acc') for axis in 'xyz')
    units = tuple(unit for unit in ('g', 'rad/s', 'g') for _ in 'xyz')
    classes = ('walking', 'walking_upstairs', 'walking_downstairs', 'sitting', 'standing', 'laying')
    rate = 50.0
    published_windows = dict(window=LENGTH, step=LENGTH)
    known: dict[str, dict] = {'train': dict(rows=7352, windows=7352), 'test': dict(rows=2947, windows=2947)}

    def parts(self) -> list[str]:
        """'train' and 'test'."""
        parts = list(self.known)
        absent = [part for part in parts if not (self.root / part).is_dir()]
        if absent:
            inside = f'; it is the folder {FOLDER!r} inside of it' if (self.root / FOLDER).is_dir() else ''
            raise FileNotFoundError(
                f'{self.root} holds no folder {" and no folder ".join(absent)}: root must be the folder {FOLDER!r} of the UCI '
                f"archive's 'Human Activity Recognition Using Smartphones' (archive.ics.uci.edu/dataset/240){inside}"
            )
        missing = [file for part in parts for file in self._of(part) if not file.is_file()]
        if missing:
            raise ValueError(f'{missing[0]} does not exist; a part has labels, subjects and {len(self.channels)} channels')
        return parts

    def files(self) -> list[Path]:
        """Return labels, subjects and the nine channels of both parts."""
        return [file for part in self.parts() for file in self._of(part)]

    def notes(self) -> list[str]:
        """Name the subjects without a window."""
        present = {subject for part in self.parts() for subject in _whole(self._of(part)[1], 'subject', SUBJECTS)}
        absent = [str(subject) for subject in range(1, SUBJECTS + 1) if subject not in present]
        return [f'{self.root}: there is no window of subject {", ".join(absent)}'] if absent else []

    def read(self, part: str) -> Part:
        """One recording for each line."""
        labelled, recorded, *signals = self._of(part)
        labels = _whole(labelled, 'label', len(self.classes)) - 1
        subjects = _whole(recorded, 'subject', SUBJECTS)
        _same_length(recorded, len(subjects), labelled, len(labels))
        signal = np.empty((len(labels), LENGTH, len(self.channels)), dtype=np.float32)
        for channel, file in enumerate(signals):
            table = read_numbers(file, LENGTH)  # (n, 128)
            wrong = np.argwhere(~np.isfinite(table))
            if len(wrong):
                line, sample = wrong[0]
                raise damaged(file, line + 1, f'column {sample + 1} is {table[line, sample]}, expected a finite number')
            _same_length(file, len(table), labelled, len(labels))
            signal[:, :, channel] = table
        recordings = [Recording(signal[i], int(labels[i]), str(subjects[i]), f'{part}_{i:05d}') for i in range(len(labels))]
        return Part(tuple(recordings), tuple(_returning(recorded, subjects)))

    def rows(self, part: str) -> int:
        """Lines of the file of labels."""
        return count_lines(self._of(part)[0])

    def _of(self, part: str) -> list[Path]:
        """Return the files of a part: labels, subjects and the channels."""
        folder = self.root / part
        signals = [folder / 'Inertial Signals' / f'{name}_{part}.txt' for name in self.channels]
        return [folder / f'y_{part}.txt', folder / f'subject_{part}.txt', *signals]


def _whole(file: Path, name: str, most: int) -> NDArray:
    """Read a column of whole numbers from 1 to ``most``, ``(n, )``."""
    values = read_numbers(file, [name])[:, 0]
    wrong = ~np.isin(values, np.arange(1, most + 1))
    if wrong.any():
        row = int(wrong.argmax())
        raise damaged(file, row + 1, f'{name} {values[row]:g}, expected a whole number from 1 to {most}')
    return values.astype(np.int64)


def _same_length(file: Path, lines: int, labelled: Path, expected: int) -> None:
    """Refuse a file that has another number of lines than the labels."""
    if lines != expected:
        raise damaged(file, min(lines, expected) + 1, f'{lines:,} lines, expected {expected:,} as in {labelled.name}')


def _returning(file: Path, subjects: NDArray) -> list[str]:
    """Say where a subject comes back after another; the archive has each subject's lines together."""
    seen, line, notes = set(), 1, []
    for subject, run in groupby(subjects.tolist()):
        if subject in seen:
            notes.append(f'{file}:{line}: subject {subject} comes back after another; lines are taken in their order')
        seen.add(subject)
        line += len(list(run))
    return notes
