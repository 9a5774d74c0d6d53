"""Times that can be compared: candidates take turns, and medians are taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

__all__ = ['take_turns']


def take_turns(candidates: dict[str, Callable[[], object]], repeats: int = 9) -> dict[str, float]:
    """Median seconds of each candidate, which run one after another in every round after one round to warm up."""
    times = {name: [] for name in candidates}
    for number in range(repeats + 1):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}
