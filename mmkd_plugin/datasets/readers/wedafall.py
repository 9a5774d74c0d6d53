"""WEDA-FALL, falls and everyday movements of young and very old people, seen by a smart watch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from .base import Part, Reader
from .columns import read_columns
from .delivered import OPEN_END, Repairs, delivered_tracks
from .options import check_chosen, check_grid, check_one
from .sensors import join_sensors
from .text import count_lines, damaged, read_named_numbers
from .tracks import Track

__all__ = ['WEDAFall']

MOVEMENTS = {
    **dict(D01='walking', D02='jogging', D03='stairs', D04='sitting_and_getting_up', D05='collapsing_into_a_chair'),
    **dict(D06='crouching', D07='stumbling', D08='jumping', D09='hitting_a_table', D10='clapping', D11='opening_a_door'),
    **dict(F01='slipping_forward', F02='slipping_sideways', F03='slipping_backward', F04='tripping_forward'),
    **dict(F05='falling_backward_when_sitting_down', F06='fainting_forward', F07='fainting_backward', F08='fainting_sideways'),
}
# Kind of measurement: its name in the archive, its axes, its unit.
KINDS = dict(acc=('accel', 'xyz', 'm/s²'), gyr=('gyro', 'xyz', 'rad/s'), ori=('orientation', 'sijk', '1'))
RATE = 50.0  # Hz, about that of every sensor; two fifths of the trials have 40
SUBJECTS = tuple(map(str, (*range(1, 15), *range(21, 32))))
ROUNDING = 1e-6  # seconds
FILE = re.compile(r'U(\d+)_R(\d+)_([a-z_]+)\.csv')
# Rows of each subject.
ROWS = (
    *(117_056, 111_809, 84_459, 82_993, 126_967, 111_255, 106_793, 123_591, 101_397, 100_725),
    *(95_821, 84_143, 92_170, 119_921, 23_251, 22_093, 29_438, 28_743, 16_680, 22_380),
    *(23_864, 26_544, 21_175, 18_079, 22_526),
)


@TASK_UTILS.register_module()
class WEDAFall(Reader):
    """25 subjects of whom 11 are 77 to 95 years old, 11 everyday movements and, of the 14 others, 8 kinds of falls, at 50 Hz.

    Marques & Moreno, Sensors 2023, https://doi.org/10.3390/s23031146. A trial is one movement. Acceleration (m/s²), angular
    rate (rad/s) and orientation (a quaternion, scalar first, whose sign is kept from sample to sample) have a file and stamps
    of their own. A sensor samples evenly, and four or five samples are delivered at once with nearly the same stamp, some of
    these packets out of order: rows are sorted, and times are those of even sampling, see
    :func:`~mmkd_plugin.datasets.readers.even_clock.sampling_times`; then all are put on one grid over the time that all cover.

    In a trial with a fall, the fall lasts about 3 s of 12. ``fall_timestamps.csv`` says when; the authors put it
    together by hand.

    Args:
        root (str | Path): The folder with ``dataset/50Hz/D01/U01_R01_accel.csv`` and others, and
            ``dataset/fall_timestamps.csv``.
        kinds (Sequence[str]): 'acc', 'gyr', 'ori', in the order of the channels.
        task (str): 'fall', fall or not, or 'activity', all 19 movements.
        falls (str): 'time' labels the samples of a fall, and none before and after, where a person walks, sits or lies; 'trial'
            labels all samples of the trial.
        rate (float): Of the grid, in Hz.
        max_gap (float): Seconds without a sample, above which a new recording begins.

    Attributes:
        known (dict[str, dict]): Of each part, ``rows``: those of the three kinds in all of its files.

    Raises:
        ValueError: An option is out of its range.
    """

    rate = RATE
    known = {subject: dict(rows=rows) for subject, rows in zip(SUBJECTS, ROWS)}

    def __init__(
        self,
        root: str | Path,
        kinds: Sequence[str] = tuple(KINDS),
        task: str = 'fall',
        falls: str = 'time',
        rate: float = RATE,
        max_gap: float = 0.5,
    ) -> None:
        super().__init__(root)
        self.kinds = check_chosen('kinds', kinds, KINDS)
        self.task = check_one('task', task, ('fall', 'activity'))
        self.falls = check_one('falls', falls, ('time', 'trial'))
        self.rate, self.max_gap = check_grid(rate, max_gap)

    @property
    def channels(self) -> tuple[str, ...]:
        """Axes of each kind."""
        return tuple(f'wrist_{kind}_{axis}' for kind in self.kinds for axis in KINDS[kind][1])

    @property
    def units(self) -> tuple[str, ...]:  # type: ignore[override]
        """Units of the channels."""
        return tuple(KINDS[kind][2] for kind in self.kinds for _ in KINDS[kind][1])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the task."""
        return ('no_fall', 'fall') if self.task == 'fall' else tuple(MOVEMENTS.values())

    @property
    def times(self) -> Path:
        """The file of the times of falls."""
        return self.root / 'dataset' / 'fall_timestamps.csv'

    def parts(self) -> list[str]:
        """Return the subjects who have a trial."""
        return sorted({str(int(name[1])) for _, name in self._named()}, key=int)

    def files(self) -> list[Path]:
        """Return the files of the kinds that are read, and that of the times of falls."""
        wanted = {KINDS[kind][0] for kind in self.kinds}
        paths = [path for path, name in self._named() if name[3] in wanted]
        return paths + ([self.times] if self.falls == 'time' and self.times.is_file() else [])

    def notes(self) -> list[str]:
        """Name the subjects without a trial."""
        return self.name_absent(self.root / 'dataset', 'trial of subject', SUBJECTS)

    def read(self, part: str) -> Part:
        """Read one subject: a recording for each trial, more where samples are missing for long."""
        repairs, notes, recordings = Repairs(), [], []
        trials = sorted({(path.parent, f'U{name[1]}_R{name[2]}') for path, name in self._named(part)})
        needed = self.falls == 'time' and any(folder.name.startswith('F') for folder, _ in trials)
        times, missing = self._times() if needed else {}, Counter[str]()
        for folder, trial in trials:
            paths = [folder / f'{trial}_{KINDS[kind][0]}.csv' for kind in self.kinds]
            absent = [path for path in paths if not path.is_file()]
            if absent:
                missing[str(absent[0])] += 1
                continue
            each = [self._tracks(path, kind, repairs) for path, kind in zip(paths, self.kinds)]
            label = partial(self._label, folder.name, trial, times)
            recordings += join_sensors(f'{folder.name}_{trial}', label, part, dict(wrist=each), self.rate)
        if missing:
            notes.append(f'{next(iter(missing))} does not exist: {missing.total()} trial(s) of subject {part} are left out')
        return Part(tuple(recordings), (*notes, *repairs.notes()))

    def rows(self, part: str) -> int:
        """Count the rows of the three kinds."""
        kinds = [kind for kind, _, _ in KINDS.values()]
        paths = [path for path, name in self._named(part) if name[3] in kinds]
        return sum(map(count_lines, paths)) - len(paths)

    def _named(self, subject: str | None = None) -> list[tuple[Path, re.Match]]:
        """Return the files of all trials, or of a subject's, with the parts of their names."""
        folder = self.root / 'dataset' / '50Hz'
        pattern = '*/U*.csv' if subject is None else f'*/U{int(subject):02d}_*.csv'
        named = [(path, FILE.fullmatch(path.name)) for path in sorted(folder.glob(pattern))]
        if not named:
            inside = [path.parent.parent for path in sorted(self.root.glob('*/dataset/50Hz'))]
            hint = f'; it is the folder {inside[0].name!r} inside of it' if inside else ''
            raise FileNotFoundError(
                f'{folder} holds no D01/U01_R01_accel.csv, nor another trial: root must be a copy of '
                f'github.com/joaojtmarques/WEDA-FALL{hint}'
            )
        for path, name in named:
            if path.parent.name not in MOVEMENTS or name is None:
                wanted = f'one of the folders {", ".join(MOVEMENTS)}, and a name as U01_R01_accel.csv'
                raise ValueError(f'{path}: expected {wanted}')
        return [(path, name) for path, name in named if name]

    def _tracks(self, path: Path, kind: str, repairs: Repairs) -> list[Track]:
        sensor, axes, _ = KINDS[kind]
        table = read_named_numbers(path, [f'{sensor}_{column}_list' for column in ('time', *axes)])
        if not path.read_bytes().endswith(b'\n'):
            repairs.add(OPEN_END, path, len(table) + 1, 1)
        values = table[:, 1:]
        if kind == 'ori':  # of q and −q, which are the same orientation, that is taken which is nearer to the one before
            turned = np.r_[False, (values[1:] * values[:-1]).sum(1) < 0]
            values = values * np.where(np.cumsum(turned) % 2, -1, 1)[:, None]
        return delivered_tracks(path, np.arange(2, len(table) + 2), table[:, 0], values, RATE, self.max_gap, repairs)

    def _times(self) -> dict[str, tuple[float, float]]:
        """Read when falls begin and end, in seconds, by the name of the trial."""
        columns = read_columns(self.times, ['start_time', 'end_time'], ['filename'])
        wrong = ~((columns.numbers[:, 0] >= 0) & (columns.numbers[:, 1] > columns.numbers[:, 0]))
        if wrong.any():
            row = int(wrong.argmax())
            start, end = columns.numbers[row]
            raise damaged(
                self.times, columns.lines[row], f'a fall from {start:g} to {end:g} s, expected an end after the start'
            )
        return {name: (start, end) for name, (start, end) in zip(columns.texts['filename'], columns.numbers.tolist())}

    def _label(self, movement: str, trial: str, times: dict[str, tuple[float, float]], at: NDArray) -> int | NDArray:
        """Return the label of a recording whose samples were taken at these seconds, one or ``(T, )``."""
        fall = movement.startswith('F')
        label = int(fall) if self.task == 'fall' else list(MOVEMENTS).index(movement)
        if not fall or self.falls == 'trial':
            return label
        name = f'{movement}/{trial}'
        if name not in times:
            raise ValueError(f"{self.times}: there is no row of {name}; falls='trial' reads without it")
        start, end = times[name]
        return np.where((at >= start - ROUNDING) & (at <= end + ROUNDING), label, -1)
