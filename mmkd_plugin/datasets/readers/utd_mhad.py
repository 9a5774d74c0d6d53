"""UTD-MHAD, actions seen by one inertial sensor and a Kinect's skeleton."""

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
from .mat_files import read_variable
from .sensors import SensorReader, join_sensors
from .tracks import Track

__all__ = ['UTDMHAD']

FILE = re.compile(r'a([1-9]\d?)_s([1-9]\d?)_t([1-9]\d?)_(?:inertial|skeleton)\.mat')
FOLDERS = dict(inertial='Inertial', skeleton='Skeleton')
FORMS: dict[str, tuple[int | None, ...]] = dict(inertial=(None, 6), skeleton=(20, 3, None))
VARIABLES = dict(inertial='d_iner', skeleton='d_skel')
JOINTS = (
    *('head', 'shoulder_center', 'spine', 'hip_center'),
    *(f'{joint}_{side}' for side in ('left', 'right') for joint in ('shoulder', 'elbow', 'wrist', 'hand')),
    *(f'{joint}_{side}' for side in ('left', 'right') for joint in ('hip', 'knee', 'ankle', 'foot')),
)

# Of each person: trials, and samples of their recordings.
TRIALS = (107, 108, 108, 108, 108, 107, 108, 107)
SAMPLES = dict(
    inertial=(20_165, 16_625, 18_924, 17_744, 19_413, 22_339, 19_285, 21_143),
    skeleton=(11_982, 9_859, 11_236, 10_531, 11_532, 13_284, 11_454, 12_568),
)


