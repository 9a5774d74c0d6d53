"""Times at which a sensor took its samples, from stamps that the samples got when they were delivered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ['median_step', 'sampling_times']

SPAN = 60  # samples, which 3 to 6 divide, so that bursts of as many rows do not shift the first guess of the step
LEAST = 10  # samples that tell a step better than the first guess
NEIGHBOURS = 10  # samples of which one was delivered about as fast as any
LOST = 0.2  # seconds by which all stamps from one on are later than those before let expect: samples are missing there


def sampling_times(stamps: NDArray, step: float | None = None) -> NDArray:
    """Return when evenly taken samples were taken, in seconds.

    A sensor samples evenly, while radio and operating system deliver: late, in bursts, two samples in one millisecond. A stamp
    may come late, but never early, so that the sensor's clock is the line that touches the stamps from below and is nearest to
    them in the mean (Moon, Skelly & Towsley, INFOCOM 1999, https://doi.org/10.1109/INFCOM.1999.749287). Where no later stamp is
    as early as those before let expect, samples were lost, and time goes on from there.

    A line needs stamps enough to tell its slope, and a clock that keeps it. Where the step comes from elsewhere, as that of
    short trials from all of one device, it may be off by a share that adds up: every sample is then taken as late as it and
    those after it allow, and any delay that no later one makes up for is time in which none was taken.

    Args:
        stamps (ndarray): Seconds, in order, ``(n, )``.
        step (float, optional): Seconds between two samples; estimated from the stamps by default.

    Returns:
        ndarray: Seconds, increasing, ``(n, )``, a step apart but for losses; the least delay of all counts as none.
    """
    count = len(stamps)
    indices = np.arange(count)
    if step is not None:
        return _least_from(stamps - step * indices) + step * indices
    if count < 2 or stamps[-1] == stamps[0]:
        return stamps.astype(np.float64)
    step = median_step(stamps, SPAN)
    for _ in range(2):  # the second time by the better step
        lost = _lost(stamps - step * indices)
        step = _step_below(stamps - lost, step)
    excess = stamps - step * indices
    lost = _lost(excess)
    return (excess - lost).min() + step * indices + lost


def median_step(times: NDArray, most: int) -> float:
    """Return the median of the seconds from one time to the next, over as many as are given, or a quarter of all.

    Args:
        times (ndarray): Seconds, ``(n, )``, n at least 2.
        most (int): Steps over which rounding, bursts and delays average out.
    """
    over = max(1, min(most, len(times) // 4))
    return float(np.median(times[over:] - times[:-over])) / over


def _least_from(excess: NDArray) -> NDArray:
    """Return the least of each value and all after it, ``(n, )``."""
    return np.minimum.accumulate(excess[::-1])[::-1]


def _lost(excess: NDArray) -> NDArray:
    """Return the time that was lost before each sample, by how much later than even ones the samples come, ``(n, )``."""
    least = _least_from(excess)
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
