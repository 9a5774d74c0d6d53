"""Engines that read the parts of a data set into a store: processes of this machine, or a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread

from mmkd_plugin.fileio import ray_cluster

__all__ = ['ENGINES']


def _with_processes(run: Callable[[str], str], parts: list[str], workers: int) -> Iterator[str]:
    if workers <= 1 or len(parts) <= 1:
        yield from map(run, parts)
        return
    with ProcessPoolExecutor(min(workers, len(parts)), get_context('spawn'), initializer=_end_with_parent) as pool:
        yield from pool.map(run, parts)


def _end_with_parent() -> None:
    """End this worker with a killed conversion, lest it writes beside the workers of the next one."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _with_ray(run: Callable[[str], str], parts: list[str], workers: int) -> Iterator[str]:
    with ray_cluster(workers) as ray:
        task = ray.remote(_run_in)
        waiting = [task.remote(os.getcwd(), run, part) for part in parts]
        while waiting:
            done, waiting = ray.wait(waiting)
            try:
                yield from ray.get(done)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None  # the error of the reader, which is one line


def _run_in(folder: str, run: Callable[[str], str], part: str) -> str:
    """Run in the folder where the run was started: paths of a config are relative to it."""
    os.chdir(folder)
    return run(part)


ENGINES = {'processes': _with_processes, 'ray': _with_ray}
