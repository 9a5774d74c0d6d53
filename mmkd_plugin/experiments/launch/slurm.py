"""Runs as jobs of Slurm, one for each, submitted by submitit; a job says in a file beside the sweep how its run goes."""

from __future__ import annotations

import contextlib
import glob
import json
import signal
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmkd_plugin.compatibility import require

from ..children import GRACE
from ..runs import Task
from .cores import usable_cores
from .engine import ENDED, Event, check_counts, number_of
from .local import LocalEngine, Place

__all__ = ['SlurmEngine']

JOBS = 16  # queued or running at once
PATIENCE = 1.0  # seconds between two looks of a job at its run
INTERVAL = 5.0  # seconds between two messages on how far a run is: they go through a shared file system


@dataclass(eq=False)
class _Job:
    """A job, and how far its messages were read."""

    task: Task
    job: Any
    messages: Path
    position: int = 0

    def events(self) -> list[Event]:
        """Return what the job has said since the last call; that it has died, if it has."""
        ended = self.job.done()  # before its messages are read: the last one comes before the end
        with open(self.messages, 'rb') as file:  # opened anew, since a network file system looks for news only then
            file.seek(self.position)
            data = file.read()
        whole = data[: data.rfind(b'\n') + 1]
        self.position += len(whole)
        events = [Event(self.task.key, **json.loads(line)) for line in whole.splitlines()]
        if ended and not any(event.kind in ENDED for event in events):
            reason = f'its job {self.job.job_id} ended without a word, in state {self.job.state}; see {self.job.paths.stderr}'
            events.append(Event(self.task.key, 'failed', {'reason': reason, 'again': True}))
        return events


class SlurmEngine:
    """Jobs of Slurm. One that dies, is preempted or reaches its time limit costs one try of its run.

    Jobs go on when the process that has submitted them is killed; the same command finds those of its runs again.

    Args:
        folder (str | Path): Of the sweep, on storage that all machines share; jobs write into ``jobs/``.
        options (Mapping[str, Any]): Of submitit's ``AutoExecutor.update_parameters``, by name: ``timeout_min`` has to be there;
            and ``cluster``, 'slurm' by default, or 'local' for processes on this machine.
        threads (int): Of a run.
        jobs (int, optional): Queued or running at once.

    Raises:
        ImportError: submitit is not installed.
        ValueError: submitit takes no such option, or there is no Slurm here.
    """

    def __init__(self, folder: str | Path, options: Mapping[str, Any], threads: int = 1, jobs: int | None = None) -> None:
        check_counts(threads=threads, workers=jobs)
        submitit = require('submitit', "the engine 'slurm'", 'mmkd_plugin[slurm]')
        self.threads, self.slots = threads, JOBS if jobs is None else jobs
        self.log, self.folder = str(Path(folder, 'workers.txt')), Path(folder, 'jobs')
        options = {'cluster': 'slurm', 'name': 'mmkd', 'cpus_per_task': threads, **options}
        several = [name for name in ('nodes', 'tasks_per_node') if options.get(name, 1) != 1]
        if several:
            raise ValueError(f'--slurm {several[0]}={options[several[0]]}: a run is one process; see --workers')
        if not options.keys() & {'timeout_min', 'slurm_time'}:
            raise ValueError('--slurm needs timeout_min=MINUTES, the time limit of a job; submitit would end one after 5')
        self.cluster = options.pop('cluster')
        try:
            self._executor = submitit.AutoExecutor(self.folder, cluster=self.cluster)
            self._executor.update_parameters(**options)
        except (AssertionError, NameError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f'--slurm: {error}') from error
        self._restore = submitit.SlurmJob
        self._jobs: list[_Job] = []

    @property
    def description(self) -> str:
        """Where and how tasks are made, in a line."""
        return f'{number_of(self.slots, "job")} at once of {number_of(self.threads, "thread")}, by submitit on {self.cluster}'

    @property
    def free(self) -> int:
        """How many tasks could be begun now."""
        return self.slots - len(self._jobs)

    def submit(self, task: Task) -> None:
        """Submit a task as a job, unless one for it was submitted earlier and has not ended."""
        from mmkd_plugin.fileio import write_atomically  # heavy: not at import

        left = self._left(task)
        if left is None:
            messages = self.folder / f'{Path(task.key).name}-{uuid.uuid4().hex[:8]}.jsonl'
            self.folder.mkdir(parents=True, exist_ok=True)
            messages.touch()
            left = _Job(task, self._executor.submit(_make, task, self.threads, self.log, str(messages)), messages)
            write_atomically(left.job.job_id.encode(), messages.with_suffix('.job'))
        self._jobs.append(left)

    def _left(self, task: Task) -> _Job | None:
        """Return the job of a task that a command which was killed has left."""
        if self.cluster != 'slurm':  # a process that another one has started is not found again
            return None
        for path in sorted(self.folder.glob(f'{glob.escape(Path(task.key).name)}-*.job')):
            job = _Job(task, self._restore(self.folder, path.read_text()), path.with_suffix('.jsonl'))
            if not any(event.kind in ENDED for event in job.events()) and not job.job.done(force_check=True):
                return job
        return None

    def poll(self, seconds: float) -> list[Event]:
        """Return what has happened, waiting for it so long at most."""
        events = self._events()
        if not events:
            time.sleep(seconds)
            events = self._events()
        return events

    def _events(self) -> list[Event]:
        events: list[Event] = []
        for job in list(self._jobs):
            new = job.events()
            if any(event.kind in ENDED for event in new):
                self._jobs.remove(job)
            events += new
        return events

    def close(self) -> None:
        """Cancel the jobs; a run that is being made gets the time to write a checkpoint."""
        for job in self._jobs:
            job.job.cancel(check=False)
        end = time.monotonic() + GRACE
        while time.monotonic() < end and not all(job.job.done(force_check=True) for job in self._jobs):
            time.sleep(PATIENCE)
        self._jobs.clear()


def _make(task: Task, threads: int, log: str, messages: str) -> None:
    """Make a task, as a job, by a worker as on one machine; and say how that goes."""

    def stop(signum: int, frame: Any) -> None:
        raise SystemExit(128 + signum)

    signal.signal(signal.SIGTERM, stop)  # submitit lets it pass, and the run would have no time for a checkpoint
    try:
        with contextlib.closing(LocalEngine([Place(tuple(usable_cores()), None, threads)], log)) as engine:
            engine.submit(task)
            end = _watch(engine, messages)
    except Exception as error:  # noqa: BLE001 - submitit's at the time limit among them
        end = Event(task.key, 'failed', {'reason': f'{type(error).__name__}: {error}', 'again': True})
    _say(end, messages)


def _watch(engine: LocalEngine, messages: str) -> Event:
    """Pass on what happens, and return what ends it."""
    before = 0.0
    while True:
        for event in engine.poll(PATIENCE):
            if event.kind in ENDED:
                return event
            if event.kind == 'progress':
                if time.monotonic() - before < INTERVAL:
                    continue
                before = time.monotonic()
            _say(event, messages)


def _say(event: Event, messages: str) -> None:
    with open(messages, 'ab', buffering=0) as file:
        file.write(json.dumps({'kind': event.kind, 'facts': dict(event.facts)}).encode() + b'\n')