@TASK_UTILS.register_module()
class UTDMHAD(SensorReader):
    """27 actions by 8 people, 4 trials each, with a sensor on the right wrist (actions 1 to 21) or thigh (22 to 27).

    Chen, Jafari & Kehtarnavaz, ICIP 2015. A part is a person, a recording a trial: acceleration (g) and angular rate (deg/s) at
    50 Hz, and 20 joints (m) of a camera that the paper gives 30 frames a second.

    The frames of a trial do not last as long at 30 frames a second as its inertial samples at 50 Hz: 1.3 s less in the median,
    in every trial, and by a nearly constant share. Both were cut to the same time: the turning of the lower arm or thigh
    correlates with the angular rate by 0.85 on average over the 861 trials when the frames are spread over the time of the
    samples, and by 0.26 when both begin together at their nominal rates. So the frames are spread evenly over that time, and
    put on a grid of 30 Hz along straight lines.

    Args:
        root (str | Path): The folder with ``Inertial/a1_s1_t1_inertial.mat`` and ``Skeleton/a1_s1_t1_skeleton.mat`` in it.
        sensors (Sequence[str]): 'inertial', 'skeleton' or both. The first is the signal, the other a stream. The time of the
            frames needs the inertial files in any case.

    Attributes:
        known (dict[str, dict]): ``recordings`` of each person, and ``samples`` of the inertial sensor or of the skeleton.

    Raises:
        ValueError: A sensor is unknown or named twice, or none is named.
    """

    all_sensors = {
        'inertial': Sensor(
            tuple(f'inertial_{kind}_{axis}' for kind in ('acc', 'gyr') for axis in 'xyz'), 50.0, ('g',) * 3 + ('deg/s',) * 3
        ),
        'skeleton': Sensor(tuple(f'skeleton_{joint}_{axis}' for joint in JOINTS for axis in 'xyz'), 30.0, ('m',) * 60),
    }
    classes = (
        *('swipe left', 'swipe right', 'wave', 'clap', 'throw', 'cross arms', 'basketball shoot', 'draw x'),
        *('draw circle clockwise', 'draw circle counter clockwise', 'draw triangle', 'bowling', 'boxing', 'baseball swing'),
        *('tennis swing', 'arm curl', 'tennis serve', 'push', 'knock', 'catch', 'pick up and throw', 'jog', 'walk'),
        *('sit to stand', 'stand to sit', 'lunge', 'squat'),
    )

    def __init__(self, root: str | Path, sensors: Sequence[str] = ('inertial',)) -> None:
        super().__init__(root, sensors)

    @property
    def known(self) -> dict[str, dict]:
        """Counts of the trials and of the samples of the first sensor."""
        samples = SAMPLES[self.sensors[0]]
        return {f's{person}': dict(recordings=TRIALS[person - 1], samples=samples[person - 1]) for person in range(1, 9)}

    def parts(self) -> list[str]:
        """Return the people who have a trial of the first sensor.

        Raises:
            FileNotFoundError: There is no trial.
        """
        trials = self._trials(self.sensors[0])
        if not trials:
            folder = FOLDERS[self.sensors[0]]
            raise FileNotFoundError(
                f'{self.root / folder} holds no a1_s1_t1_{self.sensors[0]}.mat, nor another trial: root must be the folder of '
                "UTD-MHAD with 'Inertial' and 'Skeleton' in it (personal.utdallas.edu/~kehtar/UTD-MHAD.html)"
            )
        return sorted({_person(trial) for trial in trials})

    def files(self) -> list[Path]:
        """Return the files of the sensors, and those of the inertial sensor in any case."""
        return [
            self._file(sensor, trial) for sensor in dict.fromkeys((*self.sensors, 'inertial')) for trial in self._trials(sensor)
        ]

    def notes(self) -> list[str]:
        """Name the people without a trial."""
        return self.name_absent(self.root, 'trial of', self.known)

    def read(self, part: str) -> Part:
        """Read the trials of one person."""
        notes: list[str] = []
        recordings: list[Recording] = []
        lost: dict[str, list[str]] = {}
        rates = {name: sensor.rate for name, sensor in self.streams.items()}
        for trial in self._trials(self.sensors[0]):
            if _person(trial) != part:
                continue
            absent = [sensor for sensor in ('inertial', *self.sensors) if not self._file(sensor, trial).is_file()]
            for sensor in absent:
                lost.setdefault(sensor, []).append(trial)
            if 'inertial' not in absent:
                each = self._tracks(trial, [sensor for sensor in self.sensors if sensor not in absent])
                recordings += join_sensors(trial, int(trial[1 : trial.index('_')]) - 1, part, each, self.rate, rates)
        for sensor, trials in lost.items():
            what = 'are left out: the file has the time of the frames' if sensor == 'inertial' else 'have no such stream'
            folder = self.root / FOLDERS[sensor]
            notes.append(f'{folder}: {len(trials)} trial(s) of {part} have no file here and {what}: {list_names(trials)}')
        return Part(tuple(recordings), tuple(notes))

    def _tracks(self, trial: str, sensors: Sequence[str]) -> dict[str, list[list[Track]]]:
        """Return times in seconds and values of each sensor."""
        inertial = self._read('inertial', trial)
        each = {}
        for sensor in sensors:
            values = inertial if sensor == 'inertial' else self._read(sensor, trial)
            step = len(inertial) / self.all_sensors['inertial'].rate / len(values)  # frames last as long as samples, together
            each[sensor] = [[(np.arange(len(values)) * step, values)]]
        return each

    def _file(self, sensor: str, trial: str) -> Path:
        return self.root / FOLDERS[sensor] / f'{trial}_{sensor}.mat'

    def _trials(self, sensor: str) -> list[str]:
        """Return the trials of a sensor, in the order of person, action and number: 'a1_s1_t1'.

        Raises:
            ValueError: A file has another name, or an action that does not exist.
        """
        trials = []
        for path in sorted((self.root / FOLDERS[sensor]).glob('*.mat')):
            name = FILE.fullmatch(path.name)
            if name is None or int(name[1]) > len(self.classes):
                raise ValueError(
                    f'{path}: expected a name like a1_s1_t1_{sensor}.mat, with an action a1 to a{len(self.classes)}'
                )
            trials.append((int(name[2]), int(name[1]), int(name[3])))
        return [f'a{action}_s{person}_t{number}' for person, action, number in sorted(trials)]

    def _read(self, sensor: str, trial: str) -> NDArray:
        """Read the array of one file: samples ``(n, 6)``, or joints of every frame ``(n, 60)``."""
        path, variable = self._file(sensor, trial), VARIABLES[sensor]
        array, form = read_variable(path, variable), FORMS[sensor]
        if (
            array.ndim != len(form)
            or any(size not in (length, None) for size, length in zip(form, array.shape))
            or not array.size
        ):
            expected = ' x '.join('n' if size is None else str(size) for size in form)
            raise ValueError(f'{path}: {variable} has the shape {array.shape}, expected {expected}')
        values = array.transpose(2, 0, 1).reshape(array.shape[2], -1) if sensor == 'skeleton' else array
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            row, channel = wrong[0]
            name = self.all_sensors[sensor].channels[channel]
            raise ValueError(f'{path}: {name} is {values[row, channel]} at row {row}, expected a finite number')
        if len(values) < 2:
            raise ValueError(f'{path}: {variable} has one row, expected a trial')
        return values.astype(np.float64)


def _person(trial: str) -> str:
    return trial.split('_')[1]
