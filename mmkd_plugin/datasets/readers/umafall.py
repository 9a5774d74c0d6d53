"""UMAFall, falls and everyday movements seen by sensors at four places of the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmkd_plugin.registry import TASK_UTILS

from ..streams import Sensor
from .base import Part
from .delivered import Repairs, delivered_tracks
from .options import check_chosen, check_grid, check_one
from .sensors import SensorReader, join_sensors
from .tracks import Track
from .umafall_files import KINDS, MOVEMENTS, POSITIONS, Trial, count_rows, name_of, read_trial

__all__ = ['UMAFall']

FOLDER = 'UMAFall_Dataset'
BODY = 'body'  # all positions side by side, as one sensor
UNITS = dict(acc='g', gyr='deg/s', mag='μT')
RATE = 20.0  # Hz, about that of every sensor
SUBJECTS = tuple(map(str, range(1, 20)))
# Rows of each subject.
ROWS = (
    *(68_268, 176_193, 64_614, 149_721, 175_278, 179_514, 117_558, 35_931, 100_173, 53_211),
    *(127_932, 98_376, 53_109, 109_431, 118_530, 38_901, 74_460, 574_635, 136_878),
)


@TASK_UTILS.register_module()
class UMAFall(SensorReader):
    """19 subjects, 12 everyday movements and 3 kinds of falls, SensorTags at wrist, waist, ankle and chest at 20 Hz.

    Casilari, Santoyo-Ramón & Cano-García, Procedia Computer Science 2017, https://doi.org/10.1016/j.procs.2017.06.110. A file
    is a trial of about 15 s, and its label is that of the whole trial; falls begin after about 3 s. Rows of the phone in the
    pocket (acceleration alone, 200 Hz) are not read.

    Every sensor samples evenly and is stamped when the phone hears of its samples: up to 4 s late, with dozens of rows at once
    afterwards. Times are those of even sampling, see :func:`~mmkd_plugin.datasets.readers.even_clock.sampling_times`; then all
    sensors are put on one grid over the time that all of the signal cover.

    Args:
        root (str | Path): The folder ``UMAFall_Dataset``, with ``UMAFall_Subject_01_ADL_Walking_1_….csv`` and others in it.
        sensors (Sequence[str]): Positions of :data:`POSITIONS`, or 'body', all of them side by side. The first gives the
            signal, and a trial without it is left out; the others are streams, absent where a trial lacks them. Not every trial
            has all.
        positions (Sequence[str], optional): Those that 'body' has, in the order of the channels; all by default.
        kinds (Sequence[str]): 'acc', 'gyr', 'mag', in the order of the channels.
        task (str): 'fall', fall or not, or 'activity', all 15 movements.
        damaged (str): 'refuse' a damaged file, or 'leave_out', with a note that names it. The published files of subject 13
            have been through a spreadsheet, and their numbers are lost.
        rate (float): Of the grid, in Hz.
        max_gap (float): Seconds without a sample, above which a new recording begins.
        together (bool): Begin and end a trial that has all sensors when all of them are on. They start one after another, so
            that a window at the start of the signal mostly lacks a stream otherwise.

    Attributes:
        known (dict[str, dict]): Of each part, ``rows``: those of the four positions in all of its files.

    Raises:
        ValueError: An option is out of its range.
    """

    rate = RATE
    known = {subject: dict(rows=rows) for subject, rows in zip(SUBJECTS, ROWS)}

    def __init__(
        self,
        root: str | Path,
        sensors: Sequence[str] = ('wrist',),
        positions: Sequence[str] | None = None,
        kinds: Sequence[str] = KINDS,
        task: str = 'fall',
        damaged: str = 'refuse',
        rate: float = RATE,
        max_gap: float = 0.5,
        together: bool = False,
    ) -> None:
        self.positions = check_chosen('positions', POSITIONS if positions is None else positions, POSITIONS)
        self.kinds = check_chosen('kinds', kinds, KINDS)
        super().__init__(root, sensors)
        if positions is not None and BODY not in self.sensors:
            raise ValueError(f"positions are those of the sensor '{BODY}', which is not among sensors={self.sensors}")
        self.task = check_one('task', task, ('fall', 'activity'))
        self.damaged = check_one('damaged', damaged, ('refuse', 'leave_out'))
        self.rate, self.max_gap = check_grid(rate, max_gap)
        self.together = together

    @property
    def all_sensors(self) -> Mapping[str, Sensor]:
        """Every position, and the body: three axes of each kind at each of its positions."""
        return {name: self._sensor(name) for name in (*POSITIONS, BODY)}

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the task."""
        return ('no_fall', 'fall') if self.task == 'fall' else tuple(MOVEMENTS.values())

    def parts(self) -> list[str]:
        """Return the subjects who have a file."""
        return sorted({name_of(path)[0] for path in self._paths()}, key=int)

    def files(self) -> list[Path]:
        """Return all files, in order of their names."""
        return self._paths()

    def notes(self) -> list[str]:
        """Name the subjects without a file."""
        return self.name_absent(self.root, 'file of subject', SUBJECTS)

    def read(self, part: str) -> Part:
        """Read one subject: a recording for each trial, more where samples are missing for long."""
        repairs, recordings, errors = Repairs(), [], {}
        missing: dict[str, list[Path]] = {name: [] for name in self.sensors}
        for path in self._paths(part):
            try:
                each = self._tracks(path, read_trial(path), repairs)
            except ValueError as error:
                if self.damaged == 'refuse':
                    raise ValueError(f"{error}; damaged='leave_out' leaves such files out") from error
                errors[path.name] = error
                continue
            for name in self.sensors:
                if not all(each[name]):
                    missing[name].append(path)
            recordings += join_sensors(path.stem, self._label(path), part, each, self.rate, together=self.together)
        notes = [f'{next(iter(errors.values()))}; left out are {", ".join(errors)}'] if errors else []
        for name, paths in missing.items():
            if paths:
                result = 'left out' if name == self.sensors[0] else 'without the stream'
                notes.append(f'{paths[0]}: {name} is missing in {len(paths)} trial(s) from here on, which are {result}')
        return Part(tuple(recordings), (*notes, *repairs.notes()))

    def rows(self, part: str) -> int:
        """Count the rows of the four positions."""
        return sum(map(count_rows, self._paths(part)))

    def _paths(self, subject: str = '') -> list[Path]:
        """Return all files, or those of a subject."""
        paths = sorted(self.root.glob(f'UMAFall_Subject_{int(subject):02d}_*.csv' if subject else 'UMAFall_*.csv'))
        if not paths:
            inside = f'; it is the folder {FOLDER!r} inside of it' if (self.root / FOLDER).is_dir() else ''
            raise FileNotFoundError(
                f'{self.root} holds no UMAFall_Subject_01_ADL_Walking_1_….csv, nor another trial: root must be the folder of '
                f'the trials of UMAFall (doi.org/10.6084/m9.figshare.4214283){inside}'
            )
        return paths

    def _places(self, name: str) -> tuple[str, ...]:
        return self.positions if name == BODY else (name,)

    def _sensor(self, name: str) -> Sensor:
        names = tuple(f'{where}_{kind}_{axis}' for where in self._places(name) for kind in self.kinds for axis in 'xyz')
        return Sensor(names, self.rate, tuple(UNITS[kind] for _ in self._places(name) for kind in self.kinds for _ in 'xyz'))

    def _label(self, path: Path) -> int:
        movement = name_of(path)[1]
        return int(movement.endswith('Fall')) if self.task == 'fall' else list(MOVEMENTS).index(movement)

    def _tracks(self, path: Path, trial: Trial, repairs: Repairs) -> dict[str, list[list[Track]]]:
        """Return the tracks of each kind at each position of every sensor; none where the position is missing."""
        places, tracks = {name: self._places(name) for name in self.sensors}, {}
        for where in dict.fromkeys(where for names in places.values() for where in names):
            for kind in self.kinds:
                rows = trial.rows(where, kind)
                stamps, values = trial.table[rows, 0] / 1000, trial.table[rows, 2:5]
                tracks[where, kind] = delivered_tracks(path, rows + trial.first, stamps, values, RATE, self.max_gap, repairs)
        return {name: [tracks[where, kind] for where in names for kind in self.kinds] for name, names in places.items()}
