"""GeoTec SPSW, walks between two seats seen by a smart watch and by a phone in the pocket at the same time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..streams import Sensor
from .base import Part
from .columns import Columns, read_columns
from .delivered import OPEN_END, Repairs, delivered_tracks
from .options import check_grid
from .sensors import SensorReader, join_sensors
from .text import count_lines, damaged
from .tracks import Track

__all__ = ['GeoTec']

DEVICES = dict(watch='sw', phone='sp')
LABELS = ('SEATED', 'STANDING_UP', 'WALKING', 'TURNING', 'SITTING_DOWN')
NUMBERS = ('timestamp', *(f'{axis}_{kind}' for kind in ('acc', 'gyro') for axis in 'xyz'))
UNITS = ('m/s²', 'm/s²', 'm/s²', 'rad/s', 'rad/s', 'rad/s')
RATE = 100.0  # Hz, about that of both devices: the watch has 104, the phone 102
FILE = re.compile(r'(s\d+_\d+)_(sw|sp)\.csv')
SUBJECTS = tuple(f's{number:02d}' for number in range(1, 24))
# Rows of each subject, of both devices.
ROWS = (
    *(13_949, 22_386, 20_535, 22_469, 21_329, 27_206, 27_289, 23_414, 22_021, 22_803),
    *(22_996, 23_993, 20_643, 26_102, 19_478, 23_649, 25_223, 25_690, 22_764, 23_290),
    *(25_062, 19_497, 19_978),
)


@TASK_UTILS.register_module()
class GeoTec(SensorReader):
    """23 subjects, 5 classes, 223 times of standing up, walking, turning, walking back and sitting down.

    Matey-Sanz, Casteleyn & Granell, Data in Brief 2023, https://doi.org/10.1016/j.dib.2023.109809. Every sample has a label.
    Channels are acceleration (m/s²) and angular rate (rad/s). Both devices write times of one clock, when the samples are
    delivered: several in one millisecond, up to 0.2 s late. Times are those of even sampling, see
    :func:`~mmkd_plugin.datasets.readers.even_clock.sampling_times`; both are put on the grid of the first.

    Args:
        root (str | Path): The folder with ``DATA/s01/s01_01_sw.csv`` and others in it.
        sensors (Sequence[str]): 'watch' and 'phone', or one of them. The first gives the signal and the labels, and an
            execution without it is left out; the other is a stream.
        rate (float): Of the grid, in Hz.
        max_gap (float): Seconds without a sample, above which a new recording begins.

    Attributes:
        known (dict[str, dict]): Of each part, ``rows``: those of both devices in all of its files.

    Raises:
        ValueError: An option is out of its range.
    """

    classes = tuple(label.lower() for label in LABELS)
    rate = RATE
    known = {subject: dict(rows=rows) for subject, rows in zip(SUBJECTS, ROWS)}

    def __init__(
        self, root: str | Path, sensors: Sequence[str] = ('watch',), rate: float = RATE, max_gap: float = 0.25
    ) -> None:
        super().__init__(root, sensors)
        self.rate, self.max_gap = check_grid(rate, max_gap)

    @property
    def all_sensors(self) -> Mapping[str, Sensor]:
        """Both devices: three axes of each kind."""
        return {device: Sensor(_channels(device), self.rate, UNITS) for device in DEVICES}

    def parts(self) -> list[str]:
        """Return the subjects who have an execution."""
        return sorted({path.parent.name for path in self._paths()})

    def files(self) -> list[Path]:
        """Return the files of the devices that are read."""
        ends = tuple(f'_{DEVICES[device]}.csv' for device in self.sensors)
        return [path for path in self._paths() if path.name.endswith(ends)]

    def notes(self) -> list[str]:
        """Name the subjects without an execution."""
        return self.name_absent(self.root / 'DATA', 'execution of subject', SUBJECTS)

    def read(self, part: str) -> Part:
        """Read one subject: a recording for each execution."""
        repairs, notes, recordings = Repairs(), [], []
        missing: dict[str, list[Path]] = {device: [] for device in self.sensors}
        for execution in sorted({path.stem[:-3] for path in self._paths(part)}):
            paths = {device: self.root / 'DATA' / part / f'{execution}_{DEVICES[device]}.csv' for device in self.sensors}
            for device, path in paths.items():
                if not path.is_file():
                    missing[device].append(path)
            first = paths[self.sensors[0]]
            if not first.is_file():
                continue
            devices = {device: _read(path) for device, path in paths.items() if path.is_file()}
            begin = devices[self.sensors[0]].numbers[0, 0]  # the precision of seconds since 1970 is less than that of the grid
            each = {device: [self._tracks(paths[device], columns, begin, repairs)] for device, columns in devices.items()}
            label = partial(_labels_at, devices[self.sensors[0]], begin)
            recordings += join_sensors(execution, label, part, each, self.rate)
        for device, absent in missing.items():
            if absent:
                result = 'left out' if device == self.sensors[0] else 'without the stream'
                notes.append(f'{absent[0]} does not exist, nor do {len(absent) - 1} more of the {device}: they are {result}')
        return Part(tuple(recordings), (*notes, *repairs.notes()))

    def rows(self, part: str) -> int:
        """Count the rows of both devices."""
        paths = self._paths(part)
        return sum(map(count_lines, paths)) - len(paths)

    def _paths(self, subject: str = 's*') -> list[Path]:
        folder = self.root / 'DATA'
        paths = [path for path in sorted(folder.glob(f'{subject}/s*.csv')) if FILE.fullmatch(path.name)]
        if not paths:
            inside = [path.parent for path in sorted(self.root.glob('*/DATA'))]
            hint = f'; it is the folder {inside[0].name!r} inside of it' if inside else ''
            raise FileNotFoundError(
                f'{folder} holds no s01/s01_01_sw.csv, nor another execution: root must be a copy of '
                f'github.com/GeoTecINIT/sp-sw-har-dataset{hint}'
            )
        return paths

    def _tracks(self, path: Path, columns: Columns, begin: float, repairs: Repairs) -> list[Track]:
        if columns.notes:
            repairs.add(OPEN_END, path, columns.lines[-1], 1)
        stamps, values = (columns.numbers[:, 0] - begin) / 1000, columns.numbers[:, 1:]
        return delivered_tracks(path, columns.lines, stamps, values, RATE, self.max_gap, repairs)


def _read(path: Path) -> Columns:
    columns = read_columns(path, NUMBERS, ['label'])
    missing = np.isnan(columns.numbers[:, 0])
    if missing.any():
        raise damaged(path, columns.lines[missing.argmax()], 'timestamp is missing, expected milliseconds')
    for line, label in zip(columns.lines, columns.texts['label']):
        if label not in LABELS:
            raise damaged(path, line, f'label {label[:40]!r}, expected one of {", ".join(LABELS)}')
    return columns


def _channels(device: str) -> tuple[str, ...]:
    return tuple(f'{device}_{kind}_{axis}' for kind in ('acc', 'gyr') for axis in 'xyz')


def _labels_at(columns: Columns, begin: float, times: NDArray) -> NDArray:
    """Return the label of the row that was stamped nearest to each time, ``(T, )``."""
    stamps, labels = (columns.numbers[:, 0] - begin) / 1000, np.array([LABELS.index(label) for label in columns.texts['label']])
    order = np.argsort(stamps, kind='stable')
    stamps, labels = stamps[order], labels[order]
    return labels[np.searchsorted((stamps[1:] + stamps[:-1]) / 2, times)]
