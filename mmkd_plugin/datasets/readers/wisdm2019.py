"""WISDM 2019, eighteen activities seen by a smartphone and a smart watch, resampled by their timestamps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .options import check_chosen, check_grid
from .tracks import Track, grid_of, shared_spans, split_at_gaps
from .wisdm2019_rows import ACTIVITIES, in_order, read_rows

__all__ = ['WISDM2019']

FOLDER = 'wisdm-dataset'
DEVICES, SENSORS = ('phone', 'watch'), ('accel', 'gyro')
SUBJECTS = range(1600, 1651)
SHARED = 0.9  # of the time that one sensor covers: where both together cover less, it is noted
COUNTED = (b'A', b'B', b'C', b'M')
# Rows of these in each subject's two files of the phone.
ROWS = (
    *(28_569, 36_091, 28_566, 36_219, 28_568, 36_081, 28_565, 36_097, 44_674, 22_266, 34_385, 28_569, 28_565),
    *(36_078, 56_162, 28_569, 36_930, 28_565, 28_569, 36_089, 28_571, 36_337, 28_567, 28_567, 28_563, 42_369),
    *(38_989, 44_716, 44_746, 57_134, 28_565, 28_568, 28_569, 44_799, 28_566, 50_173, 28_569, 28_792, 28_798),
    *(28_830, 28_832, 53_594, 40_201, 53_579, 53_587, 53_587, 53_595, 36_081, 53_591, 36_093, 53_585),
)


@TASK_UTILS.register_module()
class WISDM2019(Reader):
    """51 subjects, 18 activities of 3 minutes each, acceleration (m/s²) and angular rate (rad/s).

    Weiss, Yoneda & Hayajneh, IEEE Access 2019. Many files are not at the 20 Hz that the archive speaks of, but at 25 or 50 Hz:
    every stretch of one activity is put on a uniform grid by its timestamps, along straight lines between readings. Where
    readings are denser than the grid, a value is the mean over the grid's step around it, because picking would fold what is
    faster than half the rate into what is slower. Both sensors share one grid, over the time that both cover.

    A recording is an uninterrupted stretch of one activity. Repairs, each counted in a note: rows are sorted by time within
    their activity; of rows that repeat a timestamp the mean is kept (subject 1629 has rows twice); rows with NaN are left
    out, and so are readings that stand alone between two gaps.

    Args:
        root (str | Path): The folder ``wisdm-dataset``, with ``raw/phone/accel/data_1600_accel_phone.txt`` and others in it.
        device (str): 'phone' or 'watch'.
        sensors (Sequence[str]): 'accel', 'gyro' or both, in the order of the channels.
        activities (Sequence[str], optional): Codes of the classes, in their order; by default all, 'A' to 'S' without 'N'.
        rate (float): Of the grid, in Hz.
        max_gap (float): Seconds between two readings, above which a new recording begins. Walking, jogging, stairs and
            kicking by phone have no longer gap than 0.224 s.

    Attributes:
        known (dict[str, dict]): Of each part of the phone, ``rows``: those of activities A, B, C and M in both files.

    Raises:
        ValueError: A device, sensor or activity is unknown, none is named, or rate or gap are not above 0.
    """

    rate = 20.0

    def __init__(
        self,
        root: str | Path,
        device: str = 'phone',
        sensors: Sequence[str] = SENSORS,
        activities: Sequence[str] | None = None,
        rate: float = 20.0,
        max_gap: float = 0.25,
    ) -> None:
        super().__init__(root)
        check_chosen('device', [device], DEVICES)
        self.device = device
        self.sensors = check_chosen('sensors', sensors, SENSORS)
        self.activities = check_chosen('activities', ACTIVITIES if activities is None else activities, ACTIVITIES)
        self.rate, self.max_gap = check_grid(rate, max_gap)

    @property
    def known(self) -> dict[str, dict]:
        """Row counts of the phone's files; those of the watch are not known."""
        if self.device != 'phone':
            return {}
        return {str(subject): dict(rows=rows) for subject, rows in zip(SUBJECTS, ROWS)}

    @property
    def channels(self) -> tuple[str, ...]:
        """Three axes of each sensor."""
        return tuple(f'{sensor}_{axis}' for sensor in self.sensors for axis in 'xyz')

    @property
    def units(self) -> tuple[str, ...]:  # type: ignore[override]
        """Units of the channels."""
        return tuple({'accel': 'm/s²', 'gyro': 'rad/s'}[sensor] for sensor in self.sensors for _ in 'xyz')

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the chosen activities."""
        return tuple(ACTIVITIES[code] for code in self.activities)

    def parts(self) -> list[str]:
        """Return the subjects who have a file of a sensor."""
        subjects = set()
        for sensor in self.sensors:
            folder = self._file(sensor, '1600').parent
            names = [
                re.fullmatch(rf'data_(\d+)_{sensor}_{self.device}\.txt', path.name)
                for path in sorted(folder.glob('data_*.txt'))
            ]
            if not any(names):
                inside = f'; it is the folder {FOLDER!r} inside of it' if (self.root / FOLDER).is_dir() else ''
                raise FileNotFoundError(
                    f'{folder} holds no data_1600_{sensor}_{self.device}.txt, nor another subject: root must be the folder '
                    f"{FOLDER!r} of the UCI archive's 'WISDM Smartphone and Smartwatch Activity and Biometrics Dataset' "
                    f'(archive.ics.uci.edu/dataset/507){inside}'
                )
            subjects |= {name[1] for name in names if name}
        return sorted(subjects)

    def files(self) -> list[Path]:
        """Return the files of the sensors of every subject, as far as they exist."""
        paths = [self._file(sensor, part) for part in self.parts() for sensor in self.sensors]
        return [path for path in paths if path.is_file()]

    def notes(self) -> list[str]:
        """Name the subjects without a file."""
        return self.name_absent(self.root, 'file of subject', sorted(map(str, SUBJECTS)))

    def read(self, part: str) -> Part:
        """Read one subject: a recording for each uninterrupted stretch of an activity."""
        notes: list[str] = []
        paths, recordings = [self._file(sensor, part) for sensor in self.sensors], []
        absent = [path for path in paths if not path.is_file()]
        if absent:
            return Part((), (f'{absent[0]} does not exist: subject {part} is left out',))
        tracks = [self._tracks(path, part, notes) for path in paths]
        for label, code in enumerate(self.activities):
            each = [of_sensor.get(code, []) for of_sensor in tracks]
            for number, signal in enumerate(self._on_one_grid(part, code, each, notes)):
                recordings.append(Recording(signal, label, part, f'{part}:{code}:{number}'))
        return Part(tuple(recordings), tuple(notes))

    def rows(self, part: str) -> int:
        """Count the rows of activities A, B, C and M in both files of the phone, or in the one that exists."""
        paths = [path for sensor in SENSORS if (path := self._file(sensor, part)).is_file()]
        return int(sum(np.isin(read_rows(path, part)[0]['activity'], COUNTED).sum() for path in paths))

    def measured_rate(self, part: str) -> float | None:
        """Return the rate in the file of the first sensor in Hz, by the median of the times between readings."""
        path = self._file(self.sensors[0], part)
        if not path.is_file():
            return None
        steps = np.diff(np.unique(read_rows(path, part)[0]['time']))
        return 1e9 / float(np.median(steps)) if len(steps) else None

    def _file(self, sensor: str, part: str) -> Path:
        return self.root / 'raw' / self.device / sensor / f'data_{part}_{sensor}_{self.device}.txt'

    def _tracks(self, path: Path, subject: str, notes: list[str]) -> dict[str, list[Track]]:
        """Return the tracks of one sensor for each activity, without gaps; oddities are noted."""
        rows, lines = read_rows(path, subject)
        codes = [code.encode() for code in self.activities]
        absent = [f'{code} ({ACTIVITIES[code]})' for code in self.activities if code.encode() not in rows['activity']]
        if absent:
            notes.append(f'{path} has no row of activity {", ".join(absent)}')
        chosen = np.isin(rows['activity'], codes)
        activity, times, values, lines = in_order(path, rows[chosen], lines[chosen], notes)
        other, steps = activity[1:] != activity[:-1], np.diff(times) / 1e9
        gaps = ~other & (steps > self.max_gap)
        if gaps.any():
            longest, first = steps[gaps].max(), lines[1:][gaps.argmax()]
            problem = f'{gaps.sum():,} gap(s) of more than {self.max_gap} s, up to {longest:.3f} s'
            notes.append(f'{path}:{first}: {problem}; a new recording begins after each')
        pieces, alone = split_at_gaps(times, other | gaps)
        if len(alone):
            notes.append(f'{path}:{lines[alone[0]]}: {len(alone):,} row(s) that stand alone between gaps are left out')
        tracks: dict[str, list[Track]] = {}
        for piece in pieces:
            tracks.setdefault(activity[piece[0]].decode(), []).append((times[piece], values[piece]))
        return tracks

    def _on_one_grid(self, part: str, code: str, each: list[list[Track]], notes: list[str]) -> Iterator[NDArray]:
        """Yield signals ``(T, C)`` of an activity, one for each time that all sensors cover."""
        common = shared_spans(each, 1e9 / self.rate)
        covered = sum(stop - start for start, stop, _ in common) / 1e9
        longest = max(sum(times[-1] - times[0] for times, _ in tracks) for tracks in each) / 1e9
        if covered < SHARED * longest:
            name = f'subject {part}, activity {code} ({ACTIVITIES[code]})'
            notes.append(f'{name}: all sensors together cover {covered:.1f} s of {longest:.1f} s; the rest is left out')
        for span in common:
            yield grid_of(span, self.rate, 1e9)
