"""Missing samples, filled along a straight line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .text import damaged

__all__ = ['interpolate']


def interpolate(file: Path, line: int, signal: NDArray, channels: Sequence[str]) -> NDArray:
    """Fill NaN between its neighbours in time; the first and the last value are held outward.

    Args:
        file (Path): Where the samples come from, for messages.
        line (int): Of the first sample, for messages.
        signal (ndarray): Samples with NaN where there is no value, ``(T, C)``.
        channels (Sequence[str]): Names of the C channels.

    Returns:
        ndarray: Samples without NaN, ``(T, C)``.

    Raises:
        ValueError: A channel has no value at all.
    """
    filled, indices = signal.copy(), np.arange(len(signal))
    for channel in np.flatnonzero(np.isnan(signal).any(0)):
        good = ~np.isnan(signal[:, channel])
        if not good.any():
            name = channels[int(channel)]
            raise damaged(file, line, f'{name} has no value in {len(signal):,} sample(s): nothing to fill it from')
        filled[:, channel] = np.interp(indices, indices[good], signal[good, channel])
    return filled
