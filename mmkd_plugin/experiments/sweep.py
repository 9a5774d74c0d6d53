"""The scheduler of a sweep: teachers first, then the runs that learn from them; what is done is skipped by its record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .launch import Engine, Event
from .records import append_record, failed_record, read_records, validation_of
from .runs import STOP, Plan, Run, Task, Teacher
from .search import Search
from .watch import Display, State

__all__ = ['RECORDS', 'Failure', 'finished_keys', 'run_sweep', 'trained']

RECORDS = 'runs.jsonl'
PATIENCE = 1.0  # seconds between two looks at the clock


@dataclass(frozen=True)
class Failure:
    """A run or a teacher that has not come to its end, and why."""

    title: str
    reason: str


def finished_keys(folder: str | Path, trials: bool = False) -> set[str]:
    """Return the keys of the runs that have a record of their end in a sweep's folder, trials among them if they count."""
    return set(_ends(folder, lambda line: None, trials))


def _ends(folder: str | Path, say: Callable[[str], object], trials: bool) -> dict[str, dict]:
    """Return ``val``, metrics on validation, of what has ended, by key; trials, which are not tested, for a search alone."""
    records = [record for record in read_records(Path(folder, RECORDS), say) if trials or not record['trial']]
    finished = [record for record in records if record['ended']['state'] == 'finished']
    return {record['key']: {'val': validation_of(record)} for record in finished}


def trained(teacher: Teacher) -> bool:
    """Return whether a teacher has a result; whether that is whole is looked at by the runs that learn from the teacher."""
    return Path(teacher.key, 'result.json').is_file()


