"""Runs on a Ray cluster: on every machine workers as on this one, each kept by an actor that reserves its CPUs and GPU."""

from __future__ import annotations

import contextlib
import math
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..children import GRACE
from ..runs import Task
from .cores import usable_cores
from .engine import ENDED, Event, check_counts, number_of
from .local import LocalEngine, Place

__all__ = ['RayEngine']

PATIENCE = 1.0  # seconds that a host waits for events before its answer


class Host:
    """A worker on a machine of the cluster.

    Args:
        folder (str): Working directory of the sweep: paths of a task are relative to it.
        threads (int): Of the worker.
        gpu (str | None): As of a :class:`Place`.
        log (str): As of :class:`LocalEngine`.
    """

    def __init__(self, folder: str, threads: int, gpu: str | None, log: str) -> None:
        self.arguments = folder, threads, gpu, log
        self.engine: LocalEngine | None = None

    def poll(self, task: Task | None) -> list[Event]:
        """Begin a task if one is given, and return what has happened."""
        if self.engine is None:
            folder, threads, gpu, log = self.arguments
            if not Path(folder).is_dir():
                raise FileNotFoundError(
                    f'{socket.gethostname()}: there is no {folder}; the folder in which a sweep is started must be seen by '
                    'all machines of a cluster, by the same path'
                )
            os.chdir(folder)
            self.engine = LocalEngine([Place(tuple(usable_cores()), gpu, threads)], log)
        if task is not None:
            self.engine.submit(task)
        return self.engine.poll(PATIENCE)

    def close(self) -> None:
        """End the worker; a run that is being made gets the time to write a checkpoint."""
        if self.engine is not None:
            self.engine.close()


@dataclass(eq=False)
class _Worker:
    """The handle of a host, and what is being made there; it has begun once it has answered."""

    host: Any
    task: Task | None = None
    begun: bool = False


class RayEngine:
    """Workers on the cluster of ``RAY_ADDRESS``, or on a Ray that is started on this machine.

    A lost machine or worker costs one try of one run. A task that waits for a machine goes to a worker that has become idle, so
    that a cluster which is busy otherwise only makes a sweep slower.

    Args:
        log (str | Path): File that workers write to outside of tasks.
        threads (int): Of a run, which reserves as many CPUs.
        workers (int, optional): Runs at once; as many as the cluster has room for.
        per_gpu (int, optional): Runs at once on a GPU, where the cluster has any; one by default.
        cpu (bool): Leave GPUs alone.

    Raises:
        ImportError: Ray is not installed.
        ValueError: The cluster has no room for a run, or a number is below 1.
    """

    def __init__(
        self, log: str | Path, threads: int = 1, workers: int | None = None, per_gpu: int | None = None, cpu: bool = False
    ) -> None:
        from mmkd_plugin.fileio import ray_cluster  # heavy: not at import

        check_counts(threads=threads, workers=workers, runs_per_gpu=per_gpu)
        self.log, self.threads = str(log), threads
        self._workers: list[_Worker] = []
        self._asked: dict[Any, _Worker] = {}
        self._stack = contextlib.ExitStack()
        self._ray = self._stack.enter_context(ray_cluster(len(usable_cores())))
        try:
            self._reserve([node['Resources'] for node in self._ray.nodes() if node['Alive']], workers, per_gpu, cpu)
        except BaseException:
            self._stack.close()
            raise

    def _reserve(self, machines: list[dict[str, float]], workers: int | None, per_gpu: int | None, cpu: bool) -> None:
        """Settle what a run reserves, and how many are made at once."""
        gpus = not cpu and any(machine.get('GPU') for machine in machines)
        if per_gpu is not None and not gpus:
            raise ValueError(f'--runs-per-gpu {per_gpu}: no GPU is used; the Ray cluster has none, or --gpus none was given')
        per_gpu = per_gpu or 1
        rooms = [int(machine.get('CPU', 0)) // self.threads for machine in machines]
        if gpus:
            rooms = [min(room, int(machine.get('GPU', 0)) * per_gpu) for room, machine in zip(rooms, machines)]
        each = number_of(self.threads, 'CPU') + (f' and a share of 1/{per_gpu} of a GPU' if gpus else '')
        if not sum(rooms):
            raise ValueError(f'no machine of the Ray cluster has {each} for a run')
        self.slots = sum(rooms) if workers is None else workers
        self.description = (
            f'{number_of(self.slots, "worker")} of {number_of(self.threads, "thread")}, '
            f'on {number_of(len(machines), "machine")} of a Ray cluster, each with {each}'
        )
        # Ray counts in steps of 1/10000: a share that was rounded up would leave no room for the last run.
        resources = {'num_cpus': self.threads, 'num_gpus': math.floor(1e4 / per_gpu) / 1e4 if gpus else 0}
        self._gpu = None if gpus else ''  # Ray says in the environment which one
        self._hosts = self._ray.remote(**resources)(Host)

    @property
    def free(self) -> int:
        """How many tasks could be begun now."""
        return self.slots - sum(worker.task is not None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Begin a task, on a worker that has imported everything already if there is one."""
        worker = next((worker for worker in self._workers if worker.task is None), None)
        if worker is None:
            worker = _Worker(self._hosts.remote(os.getcwd(), self.threads, self._gpu, self.log))
            self._workers.append(worker)
        worker.task = task
        self._ask(worker, task)

    def _ask(self, worker: _Worker, task: Task | None = None) -> None:
        self._asked[worker.host.poll.remote(task)] = worker

    def poll(self, seconds: float) -> list[Event]:
        """Return what has happened, waiting for it so long at most.

        Raises:
            FileNotFoundError: A machine does not see the folder of the sweep.
            RuntimeError: Workers cannot be started.
        """
        answers, _ = self._ray.wait(list(self._asked), timeout=seconds)
        if answers:
            answers, _ = self._ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0)
        events = [event for answer in answers for event in self._take(answer)]
        self._hand_over()
        return events

    def _take(self, answer: Any) -> list[Event]:
        """Return the events of an answer, and ask its host for the next ones."""
        worker = self._asked.pop(answer)
        try:
            events = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            self._workers.remove(worker)
            reason = f'its worker on the Ray cluster was lost: {str(error).splitlines()[0]}'
            return [Event(worker.task.key, 'failed', {'reason': reason, 'again': True})] if worker.task else []
        worker.begun = True
        if any(event.kind in ENDED for event in events):
            worker.task = None
        else:
            self._ask(worker)
        return events

    def _hand_over(self) -> None:
        """Let idle workers make what waits for a machine: an idle one keeps its CPUs, and there may be no others."""
        idle = [worker for worker in self._workers if worker.task is None]
        for worker, waiting in zip(idle, [worker for worker in self._workers if not worker.begun]):
            self._asked = {answer: asked for answer, asked in self._asked.items() if asked is not waiting}
            self._end([waiting])
            worker.task = waiting.task
            self._ask(worker, waiting.task)

    def _end(self, workers: Iterable[_Worker]) -> None:
        for worker in list(workers):
            self._ray.kill(worker.host)
            self._workers.remove(worker)

    def close(self) -> None:
        """End the workers; a run that is being made gets the time to write a checkpoint."""
        answers = [worker.host.close.remote() for worker in self._workers if worker.begun]
        try:
            if answers:
                self._ray.wait(answers, num_returns=len(answers), timeout=GRACE + 2 * PATIENCE)
            self._end(self._workers)
        finally:
            self._stack.close()
