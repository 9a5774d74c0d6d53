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
from torch.utils.flop_counter import FlopCounterMode

from mmkd_plugin.engine import evaluating
from mmkd_plugin.experiments.launch import free_cores, usable_cores
from mmkd_plugin.models.distillers import Distiller, LazyTaps

from .rows import count_macs

__all__ = ['choose_threads', 'count_operations', 'threads_for']

OVERRIDE = 'OMP_NUM_THREADS'
# Operations of a step that a further thread pays for. The shipped student has 1.6e9: two runs of it at once, with a thread
# each, do almost twice the work of one, which two threads would make hardly faster. With FAM it has 2.7e9; teachers have 1e10.
WORK = 2e9


def count_operations(model: Distiller, batch_size: int) -> float:
    """Count multiplications and additions of a training step: learners and connectors, forward and backward.

    The backward pass takes twice those of the forward pass. Teachers are left out, since their outputs are mostly kept.

    Args:
        model (Distiller): Model of the run.
        batch_size (int): Windows of a step.
    """
    learners = sum(count_macs(model, name) for name, role in model.roles().items() if role != 'detector')
    return 3 * 2 * (learners + _count_connectors(model)) * batch_size


def _count_connectors(model: Distiller) -> int:
    """Count multiplications and additions of all connectors for one window, the taps that they read being made."""
    signal = model.data_preprocessor.zeros(next(model.parameters()).device)
    networks = [*model.learners, *model.teachers]
    taps = LazyTaps(model, model.data_preprocessor.make(signal, {view for name in networks for view in model.views_of(name)}))
    with evaluating(model):
        for transfer in model.transfers.values():
            for address in (transfer.target, *transfer.sources):
                address.read(taps)
        with FlopCounterMode(display=False) as counter:
            for transfer in model.transfers.values():
                transfer.read(taps)
    return counter.get_total_flops() // 2


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
