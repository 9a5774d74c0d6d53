"""PAMAP2, physical activities seen by three inertial sensors and a heart-rate monitor, by the published protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .text import count_lines, damaged, read_numbers

__all__ = ['PAMAP2']

SUBJECTS = tuple(str(number) for number in range(101, 110))
ACTIVITIES = {
    1: 'lying',
    2: 'sitting',
    3: 'standing',
    4: 'walking',
    5: 'running',
    6: 'cycling',
    7: 'nordic_walking',
    12: 'ascending_stairs',
    13: 'descending_stairs',
    16: 'vacuum_cleaning',
    17: 'ironing',
    24: 'rope_jumping',
}
DROPPED = (0, 8, 9, 10, 11, 18, 19, 20)  # activities that the protocol leaves out; 0 is what lies between two activities
POSITIONS = ('hand', 'chest', 'ankle')
SENSORS = ('temperature', *(f'{sensor}_{axis}' for sensor in ('acc16', 'acc6', 'gyro', 'mag') for axis in 'xyz'))
COLUMNS = (
    'timestamp',
    'activityID',
    'heart_rate',
    *(f'{where}_{what}' for where in POSITIONS for what in (*SENSORS, *(f'orientation_{i}' for i in range(1, 5)))),
)
EVERY = 3  # rows: 100 Hz become 33.3 Hz
SKIPPED = 22  # samples at 33.3 Hz: the published windows begin at the second one, a step of 22 after the first
BEAT = 100  # rows, 1 s: a heart rate comes about nine times a second
GAP = 0.015  # seconds, one and a half steps of 100 Hz: a row is missing


@TASK_UTILS.register_module()
class PAMAP2(Reader):
    """Nine subjects, 12 of 18 activities, 40 channels at 33.3 Hz.

    Reiss & Stricker, ISWC 2012. Protocol of the published comparisons (Jeon et al., Asilomar 2022 and arXiv:2407.05315), in the
    order of the code that they published (github.com/jeunsom/TDA_KD): rows of the other activities are dropped and the rest
    joined, the heart rate (bpm) is held between beats, what is missing then is 0, and every third row is kept. Their windows
    (100 samples, step 22, both ends of one label) start at sample 22 of that stream, not at 0; recordings begin there.

    What is known of the archive agrees: its rows of the 12 classes, thinned like this, are as many samples as they print for
    each subject, and subject 109, one class of 6,391 rows, gives their 92 windows (93 from sample 0 on). The counts of the
    others depend on where activities change, which only the files tell; they have not been checked with this reader.

    Channels are the heart rate and, of each position, temperature (°C), acceleration at ±16 g and ±6 g (m/s²), angular rate
    (rad/s) and magnetic field (μT). Orientation, invalid in this archive, is left out.

    Args:
        root (str | Path): The folder ``PAMAP2_Dataset``, with ``Protocol/subject101.dat`` and others in it.
        subjects (Sequence[str], optional): Whom to read, of '101' to '109'; all by default.
        gaps (str): 'join', as published: a window may span rows that were dropped. 'cut': a new recording begins where rows
            were dropped or are missing, its first row is kept, nothing is skipped, and the heart rate is held over the
            dropped rows as well. The counts are then not the published ones.

    Attributes:
        known (dict[str, dict]): Of each part, ``rows``, the lines of its file (together 2,872,533), ``bytes``, its size, and
            ``windows``, what the published comparisons have of it (together 28,949), with gaps='join'.

    Raises:
        ValueError: A subject or the way of treating gaps is unknown.
    """

    channels = ('heart_rate', *(f'{where}_{what}' for where in POSITIONS for what in SENSORS))
    units = ('1/min', *(('°C', *['m/s²'] * 6, *['rad/s'] * 3, *['μT'] * 3) * len(POSITIONS)))
    classes = tuple(ACTIVITIES.values())
    rate = 100 / EVERY
    known: dict[str, dict] = {
        '101': dict(rows=376_417, windows=3726, bytes=141_698_539),
        '102': dict(rows=447_000, windows=3925, bytes=207_349_310),
        '103': dict(rows=252_833, windows=2592, bytes=117_863_364),
        '104': dict(rows=329_576, windows=3447, bytes=153_227_482),
        '105': dict(rows=374_783, windows=4065, bytes=173_773_599),
        '106': dict(rows=361_817, windows=3728, bytes=168_263_273),
        '107': dict(rows=313_599, windows=3465, bytes=145_823_268),
        '108': dict(rows=408_031, windows=3909, bytes=190_019_653),
        '109': dict(rows=8_477, windows=92, bytes=3_891_140),
    }

    def __init__(self, root: str | Path, subjects: Sequence[str] | None = None, gaps: str = 'join') -> None:
        super().__init__(root)
        self.subjects = tuple(str(subject) for subject in (SUBJECTS if subjects is None else subjects))
        unknown = [subject for subject in self.subjects if subject not in SUBJECTS]
        if unknown or not self.subjects:
            raise ValueError(f'subjects are some of {", ".join(SUBJECTS)}; got {", ".join(unknown) or "none"}')
        if gaps not in ('join', 'cut'):
            raise ValueError(f"gaps must be 'join' or 'cut', got {gaps!r}")
        self.gaps = gaps

    def parts(self) -> list[str]:
        """Return the subjects whose file exists."""
        present = [subject for subject in self.subjects if self._file(subject).is_file()]
        if not present:
            raise FileNotFoundError(
                f'{self.root} holds no Protocol/subject{self.subjects[0]}.dat, nor another subject: root must be the folder '
                "PAMAP2_Dataset of the UCI archive's 'PAMAP2 Physical Activity Monitoring' (archive.ics.uci.edu/dataset/231)"
            )
        return present

    def files(self) -> list[Path]:
        """Return one file for each subject."""
        return [self._file(part) for part in self.parts()]

    def notes(self) -> list[str]:
        """Name the subjects whose file is missing."""
        absent = [self._file(subject).name for subject in self.subjects if subject not in self.parts()]
        return [f'{self.root / "Protocol"}: absent are {", ".join(absent)}'] if absent else []

    def read(self, part: str) -> Part:
        """Read one subject: one recording, or one between any two gaps."""
        file = self._file(part)
        table = read_numbers(file, COLUMNS)  # (rows, 54)
        notes = _check(file, table)
        kept = np.flatnonzero(np.isin(table[:, 1], list(ACTIVITIES)))
        # Published: a beat is held among the rows that stay, so that it may come from before a gap.
        beats = table[kept, 2]
        heart = beats[_last(beats)] if self.gaps == 'join' else table[_last(table[:, 2])[kept], 2]
        columns = np.array([COLUMNS.index(name) for name in self.channels[1:]])
        signal = np.column_stack([heart, table[np.ix_(kept, columns)]])  # (n, 40)
        notes += _zeroed(file, beats, signal, kept + 1)
        labels = np.searchsorted(list(ACTIVITIES), table[kept, 1])
        recordings = []
        for rows in self._pieces(kept, table[kept, 0]):
            name = part if self.gaps == 'join' else f'{part}:{kept[rows[0]] + 1}'
            recordings.append(Recording(signal[rows].astype(np.float32), labels[rows], part, name))
        if not recordings:
            notes.append(f'{file}: {len(kept)} rows of the {len(self.classes)} activities, too few for a recording')
        return Part(tuple(recordings), tuple(notes))

    @property
    def published_windows(self) -> dict[str, int] | None:
        """Windows of the published comparisons, which join the kept rows."""
        return dict(window=100, step=22) if self.gaps == 'join' else None

    def rows(self, part: str) -> int:
        """Count the lines of the file."""
        return count_lines(self._file(part))

    def files_of(self, part: str) -> list[Path]:
        """Return the file."""
        return [self._file(part)]

    def _file(self, subject: str) -> Path:
        return self.root / 'Protocol' / f'subject{subject}.dat'

    def _pieces(self, kept: NDArray, times: NDArray) -> list[NDArray]:
        """Return the indices, among the kept rows, of the samples of each recording."""
        indices = np.arange(len(kept))
        if self.gaps == 'join':
            pieces = [indices[::EVERY][SKIPPED:]]
        else:
            jumps = (np.diff(kept) > 1) | (np.diff(times) > GAP)
            pieces = [piece[::EVERY] for piece in np.split(indices, np.flatnonzero(jumps) + 1)]
        return [piece for piece in pieces if len(piece)]


def _check(file: Path, table: NDArray) -> list[str]:
    """Refuse impossible values, and note missing rows."""
    times, activities = table[:, 0], table[:, 1]
    needed = [i for i, name in enumerate(COLUMNS) if 'orientation' not in name]
    wrong = np.argwhere(np.isinf(table[:, needed]) | (np.isnan(table[:, needed]) & (np.array(needed) < 2)))
    if len(wrong):
        row, column = wrong[0][0], needed[wrong[0][1]]
        raise damaged(file, row + 1, f'{COLUMNS[column]} is {table[row, column]}, expected a finite number')
    unknown = ~np.isin(activities, [*ACTIVITIES, *DROPPED])
    if unknown.any():
        row = int(unknown.argmax())
        raise damaged(file, row + 1, f'activityID is {activities[row]:g}, expected one of {sorted([*ACTIVITIES, *DROPPED])}')
    steps = np.diff(times)
    if (steps <= 0).any():
        # No repair: windows count rows, and nothing tells which of the rows belong there and in what order.
        row = int((steps <= 0).argmax()) + 1
        problem = 'repeats' if steps[row - 1] == 0 else f'goes back from {times[row - 1]:.2f} to'
        raise damaged(file, row + 1, f'the timestamp {problem} {times[row]:.2f} s, expected 0.01 s more in every line')
    late = np.flatnonzero(steps > GAP)
    if len(late):
        problem = f'the time jumps by {steps[late[0]]:.2f} s, expected 0.01 s: rows are missing'
        return [f'{file}:{late[0] + 2}: {problem} ({len(late)} time(s))']
    return []


def _last(values: NDArray) -> NDArray:
    """Return the index of the last number up to each row; 0 before the first number, ``(n, )``."""
    return np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))


def _zeroed(file: Path, beats: NDArray, signal: NDArray, lines: NDArray) -> list[str]:
    """Set missing values to 0, in place, and note them, except for rows between two beats."""
    notes, missing = [], np.isnan(signal)
    long = (np.arange(len(beats)) - _last(beats) > BEAT) & ~missing[:, 0]
    if long.any():
        notes.append(f'{file}:{lines[long.argmax()]}: the last heart rate is held for more than 1 s ({long.sum():,} row(s))')
    if missing.any():
        counts = [missing[:, 0].sum(), *missing[:, 1:].reshape(len(signal), len(POSITIONS), -1).sum((0, 2))]
        of = ', '.join(f'{name} {count:,}' for name, count in zip(('heart_rate', *POSITIONS), counts) if count)
        first = lines[missing.any(1).argmax()]
        notes.append(f'{file}:{first}: {missing.sum():,} missing value(s) from here on set to 0, as published ({of})')
    signal[missing] = 0
    return notes
