"""Compiled kernels over the cores of a machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch

__all__ = ['spread']

LEAST = 32  # rows for which a thread is worth waking


def spread(kernel: Callable[[int, int], object], rows: int) -> list:
    """Run a kernel that releases the interpreter lock over parts of its rows, side by side.

    As many threads as torch uses: one inside a data loader's worker, and what ``OMP_NUM_THREADS`` or
    ``torch.set_num_threads`` says elsewhere.

    Args:
        kernel (Callable): Called with the first row of a part and the row after its last.
        rows (int): Number of rows.

    Returns:
        list: What the calls give, in the order of the rows.
    """
    threads = max(1, min(torch.get_num_threads(), rows // LEAST))
    borders = [rows * part // threads for part in range(threads + 1)]
    parts = list(itertools.pairwise(borders))
    if threads == 1:
        return [kernel(*part) for part in parts]
    return list(_pool(threads).map(lambda part: kernel(*part), parts))


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix='mmkd_plugin')
