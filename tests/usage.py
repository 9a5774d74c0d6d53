"""What a process holds: memory, files, threads, processes, and the lists of Python and of the host that could grow with every run."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import _lru_cache_wrapper
from pathlib import Path

import numpy as np
from helpers import descendants

from mmkd_plugin.engine import listing_classes

__all__ = ['check_flat', 'growth', 'memory', 'usage']

LOG = logging.getLogger(__name__)  # shown by --log-cli-level INFO


def memory(process: int | str = 'self') -> float:
    """Return the memory of a process in MiB, but for mapped files: whether their pages count depends on other processes."""
    lines = Path(f'/proc/{process}/smaps_rollup').read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith('Anonymous:')) / 1024


def _caches() -> Iterator[_lru_cache_wrapper]:
    """Yield the functions of the package that keep results."""
    for name, module in list(sys.modules.items()):
        if name.partition('.')[0] == 'mmkd_plugin':
            yield from (each for each in vars(module).values() if type(each) is _lru_cache_wrapper)


def _resources(process: int | str) -> dict[str, int]:
    """Return what the system keeps for a process."""
    number = os.getpid() if process == 'self' else int(process)
    family = (number, *descendants(number))
    return {
        'descriptors': len(os.listdir(f'/proc/{process}/fd')),
        'threads': len(os.listdir(f'/proc/{process}/task')),
        'processes': len(family) - 1,
        'maps of files': sum(' /' in line for line in Path(f'/proc/{process}/maps').read_text().splitlines()),
        'shared memory': sum(f'_{each}_' in name for each in family for name in os.listdir('/dev/shm')),
    }


def usage(process: int | str = 'self', folder: Path | None = None) -> dict[str, float]:
    """Return counts by name, and ``memory`` in MiB after what can be given back has been.

    Args:
        process (int | str): Its number. Lists of Python are counted of this process alone.
        folder (Path, optional): Where temporary files are written; by default, where this process writes them.
    """
    counts: dict[str, float] = {}
    if process == 'self':
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        counts = {
            'handlers of logs': len(logging._handlerList),
            'loggers': len(logging.root.manager.loggerDict),
            'instances of the host': sum(len(kind._instance_dict) for kind in listing_classes()),
            'modules': len(sys.modules),
            'search path': len(sys.path),
            'objects': len(gc.get_objects()),
            'kept results': sum(each.cache_info().currsize for each in gc.get_objects() if type(each) is _lru_cache_wrapper),
        }
    files = sum(len(names) for _, _, names in os.walk(folder or tempfile.gettempdir()))
    return {**counts, **_resources(process), 'temporary files': files, 'memory': memory(process)}


def growth(measures: list[Mapping[str, float]]) -> dict[str, float]:
    """Return by how much every number grows from one measure to the next: the median over all pairs of measures.

    A single jump, as a table that doubles or pages that come back late, moves the median of few pairs (Theil–Sen).
    """
    first, second = np.triu_indices(len(measures), 1)
    slopes = {}
    for name in measures[0]:
        values = np.array([measure[name] for measure in measures])
        slopes[name] = float(np.median((values[second] - values[first]) / (second - first)))
    return slopes


def check_flat(measures: list[Mapping[str, float]], memory: float, title: str) -> None:
    """Fail where memory grows by more than so many MiB from one measure to the next, objects by some, or anything else at all.

    Args:
        measures (list[Mapping[str, float]]): Of :func:`usage`, after a warm-up.
        memory (float): In MiB.
        title (str): What lies between two measures, for the log and the message.
    """
    slopes = growth(measures)
    table = ', '.join(f'{name} {measures[0][name]:.6g} to {measures[-1][name]:.6g}' for name in slopes)
    LOG.info('%d measures, between them %s: %s MiB, %+.3f each', len(measures), title, table, slopes['memory'])
    allowed = {'memory': memory, 'objects': 20}  # what pytest makes meanwhile
    grows = {name: slope for name, slope in slopes.items() if slope > allowed.get(name, 0)}
    assert not grows, f'{title}: {grows} more each time; {table}'
