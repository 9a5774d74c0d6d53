"""Compiled kernels, kept on disk where that is possible, and run on several threads."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from numbers import Integral
from typing import Any

import torch
from numba import njit

__all__ = ['compiled', 'spread']

LEAST = 32  # rows for which starting a thread pays
_WARNED: list[str] = []


def compiled(function: Callable) -> Any:
    """Compile a function that releases the interpreter lock; the machine code is kept on disk for later processes.

    Where no folder can be written (packages that are read-only, no home), functions are compiled anew in every process, which a
    warning says once.

    Args:
        function (Callable): Of arrays and numbers, in the part of Python that numba compiles.

    Returns:
        Callable: The compiled function.
    """
    try:
        dispatcher = njit(cache=True, nogil=True)(function)
    except RuntimeError as error:  # numba finds no folder
        _warn_once(str(error))
        return njit(nogil=True)(function)
    cache: Any = getattr(dispatcher, '_cache', None)
    for name in ('load_overload', 'save_overload'):
        if hasattr(cache, name):
            setattr(cache, name, _tolerant(getattr(cache, name)))
    return dispatcher


def _tolerant(access: Callable) -> Callable:
    """Let a full disk or a damaged file cost no more than what would have been kept."""

    def run(*args: Any) -> Any:
        try:
            return access(*args)
        except Exception as error:  # noqa: BLE001 - a damaged pickle can fail anywhere
            _warn_once(f'{type(error).__name__}: {error}')
            return None

    return run


def _warn_once(reason: str) -> None:
    if not _WARNED:
        _WARNED.append(reason)
        warnings.warn(
            f'compiled functions cannot be kept on disk and are compiled anew in every process: {reason}. '
            'NUMBA_CACHE_DIR names a folder that can be written',
            stacklevel=3,
        )


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
