"""The course of a search: trials become runs of a sweep, and their figures on validation choose what is tried next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from .filters import Choice
from .records import append_record, failed_record
from .runs import Run, Teacher
from .space import Domain, Space
from .study import STRIDE

if TYPE_CHECKING:
    from .study import Study

__all__ = ['DIVERGED', 'JOURNAL', 'Course', 'Search', 'SearchPlan', 'StudyPlan']

JOURNAL = 'journal.log'
DIVERGED = 'FloatingPointError'  # start of the reason of a run whose loss is not finite
NAMES = {'accuracy': 'accuracy', 'macro_f1': 'macro-F1'}


@dataclass(frozen=True)
class StudyPlan:
    """A search for one choice of the axes but fold and seed.

    Attributes:
        name (str): In the journal: what is searched, with a fingerprint of all that decides which trials there are.
        title (str): For people: ``'kd on watch'``.
        choice (Choice): Value by name of the axis.
        domains (dict[str, Domain]): Keys that are searched.
        trials (int): Their number.
        runs (list[Run]): The config's own values in every fold and seed. They are not made: trials are these with other values.
    """

    name: str
    title: str
    choice: Choice
    domains: dict[str, Domain]
    trials: int
    runs: list[Run]


@dataclass(frozen=True)
class SearchPlan:
    """What a search is going to make.

    Attributes:
        space (Space): As it is written.
        studies (list[StudyPlan]): A search each.
        teachers (list[Teacher]): Of the configs' own values.
        make (Callable): Gives runs and teachers of a study's plan with the values of a trial; raises a ConfigError where a
            config does not take them.
        notes (list[str]): What a user should know of the plan, in sentences.
    """

    space: Space
    studies: list[StudyPlan]
    teachers: list[Teacher]
    make: Callable[[StudyPlan, Mapping[str, Any]], tuple[list[Run], list[Teacher]]]
    notes: list[str] = field(default_factory=list)

    @property
    def trials(self) -> int:
        """Number of trials of all studies."""
        return sum(plan.trials for plan in self.studies)


@dataclass
class Course:
    """How far the search for one choice is.

    Attributes:
        plan (StudyPlan): What is searched.
        study (Study): Its trials.
        open (dict[int, list[Run]]): Runs of the trials that have not ended, by number.
        judged (dict[int, dict[int, float]]): Curve of every such trial, as far as the pruner has seen it.
    """

    plan: StudyPlan
    study: Study
    open: dict[int, list[Run]] = field(default_factory=dict)
    judged: dict[int, dict[int, float]] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """Name of the winner's config."""
        return f'winner_{re.sub(r"[^0-9A-Za-z.-]+", "_", self.plan.title).strip("_")}.py'

    def settings(self, number: int) -> str:
        """Return the values of a trial for people."""
        return ', '.join(f'{key}={value}' for key, value in self.study.settings(number).items())

    @property
    def ended(self) -> int:
        """Number of trials that have ended, of those that are asked for."""
        return sum(trial.state.is_finished() for trial in self.study.trials[: self.plan.trials])

    @property
    def best(self) -> tuple[int, float] | None:
        """Number and objective of the best trial, the first of equals; None before one has come to its end.

        Optuna gives a pruned trial the last value of its curve, which is not the mean of all runs: where the first data are the
        easy ones, it would be above all that have come to their end.
        """
        complete = [trial for trial in self.study.trials if trial.state.name == 'COMPLETE']
        values = [(trial.number, trial.value) for trial in complete if trial.value is not None]
        return max(values, key=lambda pair: (pair[1], -pair[0]), default=None)


