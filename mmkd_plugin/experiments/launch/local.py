"""Runs side by side on this machine: workers that import once, each on cores of its own."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..children import GRACE, PARENT
from ..runs import Task
from .engine import ENDED, Event, check_counts, number_of

__all__ = ['LocalEngine', 'Place', 'plan_places']

STARTS = 3  # of a worker that ends before it has taken a task; then something is wrong with the installation


@dataclass(frozen=True)
class Place:
    """Where a worker runs.

    Attributes:
        cores (tuple[int, ...]): That the worker may use; it has a thread for each, but one where cores are shared.
        gpu (str | None): As in ``CUDA_VISIBLE_DEVICES``; an empty text for none, None for what the environment says.
        threads (int): Of the worker.
    """

    cores: tuple[int, ...]
    gpu: str | None = None
    threads: int = 1


def plan_places(
    cores: Sequence[int], threads: int = 1, workers: int | None = None, gpus: Sequence[str] = (), per_gpu: int = 1
) -> list[Place]:
    """Deal out cores, and GPUs if there are any, so that no two workers share a core unless GPUs have more runs than cores.

    Args:
        cores (Sequence[int]): That this process may use.
        threads (int): Of a worker.
        workers (int, optional): Their number; as many as there are cores for, or ``per_gpu`` for each GPU.
        gpus (Sequence[str]): GPUs, as in ``CUDA_VISIBLE_DEVICES``.
        per_gpu (int): Runs at once on a GPU.

    Raises:
        ValueError: There are not so many cores, or a number is below 1.
    """
    check_counts(threads=threads, workers=workers, runs_per_gpu=per_gpu)
    room = len(cores) // threads
    if not room:
        raise ValueError(f'--threads {threads}: this process may use {len(cores)} core(s)')
    if gpus:
        if workers is not None:
            raise ValueError('--workers is for runs on the CPU; --runs-per-gpu says how many share a GPU')
        runs = len(gpus) * per_gpu
        threads = threads if runs <= room else 1
        slots = len(cores) // threads
        return [
            Place(tuple(cores[threads * (i % slots) : threads * (i % slots + 1)]), gpus[i % len(gpus)], threads)
            for i in range(runs)
        ]
    if workers is not None and workers > room:
        raise ValueError(
            f'--workers {workers} with {threads} thread(s) each need {workers * threads} cores, this process may use '
            f'{len(cores)}; workers that share a core slow each other down'
        )
    return [Place(tuple(cores[i * threads : (i + 1) * threads]), '', threads) for i in range(workers or room)]


class _Worker:
    """A worker's process, and what it is doing."""

    def __init__(self, place: Place, log: Path) -> None:
        self.task: Task | None = None
        self.ready, self.started, self.rest = False, 0.0, b''
        env = {**os.environ, PARENT: str(os.getpid()), 'OMP_NUM_THREADS': str(place.threads), 'OMP_WAIT_POLICY': 'PASSIVE'}
        # Asked without this, the driver would be started before the worker forks, and could not be used after.
        env['PYTORCH_NVML_BASED_CUDA_CHECK'] = '1'
        if place.gpu is not None:
            env['CUDA_VISIBLE_DEVICES'] = place.gpu
        command = [sys.executable, '-m', 'mmkd_plugin.cli.worker', ','.join(map(str, place.cores))]
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, 'ab') as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                start_new_session=True,  # a Ctrl-C is the scheduler's affair
            )

    def give(self, task: Task) -> None:
        """Hand over a task; a worker that has died meanwhile is noticed by the end of its output."""
        self.task, self.started = task, time.monotonic()
        line = json.dumps(task.as_dict()).encode() + b'\n'
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(line)
                self.process.stdin.flush()

    def lines(self) -> list[bytes] | None:
        """Return the whole lines that the worker has written; None once it has ended."""
        stdout = self.process.stdout
        data = b'' if stdout is None else os.read(stdout.fileno(), 2**16)
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b'\n')
        return lines


class LocalEngine:
    """Workers on this machine. The crash of a run costs one try of that run; a worker that dies is started again.

    Args:
        places (Sequence[Place]): Of the workers, see :func:`plan_places`.
        log (str | Path): File that workers write to outside of tasks.
    """

    def __init__(self, places: Sequence[Place], log: str | Path) -> None:
        self.places, self.log = list(places), Path(log)
        self._workers: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._failed_starts = 0

    @property
    def description(self) -> str:
        """Where and how tasks are made, in a line."""
        gpus = sorted({place.gpu for place in self.places if place.gpu})
        cores = len({core for place in self.places for core in place.cores})
        where = f'GPU {", ".join(gpus)}, ' if gpus else ''
        workers = f'{number_of(len(self.places), "worker")} of {number_of(self.threads, "thread")}'
        return f'{workers}, on {where}{number_of(cores, "core")}'

    @property
    def threads(self) -> int:
        """Threads of a run."""
        return self.places[0].threads

    @property
    def slots(self) -> int:
        """How many tasks are made at once."""
        return len(self.places)

    @property
    def free(self) -> int:
        """How many tasks could be begun now."""
        return len(self.places) - sum(worker.task is not None for worker in self._workers.values())

    def submit(self, task: Task) -> None:
        """Begin a task, on a worker that has imported everything already if there is one."""
        idle = next((worker for worker in self._workers.values() if worker.task is None), None)
        if idle is None:
            slot = next(slot for slot in range(len(self.places)) if slot not in self._workers)
            idle = self._workers[slot] = _Worker(self.places[slot], self.log)
            self._selector.register(idle.process.stdout or 0, selectors.EVENT_READ, slot)
        idle.give(task)

    def poll(self, seconds: float) -> list[Event]:
        """Return what has happened, waiting for it so long at most.

        Raises:
            RuntimeError: Workers cannot be started.
        """
        events: list[Event] = []
        for key, _ in self._selector.select(seconds):
            worker = self._workers[key.data]
            lines = worker.lines()
            if lines is None:
                events += self._bury(key.data)
                continue
            for line in lines:
                message = json.loads(line)
                if message['kind'] == 'ready':
                    worker.ready, worker.started, self._failed_starts = True, time.monotonic(), 0
                elif worker.task is not None:
                    events.append(Event(worker.task.key, message['kind'], self._facts(worker, message)))
                    worker.task = None if message['kind'] in ENDED else worker.task
        return events

    def _facts(self, worker: _Worker, message: dict) -> dict:
        facts = message.get('facts', {})
        return {**facts, 'seconds': time.monotonic() - worker.started} if message['kind'] == 'finished' else facts

    def _bury(self, slot: int) -> list[Event]:
        """Take note of a worker that has ended; the next task starts another."""
        worker = self._workers.pop(slot)
        self._selector.unregister(worker.process.stdout or 0)
        _release(worker)
        code = worker.process.wait()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= STARTS:
                raise RuntimeError(f'a worker has ended with exit code {code} before its first task; see {self.log}')
        if worker.task is None:
            return []
        how = f'by {signal.Signals(-code).name}' if code < 0 else f'with exit code {code}'
        return [Event(worker.task.key, 'failed', {'reason': f'its worker was ended {how}', 'again': True})]

    def close(self) -> None:
        """End the workers; a run that is being made gets the time to write a checkpoint."""
        for worker in self._workers.values():
            worker.process.terminate()
        end = time.monotonic() + GRACE
        for worker in self._workers.values():
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            _release(worker)
        self._workers.clear()
        self._selector.close()


def _release(worker: _Worker) -> None:
    for pipe in (worker.process.stdin, worker.process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
