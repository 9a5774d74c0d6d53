"""The scheduler of a sweep: teachers first, then the runs that learn from them; what is done is skipped by its record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .launch import Engine, Event
from .records import append_record, failed_record, read_records
from .runs import Plan, Run, Task, Teacher
from .watch import Display, State

__all__ = ['RECORDS', 'Failure', 'finished_keys', 'run_sweep', 'trained']

RECORDS = 'runs.jsonl'
PATIENCE = 1.0  # seconds between two looks at the clock


@dataclass(frozen=True)
class Failure:
    """A run or a teacher that has not come to its end, and why."""

    title: str
    reason: str


def finished_keys(folder: str | Path, say=lambda line: None) -> set[str]:
    """Return the keys of the runs that have a record of their end in a sweep's folder."""
    records = read_records(Path(folder, RECORDS), say)
    return {record['key'] for record in records if record['ended']['state'] == 'finished'}


def trained(teacher: Teacher) -> bool:
    """Return whether a teacher has a result; whether that is whole is looked at by the runs that learn from the teacher."""
    return Path(teacher.key, 'result.json').is_file()


def run_sweep(plan: Plan, folder: str | Path, engine: Engine, display: Display, retries: int = 2) -> list[Failure]:
    """Make the runs of a plan that have no record yet, and the teachers that they need.

    Args:
        plan (Plan): From :func:`mmkd_plugin.apis.plan_sweep`.
        folder (str | Path): Of the sweep; ``runs.jsonl`` gets a line for every run.
        engine (Engine): Makes them; closed at the end, however that comes.
        display (Display): Told what happens; closed likewise.
        retries (int): How often a run or teacher that has failed is tried again.

    Returns:
        list[Failure]: What has failed for good.

    Raises:
        LockedError: Another sweep writes into the folder.
    """
    from mmkd_plugin.fileio import locked  # heavy: not at import

    try:
        with locked(Path(folder, '.lock'), f'the folder {folder}', display.say):
            schedule = _Schedule(plan, Path(folder), display, retries)
            while schedule.open:
                while engine.free and (task := schedule.next()) is not None:
                    engine.submit(task)
                for event in engine.poll(PATIENCE):
                    schedule.take(event)
                display.show(schedule.state(engine.slots))
            return schedule.failures
    finally:
        display.close()
        engine.close()


