"""Cores that this process may use, and those that nobody uses now."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ['free_cores', 'usable_cores']

LOOK = 0.1  # seconds between two looks at the clocks of the cores
STATISTICS = Path('/proc/stat')


def usable_cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def free_cores() -> int:
    """Return how many of them are idle, seen over a tenth of a second; at least one, and all where that is not known."""
    cores = usable_cores()
    before = _idle_seconds()
    if before is None:
        return len(cores)
    begin = time.monotonic()
    time.sleep(LOOK)
    after, seconds = _idle_seconds() or before, time.monotonic() - begin
    idle = sum(min(1.0, (after.get(core, 0.0) - before.get(core, 0.0)) / seconds) for core in cores)
    return max(1, min(len(cores), round(idle)))


def _idle_seconds() -> dict[int, float] | None:
    """Return the seconds that each core has been idle since the start of the system; None where they are not known."""
    try:
        lines = [line.split() for line in STATISTICS.read_text().splitlines() if line.startswith('cpu')]
        ticks = os.sysconf('SC_CLK_TCK')
        return {int(line[0][3:]): (int(line[4]) + int(line[5])) / ticks for line in lines if len(line[0]) > 3}
    except (OSError, ValueError, IndexError):
        return None
