"""SmartFallMM, activities and falls seen by a watch, a phone and a camera's skeleton."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..names import list_names
from ..recordings import Recording
from ..streams import Sensor
from .base import Part
from .clock import measure_rate
from .delivered import Repairs
from .even_clock import sampling_times
from .options import check_chosen
from .sensors import SensorReader, join_sensors
from .smartfallmm_rows import JOINTS, in_order, list_arrays, read_arrays, read_frames
from .text import count_lines
from .tracks import Track, split_at_gaps

__all__ = ['SmartFallMM']

GROUPS = ('young', 'old')
SKELETON, ARCHIVE = 'skeleton', 'skeleton_mm_30fps.npz'
FOLDERS = {  # of each device, below that of the group
    'watch': 'accelerometer/watch',
    'watch_gyr': 'gyroscope/watch',
    'phone': 'accelerometer/phone',
    'phone_gyr': 'gyroscope/phone',
    SKELETON: 'skeleton',
}
TRIAL = re.compile(r'(S\d\d)A(\d\d)T(\d\d)')
ACC, GYR = ('m/s²',) * 3, ('rad/s',) * 3
# Published files that are empty, have the stamp in another column, or a first row that a program took for names of columns and
# made different by '.1'.
UNREADABLE = {
    'young/accelerometer/phone': 'S21A04T01',
    'old/accelerometer/watch': 'S23A07T01 S23A07T02 S23A07T03 S23A07T04 S23A07T05',
    'young/gyroscope/watch': (
        'S28A05T02 S28A12T01 S30A02T01 S30A05T01 S30A05T02 S30A05T03 S30A06T03 S30A07T01 S30A07T02 S30A07T03 S30A07T04 '
        'S30A08T03 S30A09T03 S33A03T09 S33A11T02 S36A01T02 S37A05T01 S37A06T02 S37A08T03 S38A10T01 S38A10T04 S39A02T01 '
        'S39A06T01 S40A08T01 S40A08T02 S40A08T03 S40A08T04 S40A08T05 S40A11T01 S46A10T01 S46A11T02'
    ),
}
SHORT = 0.5  # seconds: what is shorter between two gaps is a stray stamp more often than a recording
# Of each person's files of the watch's acceleration.
ROWS = {
    'young': {
        **dict(S28=12_734, S29=13_446, S30=13_675, S31=12_172, S32=10_357, S33=37_058, S34=9_259, S35=9_092),
        **dict(S36=7_932, S37=12_367, S38=20_327, S39=18_723, S43=84_658, S44=152_772, S45=21_018, S46=138_846),
    },
    'old': {
        **dict(S01=6_483, S02=12_183, S03=13_513, S04=7_426, S05=6_993, S06=8_982, S07=7_666, S08=7_360),
        **dict(S09=10_269, S10=11_826, S11=10_027, S12=8_817, S13=10_917, S14=9_976, S15=13_404, S16=11_285),
        **dict(S17=12_608, S18=18_317, S19=18_299, S21=11_606, S22=11_109, S23=13_712, S26=5_429, S47=41_647),
    },
}
Readings = dict[str, tuple[NDArray, NDArray]]  # of each trial: stamps in microseconds (n, ), in order, and values (n, C)


def _axes(device: str) -> tuple[str, ...]:
    prefix = device if device.endswith('_gyr') else f'{device}_acc'
    return tuple(f'{prefix}_{axis}' for axis in 'xyz')


@TASK_UTILS.register_module()
class SmartFallMM(SensorReader):
    """Trials of 9 activities by 16 young and 24 old people, and of 5 falls by the young ones.

    github.com/txst-cs-smartfall/SmartFallMM-Dataset. A part is a person, a recording an uninterrupted stretch of a trial.

    The archive speaks of 32 Hz, but its stamps do not: most watches come to 33 to 36 readings a second and some to 100, most
    phones to 50. Stamps say when readings arrived, in bursts and late. Times are those of even sampling by the usual step of
    the person's device, see :func:`~mmkd_plugin.datasets.readers.even_clock.sampling_times`, and the readings are put on a grid
    of 32 Hz along straight lines, or as means over its step where readings are denser. Repairs, each counted in a note: rows
    are sorted by time, rows that occur twice are left out, and so are rows with NaN and what lasts less than half a second
    between two gaps.

    Every sensor was cut into trials by hand and by itself. Watch and phone are put together by their stamps where these have
    time in common. Where they have not, and for the skeleton, whose frames have no stamps, trials are taken to begin together.
    On this assumption the largest acceleration of the watch in a fall comes 0.9 s after the fastest frame of the skeleton
    (median of 71 falls without a gap; half of them between 0.1 s before and 4.1 s after), so that a skeleton tells of the trial
    more than of the instant.

    Args:
        root (str | Path): The folder with ``young/accelerometer/watch/S28A01T01.csv`` and others in it.
        sensors (Sequence[str]): Of 'watch', 'phone' (acceleration), 'watch_gyr', 'phone_gyr' (angular rate, the young only) and
            'skeleton' (32 joints in mm). The first is the signal, the others are streams.
        groups (Sequence[str]): 'young', 'old' or both.
        skeleton (str | Path, optional): An ``.npz`` with the frames of each trial, ``(n, 96)`` in mm, as ``young/S29A01T01``;
            −32768 is a missing number. By default ``skeleton_mm_30fps.npz`` in the root, and where that is absent files like
            ``young/skeleton/S29A01T01.csv``. A path that is not absolute begins at the root.
        max_gap (float): Seconds without a reading, above which a new recording begins, or a stream has NaN.

    Attributes:
        known (dict[str, dict]): ``rows`` of the watch's files of acceleration.

    Raises:
        ValueError: A sensor or group is unknown or named twice, none is named, or the gap is not above 0.
    """

    all_sensors = {
        'watch': Sensor(_axes('watch'), 32.0, ACC),
        'watch_gyr': Sensor(_axes('watch_gyr'), 32.0, GYR),
        'phone': Sensor(_axes('phone'), 32.0, ACC),
        'phone_gyr': Sensor(_axes('phone_gyr'), 32.0, GYR),
        SKELETON: Sensor(tuple(f'skeleton_{joint}_{axis}' for joint in JOINTS for axis in 'xyz'), 30.0, ('mm',) * 96),
    }
    classes = (
        *('drinking', 'picking up', 'jacket', 'stepping up', 'sweeping', 'washing hands', 'waving', 'walking', 'sitting'),
        *('back fall', 'front fall', 'left fall', 'right fall', 'rotating fall'),
    )

    def __init__(
        self,
        root: str | Path,
        sensors: Sequence[str] = ('watch',),
        groups: Sequence[str] = GROUPS,
        skeleton: str | Path | None = None,
        max_gap: float = 0.25,
    ) -> None:
        super().__init__(root, sensors)
        self.groups = check_chosen('groups', groups, GROUPS)
        self.skeleton, self.max_gap = None if skeleton is None else str(skeleton), max_gap
        if not max_gap > 0:
            raise ValueError(f'max_gap (seconds) must be above 0, got {max_gap}')

    @property
    def known(self) -> dict[str, dict]:
        """Row counts of the watch's files of acceleration; those of other sensors are not known."""
        return {f'{group}/{person}': dict(rows=rows) for group in self.groups for person, rows in ROWS[group].items()}

    def parts(self) -> list[str]:
        """Return the people who have a trial of the first sensor."""
        first = self.sensors[0]
        trials = [key for group in self.groups for key in self._trials(group, first)]
        if not trials:
            wanted = 'young/accelerometer/watch/S28A01T01.csv' if first != SKELETON else f'{ARCHIVE} or young/skeleton'
            raise FileNotFoundError(
                f'{self.root} holds no {wanted}, nor another trial of {first}: root must be the folder of SmartFallMM with '
                "'young' and 'old' in it (github.com/txst-cs-smartfall/SmartFallMM-Dataset)"
            )
        return sorted({key[: key.index('/') + 4] for key in trials}, key=lambda part: (GROUPS.index(part.split('/')[0]), part))

    def files(self) -> list[Path]:
        """Return the files of all sensors of the groups."""
        paths = [
            self._file(sensor, key) for group in self.groups for sensor in self.sensors for key in self._trials(group, sensor)
        ]
        return list(dict.fromkeys(paths))

    def notes(self) -> list[str]:
        """Name the people without a trial of the first sensor, and published files that cannot be read."""
        notes = self.name_absent(self.root, 'trial of', sorted(self.known)) if self.sensors[0] == 'watch' else []
        for folder, names in UNREADABLE.items():
            group, _, place = folder.partition('/')
            present = [name for name in names.split() if (self.root / folder / f'{name}.csv').is_file()]
            if present and group in self.groups and place in [FOLDERS[sensor] for sensor in self.sensors]:
                left_out = f'{len(present)} published file(s), which cannot be read, are left out'
                notes.append(f'{self.root / folder}: {left_out}: {list_names(present)}')
        return notes

    def read(self, part: str) -> Part:
        """Read the trials of one person."""
        repairs = Repairs()
        readings = {sensor: self._readings(sensor, part, repairs) for sensor in self.sensors}
        steps = {sensor: _usual_step(trials) for sensor, trials in readings.items() if sensor != SKELETON}
        rates = {name: sensor.rate for name, sensor in self.streams.items()}
        first, *others = self.sensors
        recordings: list[Recording] = []
        for trial in readings[first]:
            pieces = self._on_one_clock(trial, readings, steps, repairs)
            label = int(TRIAL.fullmatch(trial[-9:])[2]) - 1  # type: ignore[index]
            each = {sensor: [tracks] for sensor, tracks in pieces.items()}
            made = join_sensors(trial, label, part, each, self.rate, rates)
            if not made:
                repairs.add(f'trial(s) of {first} last less than {SHORT} s, and are left out', self._file(first, trial), 1, 1)
            for other in others if made else ():
                if not any(other in recording.streams for recording in made):
                    repairs.add(f'trial(s) have no {other}', self._file(first, trial), 1, 1)
            recordings += made
        return Part(tuple(recordings), tuple(repairs.notes()))

    def rows(self, part: str) -> int | None:
        """Count the rows of the watch's files of acceleration, where the watch is the signal."""
        if self.sensors[0] != 'watch':
            return None
        folder, person = part.split('/')
        return sum(count_lines(path) for path in sorted((self.root / folder / FOLDERS['watch']).glob(f'{person}*.csv')))

    def measured_rate(self, part: str) -> float | None:
        """Return the usual rate of a person's device in Hz, by the stamps; None of a skeleton."""
        if self.sensors[0] == SKELETON:
            return None
        return 1 / _usual_step(self._readings(self.sensors[0], part, Repairs()))

    @property
    def _archive(self) -> Path | None:
        """The file of skeletons, if there is one."""
        path = self.root / (self.skeleton or ARCHIVE)
        if self.skeleton and not path.is_file():
            raise FileNotFoundError(f'{path} does not exist: skeleton must be an .npz with arrays like young/S29A01T01')
        return path if path.is_file() else None

    def _file(self, sensor: str, trial: str) -> Path:
        """Return the file of a trial, for example of 'young/S29A01T01'."""
        archive = self._archive if sensor == SKELETON else None
        folder, _, name = trial.partition('/')
        return archive or self.root / folder / FOLDERS[sensor] / f'{name}.csv'

    def _trials(self, group: str, sensor: str) -> list[str]:
        """Return the trials of a sensor that can be read, in order: 'young/S29A01T01'.

        Raises:
            ValueError: A name is none of a trial.
        """
        archive = self._archive if sensor == SKELETON else None
        if archive is not None:
            names = [name[len(group) + 1 :] for name in list_arrays(archive) if name.startswith(f'{group}/')]
        else:
            names = [path.stem for path in sorted((self.root / group / FOLDERS[sensor]).glob('*.csv'))]
        for name in names:
            trial = TRIAL.fullmatch(name)
            if trial is None or not 1 <= int(trial[2]) <= len(self.classes):
                raise ValueError(
                    f'{self._file(sensor, f"{group}/{name}")}: the trial is named {name!r}, expected for example S29A01T01, '
                    f'with an activity A01 to A{len(self.classes)}'
                )
        unreadable = UNREADABLE.get(f'{group}/{FOLDERS[sensor]}', '').split()
        return sorted(f'{group}/{name}' for name in names if name not in unreadable)

    def _readings(self, sensor: str, part: str, repairs: Repairs) -> Readings:
        """Read the trials of one person; frames of a skeleton have the stamps of 30 frames a second."""
        trials = [trial for trial in self._trials(part.split('/')[0], sensor) if trial[: len(part)] == part]
        if sensor != SKELETON:
            return {trial: in_order(self._file(sensor, trial), repairs) for trial in trials}
        archive = self._archive
        each = read_arrays(archive, trials) if archive else {trial: read_frames(self._file(sensor, trial)) for trial in trials}
        readings = {}
        for trial, frames in each.items():
            whole = ~np.isnan(frames).any(1)
            kind = 'frame(s) lack a joint; short gaps are filled along a straight line'
            repairs.add(kind, self._file(sensor, trial), int(whole.argmin()) + 1, (~whole).sum())
            readings[trial] = (np.arange(len(frames))[whole] / self.all_sensors[SKELETON].rate, frames[whole])
        return readings

    def _on_one_clock(
        self, trial: str, readings: dict[str, Readings], steps: dict[str, float], repairs: Repairs
    ) -> dict[str, list[Track]]:
        """Return the pieces of each sensor in a trial, with times in seconds since the first stamp of one device."""
        pieces: dict[str, list[Track]] = {}
        origin = next((readings[device][trial][0][:1] for device in steps if trial in readings[device]), np.zeros(1))
        for sensor in self.sensors:
            times, values = readings[sensor].get(trial, (np.empty(0), np.empty((0, 3))))
            step = steps.get(sensor, 1 / self.all_sensors[sensor].rate)
            if sensor in steps:
                times = sampling_times((times - origin) / 1e6, step)
            pauses = np.diff(times) - step
            kept, left_out = split_at_gaps(times, pauses > self.max_gap, SHORT)
            pieces[sensor] = [(times[piece], values[piece]) for piece in kept]
            for count, kind in (
                (len(left_out), f'reading(s) of {sensor} are left out, which last less than {SHORT} s between gaps'),
                ((pauses > self.max_gap).sum(), f'gap(s) of {sensor} of more than {self.max_gap} s'),
            ):
                repairs.add(kind, self._file(sensor, trial), 1, count)
        leader = next((device for device in steps if pieces[device]), '')
        for sensor in self.sensors if leader else ():
            if sensor == leader or not pieces[sensor] or (sensor in steps and _overlap(pieces[leader], pieces[sensor])):
                continue
            later = pieces[leader][0][0][0] - pieces[sensor][0][0][0]
            pieces[sensor] = [(times + later, values) for times, values in pieces[sensor]]
            if sensor in steps:
                kind = f'trial(s) whose stamps of {leader} and {sensor} have no time in common are taken to begin together'
                repairs.add(kind, self._file(sensor, trial), 1, 1)
        return pieces


def _usual_step(readings: Readings) -> float:
    """Return the seconds between two readings, as the median over a person's trials."""
    rates = [measure_rate((stamps - stamps[0]) / 1e6) for stamps, _ in readings.values() if len(stamps)]
    known = [rate for rate in rates if rate]
    return 1 / float(np.median(known)) if known else 1 / 32


def _overlap(pieces: list[Track], others: list[Track]) -> bool:
    """Return whether two sensors recorded at the same time."""
    return any(times[0] < more[-1] and more[0] < times[-1] for times, _ in pieces for more, _ in others)