def run_sweep(
    plan: Plan, folder: str | Path, engine: Engine, display: Display, retries: int = 2, search: Search | None = None
) -> list[Failure]:
    """Make the runs of a plan that have no record yet, and the teachers that they need.

    Args:
        plan (Plan): From :func:`mmkd_plugin.apis.plan_sweep`.
        folder (str | Path): Of the sweep; ``runs.jsonl`` gets a line for every run.
        engine (Engine): Makes them; closed at the end, however that comes.
        display (Display): Told what happens; closed likewise.
        retries (int): How often a run or teacher that has failed is tried again.
        search (Search, optional): Adds runs as others end.

    Returns:
        list[Failure]: What has failed for good.

    Raises:
        LockedError: Another sweep writes into the folder.
    """
    from mmkd_plugin.fileio import locked  # heavy: not at import

    try:
        with locked(Path(folder, '.lock'), f'the folder {folder}', display.say):
            schedule = _Schedule(plan, Path(folder), display, retries, search)
            while schedule.open:
                while engine.free and (task := schedule.next()) is not None:
                    engine.submit(task)
                for event in engine.poll(PATIENCE):
                    schedule.take(event)
                schedule.follow()
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
    search: Search | None = None
    failures: list[Failure] = field(default_factory=list)

    def __post_init__(self) -> None:
        # By key `val` of what is done, `reason` of what has failed, `blocked` of what lacks a teacher or room on a disk.
        self.ends = _ends(self.folder, self.display.say, self.search is not None)
        self.before = 0
        self.runs: dict[str, Run] = {}
        self.teachers: dict[str, Teacher] = {}
        self.waiting: list[str] = []
        self.absent: set[str] = set()  # teachers that runs have to wait for
        self.lost: dict[str, str] = {}  # teachers that have failed for good, and why
        self.unwanted: set[str] = set()  # runs that are being made, and were told to end
        self.leading: dict[str, str] = {}  # the first run of every group, until it makes steps
        self.opened: set[str] = set()
        self.running: dict[str, tuple[float, str]] = {}
        self.tries: dict[str, int] = {}
        self.done: dict[str, float] = {}  # seconds by key
        self.best: tuple[float, str] | None = None
        self.started = time.monotonic()
        self.add(self.plan.runs, self.plan.teachers)
        if self.search is not None:
            self.search.begin()
            self.follow()

    def add(self, runs: Sequence[Run], teachers: Sequence[Teacher]) -> None:
        """Let runs wait for their turn, and before all runs the teachers that they need and that are not trained."""
        for run in [run for run in runs if run.key in self.unwanted]:
            self.unwanted.discard(run.key)
            Path(run.work_dir, STOP).unlink(missing_ok=True)
        left = {run.key: run for run in runs if run.key not in self.runs and run.key not in self.ends}
        self.before += len({run.key for run in runs} & self.ends.keys())
        self.runs.update(left)
        needed = {path for run in left.values() for path in run.teachers}
        missing = {t.key: t for t in teachers if t.key in needed and t.key not in self.teachers and not trained(t)}
        self.teachers.update(missing)
        self.absent.update(missing)
        first = sum(key in self.teachers for key in self.waiting)
        self.waiting[first:first] = missing
        self.waiting += left
        for run in left.values():
            lost = self.lost.keys() & set(run.teachers)
            if lost:
                self._block(run, self.lost[min(lost)])

    def follow(self) -> None:
        """Take up what the search wants next, and end what it wants no more."""
        if self.search is None:
            return
        runs, teachers, unwanted = self.search.advance(self.ends)
        self.add(runs, teachers)
        for key in unwanted:
            if key in self.waiting:
                self.waiting.remove(key)
                self._open_group(key)
                del self.runs[key]
            elif key in self.running and key not in self.unwanted:
                self.unwanted.add(key)
                folder = Path(self.runs[key].work_dir)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / STOP).touch()

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
                    Path(self.runs[key].work_dir, STOP).unlink(missing_ok=True)
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
        return Task(key, run.title, run.arguments, False, run.settings, str(self.folder / RECORDS), str(log), run.trial)

    def take(self, event: Event) -> None:
        """Take note of what has happened."""
        if event.kind == 'progress':
            self.running[event.key] = event.facts['share'], event.facts['state']
        elif event.kind == 'training':
            self._open_group(event.key)
        elif event.kind == 'finished':
            self._finish(event)
        elif event.kind == 'failed':
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
        self.unwanted.discard(key)
        self.ends[key] = {'val': event.facts['val']}
        # The one metric that all classifiers have; a detector's are of another kind.
        title, accuracy = self.runs[key].title, event.facts['val'].get('accuracy')
        if accuracy is not None and (self.best is None or accuracy > self.best[0]):
            self.best = accuracy, f'{100 * accuracy:.2f} accuracy ({title})'
        figure = '' if accuracy is None else f'accuracy {100 * accuracy:.2f} on validation, '
        self.display.say(f'{self._count()} {title}: {figure}{seconds}')

    def _fail(self, event: Event) -> None:
        key, reason = event.key, str(event.facts['reason'])
        self.running.pop(key)
        if key in self.unwanted:
            self.unwanted.discard(key)
            self._open_group(key)
            del self.runs[key]
            return
        title = self.teachers[key].title if key in self.teachers else self.runs[key].title
        self.tries[key] = self.tries.get(key, 0) + 1
        if event.facts.get('again') and self.tries[key] <= self.retries:
            self.display.say(f'{title}: {reason}; try {self.tries[key] + 1} of {self.retries + 1} follows')
            self.waiting.insert(0, key)
            return
        self._give_up(key, title, reason)
        if key in self.runs:
            self.ends[key] = {'blocked' if event.facts.get('outside') else 'reason': reason}
            self._open_group(key)
            return
        self.lost[key] = f'{title} has failed: {reason}'
        for run in [r for r in self.runs.values() if key in r.teachers and r.key in self.waiting]:
            self._block(run, self.lost[key])

    def _block(self, run: Run, reason: str) -> None:
        self.waiting.remove(run.key)
        self.ends[run.key] = {'blocked': reason}
        self._give_up(run.key, run.title, reason)

    def _give_up(self, key: str, title: str, reason: str) -> None:
        self.failures.append(Failure(title, reason))
        self.display.say(f'{title}: FAILED: {reason}; see {self._task(key).log}')
        if key in self.runs:
            run = self.runs[key]
            record = failed_record(reason, run.method, run.data, run.seed, run.fold, key, run.settings, run.work_dir, run.trial)
            append_record(record, self.folder / RECORDS)

    def _count(self) -> str:
        if self.search is not None:  # how many runs there will be is not known
            return f'[{self.search.ended}/{self.search.plan.trials} trials]'
        return f'[{len(self.done) + len(self.failures)}/{len(self.runs) + len(self.teachers)}]'

    def state(self, slots: int) -> State:
        """Return how far the sweep is."""
        titles = {key: self.teachers[key].title if key in self.teachers else self.runs[key].title for key in self.running}
        elapsed = time.monotonic() - self.started
        done, total = self.before + len(self.done), len(self.plan.runs) + len(self.teachers)
        if self.search is not None:
            done, total = self.search.ended, self.search.plan.trials
        return State(
            total=total,
            done=done,
            failed=len(self.failures),
            running={titles[key]: progress for key, progress in self.running.items()},
            per_hour=3600 * len(self.done) / elapsed if self.done and elapsed else None,
            seconds_left=self._seconds_left(slots),
            best=self.search.best if self.search is not None else '' if self.best is None else self.best[1],
            kind='' if self.search is None else ' trials',
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
            if self.search is not None and keys is kinds[1]:
                waiting = self.search.left - sum(key in self.running for key in keys)
            left += mean * (waiting + sum(1 - self.running[key][0] for key in keys if key in self.running))
        return left / max(1, slots)
