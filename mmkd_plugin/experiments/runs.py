"""Runs and teachers of a sweep, as an engine is given them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ['STOP', 'Plan', 'Run', 'Task', 'Teacher']

STOP = '.stop'  # file in the folder of a run: the run ends with its epoch, since nobody needs it any more


@dataclass(frozen=True)
class Run:
    """One run: a config, with all that a sweep sets in it.

    Attributes:
        key (str): Fingerprint of what the run learns and of the name and settings that it bears in tables; a change of the
            resolved config, of a teacher's, or of the data is another run.
        method (str): Name of the config in tables.
        data (str): Name of the data.
        fold (int | None): Of the data's protocol.
        seed (int): Of the run; teachers keep their own.
        settings (dict): Keys of the config that axes of the sweep have set.
        arguments (dict): Of :func:`mmkd_plugin.apis.load_config`, by name.
        teachers (tuple[str, ...]): Folders of the teachers, and of learners' starts, that are trained by a config.
        trial (dict | None): ``study`` and ``number`` of the trial of a search that the run is of.
    """

    key: str
    method: str
    data: str
    fold: int | None
    seed: int
    settings: dict[str, Any]
    arguments: dict[str, Any]
    teachers: tuple[str, ...] = ()
    trial: dict[str, Any] | None = None

    @property
    def title(self) -> str:
        """The run in a line: ``'watch: kd (weight=0.5), fold 1, seed 0'``."""
        settings = ', '.join(f'{name}={value}' for name, value in self.settings.items())
        fold = '' if self.fold is None else f', fold {self.fold}'
        trial = '' if self.trial is None else f', trial {self.trial["number"]}'
        return f'{self.data}: {self.method}{f" ({settings})" if settings else ""}{trial}{fold}, seed {self.seed}'

    def of_trial(self, trial: Mapping[str, Any]) -> Run:
        """Return the run as one of a trial."""
        return dataclasses.replace(self, trial=dict(trial))

    @property
    def work_dir(self) -> str:
        """Where the run writes."""
        return self.arguments['work_dir']

    @property
    def group(self) -> str:
        """What runs have in common that read the same kept outputs of teachers."""
        return repr((self.method, self.data, self.fold, self.teachers))


@dataclass(frozen=True)
class Teacher:
    """A network that is trained before the runs that learn from it.

    Attributes:
        key (str): Its folder, which is named after its fingerprint.
        title (str): In a line: ``'teacher gaf, work_dirs/teachers/gaf-0123456789'``.
        kind (str): What teachers have in common that differ in the fold alone.
        arguments (dict): Of :func:`mmkd_plugin.apis.load_config`, for the first run that needs the teacher.
    """

    key: str
    title: str
    kind: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a sweep is going to make.

    Attributes:
        runs (list[Run]): In the order in which they are made.
        teachers (list[Teacher]): All teachers of the runs, whether they are trained already or not.
        notes (list[str]): What a user should know of the plan, in sentences.
    """

    runs: list[Run]
    teachers: list[Teacher]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """What an engine is given: a run or a teacher to be made, in plain values.

    Attributes:
        key (str): Of the run or teacher.
        title (str): Likewise.
        arguments (dict): Of :func:`mmkd_plugin.apis.load_config`.
        teacher (bool): Whether the teacher of this key is to be trained, and not the run itself.
        settings (dict): For the record of the run.
        records (str): File that the record is appended to.
        log (str): File that the output is appended to.
        trial (Mapping | None): For the record too.
    """

    key: str
    title: str
    arguments: dict[str, Any]
    teacher: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    records: str = ''
    log: str = ''
    trial: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return dataclasses.asdict(self)
