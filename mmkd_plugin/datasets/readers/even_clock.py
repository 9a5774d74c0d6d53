"""Times at which a sensor took its samples, from stamps that the samples got when they were delivered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ['sampling_times']

SPAN = 60  # samples, which 3 to 6 divide, so that bursts of as many rows do not shift the first guess of the step
LEAST = 10  # samples that tell a step better than the first guess
NEIGHBOURS = 10  # samples of which one was delivered about as fast as any
LOST = 0.2  # seconds by which all stamps from one on are later than those before let expect: samples are missing there


def sampling_times(stamps: NDArray) -> NDArray:
    """Return when evenly taken samples were taken, in seconds.

    A sensor samples evenly, while radio and operating system deliver: late, in bursts, two samples in one millisecond. A stamp
    may come late, but never early, so that the sensor's clock is the line that touches the stamps from below and is nearest to
    them in the mean (Moon, Skelly & Towsley, INFOCOM 1999, https://doi.org/10.1109/INFCOM.1999.749287). Where no later stamp is
    as early as those before let expect, samples were lost, and time goes on from there.

    Args:
        stamps (ndarray): Seconds, in order, ``(n, )``.

    Returns:
        ndarray: Seconds, increasing, ``(n, )``; the least delay of all counts as none.
    """
    count = len(stamps)
    if count < 2 or stamps[-1] == stamps[0]:
        return stamps.astype(np.float64)
    indices = np.arange(count)
    span = max(1, min(SPAN, count // 4))
    step = float(np.median(stamps[span:] - stamps[:-span])) / span
    for _ in range(2):  # the second time by the better step
        lost = _lost(stamps - step * indices)
        step = _step_below(stamps - lost, step)
    excess = stamps - step * indices
    lost = _lost(excess)
    return (excess - lost).min() + step * indices + lost


def _lost(excess: NDArray) -> NDArray:
    """Return the time that was lost before each sample, by how much later than even ones the samples come, ``(n, )``."""
    least = np.minimum.accumulate(excess[::-1])[::-1]  # of a sample and all after it
    starts, lost = np.flatnonzero(np.diff(least) > LOST) + 1, np.zeros(len(excess))
    for begin, start in zip(np.r_[0, starts], starts):
        # The last sample before a loss may itself be late, those before it less so.
        lost[start] = least[start] - excess[max(begin, start - NEIGHBOURS) : start].min()
    return np.cumsum(lost)


def _step_below(values: NDArray, step: float) -> float:
    """Return the slope of the line below n values that is nearest to them in the mean, a side of their lower hull."""
    if len(values) < LEAST:
        return step
    indices, middle = np.arange(len(values)), (len(values) - 1) / 2
    left, right = 0, len(values) - 1
    while True:
        slope = (values[right] - values[left]) / (right - left)
        above = values - slope * indices
        lowest = int(above.argmin())
        if above[lowest] >= above[left] - 1e-9:
            return float(slope)
        left, right = (lowest, right) if lowest <= middle else (left, lowest)
