"""Compiled kernels on several threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from numbers import Integral

import torch

__all__ = ['spread']

LEAST = 32  # rows for which starting a thread pays


def spread(kernel: Callable[[int, int], object], rows: int) -> list:
    """Run a kernel that releases the interpreter lock over parts of its rows, side by side.

    The number of threads is that of torch: one inside a data loader's worker, elsewhere the number that ``OMP_NUM_THREADS`` or
    ``torch.set_num_threads`` sets.

    Args:
        kernel (Callable): Called with the first row of a part and the row after its last.
        rows (int): Number of rows.

    Returns:
        list: Results of the calls, in the order of the rows.

    Raises:
        ValueError: The number of rows is not a whole number of at least 0.
    """
    if not isinstance(rows, Integral) or rows < 0:
        raise ValueError(f'rows must be a whole number of at least 0, got {rows!r}')
    threads = max(1, min(torch.get_num_threads(), rows // LEAST))
    borders = [rows * part // threads for part in range(threads + 1)]
    parts = list(itertools.pairwise(borders))
    if threads == 1:
        return [kernel(*part) for part in parts]
    return list(_pool(threads).map(lambda part: kernel(*part), parts))


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix='mmkd_plugin')