@dataclass
class _Schedule:
    """What is waiting, being made, and done."""

    plan: Plan
    folder: Path
    display: Display
    retries: int
    failures: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        done = finished_keys(self.folder, self.display.say)
        runs = [run for run in self.plan.runs if run.key not in done]
        self.before = len(self.plan.runs) - len(runs)
        needed = {path for run in runs for path in run.teachers}
        self.runs: dict[str, Run] = {run.key: run for run in runs}
        missing = [t for t in self.plan.teachers if t.key in needed and not trained(t)]
        self.teachers: dict[str, Teacher] = {teacher.key: teacher for teacher in missing}
        self.waiting: list[str] = [*self.teachers, *self.runs]
        self.absent = set(self.teachers)  # teachers that runs have to wait for
        self.leading: dict[str, str] = {}  # the first run of every group, until it makes steps
        self.opened: set[str] = set()
        self.running: dict[str, tuple[float, str]] = {}
        self.tries: dict[str, int] = {}
        self.done: dict[str, float] = {}  # seconds by key
        self.best: tuple[float, str] | None = None
        self.started = time.monotonic()

    @property
    def open(self) -> bool:
        """Whether something is left to be made."""
        return bool(self.waiting or self.running)

    def next(self) -> Task | None:
        """Return the next task that can be begun, if there is one."""
        for key in self.waiting:
            if self._ready(key):
                self.waiting.remove(key)
                self.running[key] = 0.0, ''
                if key in self.runs:
                    self.leading.setdefault(self.runs[key].group, key)
                return self._task(key)
        return None

    def _ready(self, key: str) -> bool:
        if key in self.teachers:
            return True
        run = self.runs[key]
        if self.absent.intersection(run.teachers):
            return False
        # Runs that differ in the seed read the same outputs of teachers: the first one writes them.
        return not run.teachers or run.group in self.opened or self.leading.get(run.group, key) == key

    def _task(self, key: str) -> Task:
        if key in self.teachers:
            teacher = self.teachers[key]
            log = self.folder / 'teachers' / f'{Path(key).name}.txt'
            return Task(key, teacher.title, teacher.arguments, teacher=True, log=str(log))
        run = self.runs[key]
        log = Path(run.work_dir, 'log.txt')
        return Task(key, run.title, run.arguments, False, run.settings, str(self.folder / RECORDS), str(log))

    def take(self, event: Event) -> None:
        """Take note of what has happened."""
        if event.kind == 'progress':
            self.running[event.key] = event.facts['share'], event.facts['state']
        elif event.kind == 'training':
            self._open_group(event.key)
        elif event.kind == 'finished':
            self._finish(event)
        else:
            self._fail(event)

    def _open_group(self, key: str) -> None:
        if key in self.runs:
            self.opened.add(self.runs[key].group)

    def _finish(self, event: Event) -> None:
        key = event.key
        self.running.pop(key)
        self.done[key] = event.facts['seconds']
        seconds = f'{event.facts["seconds"]:.0f} s'
        if key in self.teachers:
            self.absent.discard(key)
            self.display.say(f'{self._count()} {self.teachers[key].title}: trained in {seconds}')
            return
        self._open_group(key)
        title, accuracy = (
            self.runs[key].title,
            event.facts['val'].get('accuracy'),
        )  # the one metric that all classifiers have; a detector's are of another kind
        if accuracy is not None and (self.best is None or accuracy > self.best[0]):
            self.best = accuracy, f'{100 * accuracy:.2f} accuracy ({title})'
        figure = '' if accuracy is None else f'accuracy {100 * accuracy:.2f} on validation, '
        self.display.say(f'{self._count()} {title}: {figure}{seconds}')

    def _fail(self, event: Event) -> None:
        key, reason = event.key, str(event.facts['reason'])
        self.running.pop(key)
        title = self.teachers[key].title if key in self.teachers else self.runs[key].title
        self.tries[key] = self.tries.get(key, 0) + 1
        if event.facts.get('again') and self.tries[key] <= self.retries:
            self.display.say(f'{title}: {reason}; try {self.tries[key] + 1} of {self.retries + 1} follows')
            self.waiting.insert(0, key)
            return
        self._give_up(key, title, reason)
        if key in self.runs:
            self._open_group(key)
        for run in [r for r in self.runs.values() if key in r.teachers and r.key in self.waiting]:
            self.waiting.remove(run.key)
            self._give_up(run.key, run.title, f'{title} has failed: {reason}')

    def _give_up(self, key: str, title: str, reason: str) -> None:
        self.failures.append(Failure(title, reason))
        self.display.say(f'{title}: FAILED: {reason}; see {self._task(key).log}')
        if key in self.runs:
            run = self.runs[key]
            record = failed_record(reason, run.method, run.data, run.seed, run.fold, key, run.settings, run.work_dir)
            append_record(record, self.folder / RECORDS)

    def _count(self) -> str:
        total = len(self.runs) + len(self.teachers)
        return f'[{len(self.done) + len(self.failures)}/{total}]'

    def state(self, slots: int) -> State:
        """Return how far the sweep is."""
        titles = {key: self.teachers[key].title if key in self.teachers else self.runs[key].title for key in self.running}
        elapsed = time.monotonic() - self.started
        return State(
            total=len(self.plan.runs) + len(self.teachers),
            done=self.before + len(self.done),
            failed=len(self.failures),
            running={titles[key]: progress for key, progress in self.running.items()},
            per_hour=3600 * len(self.done) / elapsed if self.done and elapsed else None,
            seconds_left=self._seconds_left(slots),
            best='' if self.best is None else self.best[1],
        )

    def _seconds_left(self, slots: int) -> float | None:
        """Return the time that is left, if runs take as long as those that are done; None before the first."""
        if not self.done:
            return None
        kinds: Sequence[Sequence[str]] = (list(self.teachers), list(self.runs))
        overall = sum(self.done.values()) / len(self.done)
        left = 0.0
        for keys in kinds:
            known = [self.done[key] for key in keys if key in self.done]
            mean = sum(known) / len(known) if known else overall
            waiting = sum(key in self.waiting for key in keys)
            left += mean * (waiting + sum(1 - self.running[key][0] for key in keys if key in self.running))
        return left / max(1, slots)
