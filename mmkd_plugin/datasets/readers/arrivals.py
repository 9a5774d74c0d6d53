"""Times of readings whose stamps say when they arrived: late, and several at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ['even_out']


def even_out(stamps: NDArray, step: float) -> tuple[NDArray, NDArray]:
    """Return when readings were taken, of which the stamps say when they arrived.

    Readings are taken a step apart and never arrive early, so that each was taken no later than those after it allow. Only a
    delay that no later reading makes up for is time in which nothing was taken.

    Args:
        stamps (ndarray): Seconds, in order, ``(n, )``.
        step (float): Seconds between two readings.

    Returns:
        tuple[ndarray, ndarray]: Times in seconds, at least a step apart, ``(n, )``, and the seconds beyond a step between each
        reading and the next, ``(n - 1, )``.
    """
    count = np.arange(len(stamps)) * step
    start = np.minimum.accumulate((stamps - count)[::-1])[::-1]  # of readings without a pause, as each and those after it tell
    return start + count, np.diff(start)