class Search:
    """What is tried, and what has come of it.

    Only figures of the validation split are looked at: those of the runs' best epochs, and curves for the pruner.

    Args:
        plan (SearchPlan): From :func:`mmkd_plugin.apis.plan_search`.
        folder (str | Path): Of the search.
        say (Callable[[str], object]): Called with a sentence for every trial that has ended.
    """

    def __init__(self, plan: SearchPlan, folder: str | Path, say: Callable[[str], object] = lambda line: None) -> None:
        self.plan, self.folder, self.say = plan, Path(folder), say
        self.courses: list[Course] = []

    def begin(self) -> None:
        """Open the journal; the folder is this process's alone from now on."""
        from .study import Study, open_journal

        self.folder.mkdir(parents=True, exist_ok=True)
        storage, space = open_journal(self.folder / JOURNAL), self.plan.space
        for plan in self.plan.studies:
            study = Study(storage, plan.name, plan.domains, space.parallel, space.sampler_seed, space.pruner)
            self.courses.append(Course(plan, study))

    @property
    def ended(self) -> int:
        """Number of trials that have ended, of those that are asked for."""
        return sum(course.ended for course in self.courses)

    @property
    def left(self) -> int:
        """Number of runs that are left, if every trial is another one and comes to its end."""
        return sum((course.plan.trials - course.ended) * len(course.plan.runs) for course in self.courses)

    @property
    def best(self) -> str:
        """The best trial of all, for the display; empty before the first has come to its end."""
        best = [(course.best, course.plan.title) for course in self.courses if course.best is not None]
        if not best:
            return ''
        (number, value), title = max(best, key=lambda pair: pair[0][1])
        return f'{self.spell(value)} ({title}, trial {number})'

    @property
    def objective(self) -> str:
        """Name of the objective for people."""
        return NAMES[self.plan.space.objective]

    def spell(self, value: float) -> str:
        """Return the objective for people."""
        return f'{100 * value:.2f} {self.objective}'

    def advance(self, ends: Mapping[str, Mapping]) -> tuple[list[Run], list[Teacher], list[str]]:
        """End the trials whose runs have ended, and begin those that can be chosen now.

        Args:
            ends (Mapping[str, Mapping]): By key, ``val`` of a run that is done, ``reason`` of one that has failed, or
                ``blocked`` of one that cannot be made, for lack of a teacher or of room on a disk: its trial waits until the
                search goes on.

        Returns:
            tuple[list[Run], list[Teacher], list[str]]: What is to be made, and the keys of runs that nobody needs any more.
        """
        runs: list[Run] = []
        teachers: list[Teacher] = []
        ended: list[Run] = []
        for course in self.courses:
            for number, frozen in enumerate(course.study.trials):
                if not frozen.state.is_finished() and number not in course.open:  # begun before a kill
                    self._begin(course, number, runs, teachers)
            moving = True
            while moving:
                before = len(ended), len(course.study.trials)
                for number in list(course.open):
                    ended += self._end(course, number, ends)
                blocked = any('blocked' in ends.get(run.key, {}) for group in course.open.values() for run in group)
                if not blocked and len(course.study.trials) < course.plan.trials and course.study.ready:
                    self._begin(course, course.study.ask(), runs, teachers)
                moving = before != (len(ended), len(course.study.trials))
        needed = {run.key for course in self.courses for group in course.open.values() for run in group}
        return (
            [run for run in runs if run.key in needed],
            teachers,
            [run.key for run in ended if run.key not in needed and run.key not in ends],
        )

    def _begin(self, course: Course, number: int, runs: list[Run], teachers: list[Teacher]) -> None:
        """Turn a trial into runs; one whose config is refused ends at once."""
        from mmkd_plugin.fileio import ConfigError  # heavy: not at import

        try:
            made, needed = self.plan.make(course.plan, course.study.settings(number))
        except ConfigError as error:
            course.study.end(number, {})
            self.say(f'{course.plan.title}, trial {number}: FAILED: {error}')
            return
        trial = {'study': course.plan.name, 'number': number}
        course.open[number] = [run.of_trial(trial) for run in made]
        runs += course.open[number]
        teachers += needed

    def _end(self, course: Course, number: int, ends: Mapping[str, Mapping]) -> list[Run]:
        """End a trial if there is a reason to; return its runs then."""
        runs = course.open[number]
        low = self._judge(course, number, ends)
        reasons = [ends[run.key]['reason'] for run in runs if 'reason' in ends.get(run.key, {})]
        if low is None and not reasons and not all('val' in ends.get(run.key, {}) for run in runs):
            return []
        curve, title = course.judged.pop(number, {}), f'{course.plan.title}, trial {number}'
        settings = course.settings(number)
        if low is not None:
            course.study.end(number, curve, low=True)
            reason = f'pruned at {self.spell(curve[max(curve)])} on validation, epoch {max(curve) % STRIDE}'
            self.say(f'{title}: {reason}; {settings}')
            if low.key not in ends:
                append_record(_pruned(low, reason), self.folder / 'runs.jsonl')
        elif reasons:
            course.study.end(number, curve, low=reasons[0].startswith(DIVERGED))
            self.say(f'{title}: FAILED: {reasons[0]}; {settings}')
        else:
            value = mean(ends[run.key]['val'][self.plan.space.objective] for run in runs)
            course.study.end(number, curve or dict(self._steps(runs, ends)), value)
            several = f', mean of {len(runs)} runs' if len(runs) > 1 else ''
            self.say(f'{title}: {self.spell(value)} on validation{several}; {settings}')
        return course.open.pop(number)

    def _judge(self, course: Course, number: int, ends: Mapping[str, Mapping]) -> Run | None:
        """Return the run in whose curve the pruner ends a trial; every step is looked at once, in one order."""
        if self.plan.space.pruner is None:
            return None
        runs = course.open[number]
        curve = course.judged.setdefault(number, {})
        for step, value in self._steps(runs, ends):
            if step in curve:
                continue
            curve[step] = value
            if course.study.is_low(number, curve):
                return runs[step // STRIDE]
        return None

    def _steps(self, runs: Sequence[Run], ends: Mapping[str, Mapping]) -> Iterator[tuple[int, float]]:
        """Yield the curve of a trial: the best so far of a run, in the mean with those of the runs before."""
        from mmkd_plugin.fileio import read_curves  # heavy: not at import

        finals: list[float] = []
        for index, run in enumerate(runs):
            curves = read_curves(run.work_dir)
            best = None
            for epoch, value in zip(curves.get('epoch', ()), curves.get(f'val_{self.plan.space.objective}', ())):
                if value is not None:
                    best = value if best is None else max(best, value)
                    yield index * STRIDE + epoch, mean([*finals, best])
            if run.key not in ends or best is None:
                return
            finals.append(best)


def _pruned(run: Run, reason: str) -> dict:
    record = failed_record(reason, run.method, run.data, run.seed, run.fold, run.key, run.settings, run.work_dir, run.trial)
    return {**record, 'ended': {'state': 'pruned', 'reason': reason}}
