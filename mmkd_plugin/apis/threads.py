"""Threads of a run: as many as its network keeps busy, and no more than there are cores.

Cores that are in use when a run begins change nothing, since sums depend on the number of threads: a seed would have another
result beside another run. A run is told of them, and workers of a sweep have one thread each.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator

import torch
from mmengine.logging import MMLogger, print_log

from mmkd_plugin.experiments.launch import free_cores, usable_cores

__all__ = ['choose_threads', 'threads_for']

OVERRIDE = 'OMP_NUM_THREADS'
WORK = 1e9  # operations of a step that a further thread pays for; the shipped student has 1.5e9, its teachers have 1e10


def choose_threads(operations: float, cores: int) -> int:
    """Return the number of threads for a network.

    Args:
        operations (float): Multiplications and additions of a training step, forward and backward.
        cores (int): Cores that this process may use.
    """
    return max(1, min(cores, int(operations // WORK) + 1))


@contextlib.contextmanager
def threads_for(count: Callable[[], float]) -> Iterator[None]:
    """Let torch use as many threads as a network keeps busy inside a ``with`` block, unless ``OMP_NUM_THREADS`` is set.

    Args:
        count (Callable[[], float]): Counts the operations of a step, see :func:`choose_threads`.
    """
    before = torch.get_num_threads()
    if os.environ.get(OVERRIDE) or torch.cuda.is_available():
        _warn_of_crowds(before)
        yield
        return
    operations, cores = count(), len(usable_cores())
    threads = choose_threads(operations, cores)
    torch.set_num_threads(threads)
    text = f'{threads} thread(s) for {operations / 1e9:.1f} billion operations a step; {OVERRIDE} sets another number'
    MMLogger.get_current_instance().info(text, extra=dict(file_only=True))
    _warn_of_crowds(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _warn_of_crowds(threads: int) -> None:
    """Say so where the environment asks for more threads than there are free cores, or for threads that spin."""
    warnings = []
    if threads > 1 and threads > (free := free_cores()):
        warnings.append(f'{threads} threads, and {free} of {len(usable_cores())} core(s) are free: set {OVERRIDE}={free}')
    if os.environ.get('OMP_WAIT_POLICY', '').upper() == 'ACTIVE':
        warnings.append('OMP_WAIT_POLICY=ACTIVE keeps a core busy that waits for work; runs beside this one starve')
    for warning in warnings:
        print_log(warning, 'current', logging.WARNING)
