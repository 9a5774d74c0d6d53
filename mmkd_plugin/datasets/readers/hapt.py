"""HAPT, six activities and six transitions between postures, seen by a smartphone at the waist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .text import count_lines, damaged, read_numbers

__all__ = ['HAPT']

FOLDER = 'HAPT Data Set'
SENSORS = ('acc', 'gyro')
FILE = re.compile(r'(acc|gyro)_(exp\d+_user\d+)\.txt')
COLUMNS = ('experiment', 'user', 'activity', 'first', 'last')


@TASK_UTILS.register_module()
class HAPT(Reader):
    """30 subjects, 61 experiments, 12 classes, raw at 50 Hz.

    Reyes-Ortiz et al., Neurocomputing 2016; version 2.1 of the archive. Every line of ``labels.txt`` is a recording of its own,
    so that a window lies inside one label; samples without a label are left out. Channels are acceleration (g) and angular
    rate (rad/s).

    Args:
        root (str | Path): The folder ``HAPT Data Set``, with ``RawData/labels.txt`` in it.
        sensors (Sequence[str]): What to read: 'acc', 'gyro' or both, in the order of the channels.

    Attributes:
        known (dict[str, dict]): Of the parts that have been checked, ``rows``, the lines of each of its files, and ``windows``.

    Raises:
        ValueError: A sensor is unknown, or none is named.
    """

    classes = (
        *('walking', 'walking_upstairs', 'walking_downstairs', 'sitting', 'standing', 'laying'),
        *('stand_to_sit', 'sit_to_stand', 'sit_to_lie', 'lie_to_sit', 'stand_to_lie', 'lie_to_stand'),
    )
    rate = 50.0
    published_windows = dict(window=128, step=64)
    known: dict[str, dict] = {
        'exp01_user01': dict(rows=20_598, windows=185),
        'exp02_user01': dict(rows=19_286, windows=183),
        'exp03_user02': dict(rows=18_026, windows=172),
        'exp04_user02': dict(rows=16_565, windows=152),
        'exp05_user03': dict(rows=20_994, windows=184),
        'exp06_user03': dict(rows=17_493, windows=175),
        'exp07_user04': dict(rows=17_668, windows=176),
        'exp08_user04': dict(rows=15_888, windows=160),
        'exp09_user05': dict(rows=16_864, windows=169),
        'exp10_user05': dict(rows=15_038, windows=155),
        'exp51_user25': dict(rows=20_352, windows=214),
        'exp52_user26': dict(rows=20_678, windows=207),
        'exp53_user26': dict(rows=20_316, windows=202),
        'exp54_user27': dict(rows=18_253, windows=193),
        'exp55_user27': dict(rows=18_915, windows=201),
        'exp56_user28': dict(rows=20_556, windows=216),
        'exp57_user28': dict(rows=18_836, windows=179),
        'exp58_user29': dict(rows=18_651, windows=186),
        'exp59_user29': dict(rows=17_908, windows=178),
        'exp60_user30': dict(rows=23_538, windows=211),
    }

    def __init__(self, root: str | Path, sensors: Sequence[str] = SENSORS) -> None:
        super().__init__(root)
        self.sensors = tuple(sensors)
        if not self.sensors or len(set(self.sensors)) < len(self.sensors) or not set(self.sensors) <= set(SENSORS):
            raise ValueError(f'sensors are {" and ".join(SENSORS)}, or one of them; got {self.sensors}')

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the three axes of each sensor."""
        return tuple(f'{sensor}_{axis}' for sensor in self.sensors for axis in 'xyz')

    @property
    def units(self) -> tuple[str, ...]:  # type: ignore[override]
        """Units of the channels."""
        return tuple({'acc': 'g', 'gyro': 'rad/s'}[sensor] for sensor in self.sensors for _ in 'xyz')

    @property
    def labels(self) -> Path:
        """The file of labelled segments."""
        return self.root / 'RawData' / 'labels.txt'

    def parts(self) -> list[str]:
        """Return the experiments, of which each has one file for each sensor."""
        names = [FILE.fullmatch(path.name) for path in sorted(self.labels.parent.glob('*_exp*_user*.txt'))]
        parts = sorted({name[2] for name in names if name})
        if not self.labels.is_file() or not parts:
            wanted = 'acc_exp01_user01.txt, nor another experiment' if self.labels.is_file() else self.labels.name
            inside = f'; it is the folder {FOLDER!r} inside of it' if (self.root / FOLDER).is_dir() else ''
            raise FileNotFoundError(
                f'{self.labels.parent} holds no {wanted}: root must be the folder {FOLDER!r} of the UCI archive '
                f'"Smartphone-Based Recognition of Human Activities and Postural Transitions" '
                f'(archive.ics.uci.edu/dataset/341){inside}'
            )
        absent = [path for part in parts for path in self._files(part) if not path.is_file()]
        if absent:
            more = f' and {len(absent) - 1} more do' if len(absent) > 1 else ' does'
            raise ValueError(
                f'{absent[0]}{more} not exist: sensors={self.sensors} needs a file of each sensor for every experiment'
            )
        return parts

    def files(self) -> list[Path]:
        """Return the files of the sensors of every experiment, and that of the labels."""
        return [path for part in self.parts() for path in self._files(part)] + [self.labels]

    def notes(self) -> list[str]:
        """Name experiments that have labels and no file."""
        present = [_numbers(part)[0] for part in self.parts()]
        absent = sorted(set(self._segments()[:, 0].tolist()) - set(present))
        if not absent:
            return []
        return [f'{self.labels} has labels of {len(absent)} experiment(s) that are absent: {", ".join(map(str, absent))}']

    def read(self, part: str) -> Part:
        """Read one recording for each labelled segment."""
        tables, notes = [], []
        for path in self._files(part):
            table = read_numbers(path, 'xyz')  # (T, 3)
            wrong = np.argwhere(~np.isfinite(table))
            if len(wrong):
                row, axis = wrong[0]
                raise damaged(path, row + 1, f'{"xyz"[axis]} is {table[row, axis]}, expected a finite number')
            tables.append(table)
        length = min(map(len, tables))
        for path, table in zip(self._files(part), tables):
            if len(table) > length:
                notes.append(f'{path}: {len(table) - length} sample(s) at the end are left out, which the other sensor lacks')
        signal = np.concatenate([table[:length] for table in tables], axis=1).astype(np.float32)  # (T, C)
        recordings = [
            Recording(signal[first - 1 : last], activity - 1, str(_numbers(part)[1]), f'{part}:{first}')
            for activity, first, last in self._labelled(part, length)
        ]
        if not recordings:
            notes.append(f'{self.labels} has no label of {part}, which is left out')
        return Part(tuple(recordings), tuple(notes))

    def rows(self, part: str) -> int:
        """Count the lines of the file of the first sensor."""
        return count_lines(self._files(part)[0])

    def _files(self, part: str) -> list[Path]:
        return [self.labels.parent / f'{sensor}_{part}.txt' for sensor in self.sensors]

    def _labelled(self, part: str, length: int) -> list[tuple[int, int, int]]:
        """Return activity, first and last sample of an experiment's segments, counted from 1, both included."""
        experiment, user = _numbers(part)
        segments = self._segments()
        rows = np.flatnonzero(segments[:, 0] == experiment)
        for row in rows:
            _, owner, _, _, last = segments[row]
            if owner != user:
                raise damaged(self.labels, row + 1, f'user {owner} in experiment {experiment}, expected {user} as in {part}')
            if last > length:
                raise damaged(self.labels, row + 1, f'the last sample is {last:,}; {part} has {length:,} samples')
        return [tuple(segments[row, 2:].tolist()) for row in rows]

    def _segments(self) -> NDArray:
        """Read ``labels.txt``, ``(n, 5)`` whole numbers."""
        table = read_numbers(self.labels, COLUMNS)
        wrong = np.argwhere(~((table >= 1) & (table % 1 == 0)))
        if len(wrong):
            row, column = wrong[0]
            raise damaged(self.labels, row + 1, f'{COLUMNS[column]} is {table[row, column]:g}, expected a whole number from 1')
        experiment, _, activity, first, last = table.T
        if (activity > len(self.classes)).any():
            row = int((activity > len(self.classes)).argmax())
            raise damaged(self.labels, row + 1, f'activity {activity[row]:g}, expected 1 to {len(self.classes)}')
        if (last < first).any():
            row = int((last < first).argmax())
            raise damaged(self.labels, row + 1, f'the last sample, {last[row]:g}, comes before the first, {first[row]:g}')
        order = np.lexsort((first, experiment))
        before, after = order[:-1], order[1:]
        overlap = (experiment[before] == experiment[after]) & (first[after] <= last[before])
        if overlap.any():
            one, other = sorted((int(before[overlap.argmax()]), int(after[overlap.argmax()])))
            raise damaged(self.labels, other + 1, f'the segment shares samples with that of line {one + 1}')
        return table.astype(np.int64)


def _numbers(part: str) -> tuple[int, int]:
    """Split a name into experiment and user: 'exp01_user01' to (1, 1)."""
    experiment, user = re.findall(r'\d+', part)
    return int(experiment), int(user)
